"""`triage classify`: one answer for each line, in order, whatever the line holds."""

import json
from typing import Any

import pytest

from triage.intake.classify_line import classify_stream
from triage.policies.book import PolicyBook
from triage.policies.load import load_policy_book
from triage.policies.shipped import shipped_texts

NOW = '"now": "2026-03-10T08:00:00Z"'


@pytest.fixture(scope="module")
def book() -> PolicyBook:
    return load_policy_book(shipped_texts())


def run(book: PolicyBook, *lines: bytes | str) -> tuple[list[dict[str, Any]], int]:
    """The answers to these lines and the exit status."""
    written: list[bytes] = []
    sent = [line.encode() if isinstance(line, str) else line for line in lines]
    status = classify_stream(sent, written.append, book)
    return [json.loads(line) for line in b"".join(written).splitlines()], status


def test_answer_has_the_shape_of_the_contract(book: PolicyBook) -> None:
    line = f'{{"id": "a", {NOW}, "extra": 1, "findings": {{"bladdr": "x", "ais": "c"}}}}\n'
    [answer], status = run(book, line)
    assert status == 0
    assert list(answer) == [
        "id", "tier", "rules", "all_rules", "flags", "unread", "policy", "reasons",
    ]  # fmt: skip
    assert (answer["id"], answer["tier"], answer["rules"]) == ("a", "EMERGENT", ["E2"])
    assert answer["unread"] == ["bladdr"]
    assert answer["policy"] == book.version


def test_empty_findings_are_urgent(book: PolicyBook) -> None:
    [answer], status = run(book, f'{{{NOW}, "findings": {{}}}}')
    assert (answer["id"], answer["tier"], answer["rules"], status) == (None, "URGENT", ["U6"], 0)


@pytest.mark.parametrize(
    ("line", "name", "path"),
    [
        ("{", None, ""),
        ("not json", None, ""),
        ("[1]", None, ""),
        (b"\xff", None, ""),
        (f'{{"id": 5, {NOW}}}', 5, "findings"),
        (f'{{"id": 5, {NOW}, "findings": null}}', 5, "findings"),
        (f'{{"id": 5, {NOW}, "findings": [1]}}', 5, "findings"),
        ('{"id": 5, "findings": {}}', 5, "now"),
        ('{"id": 5, "now": "2026-03-10T08:00:00", "findings": {}}', 5, "now"),
        ('{"id": 5, "now": 1773129600, "findings": {}}', 5, "now"),
        (f'{{"id": 5, {NOW}, "findings": {{"pvr_ml": NaN}}}}', 5, "findings.pvr_ml"),
        (f'{{"id": 5, {NOW}, "findings": {{"ais": "C", "ais": "D"}}}}', 5, "findings.ais"),
        (f'{{"id": 5, "id": 6, {NOW}, "findings": {{}}}}', None, "id"),
        (f'{{"id": "\\ud800", {NOW}, "findings": {{}}}}', None, "id"),
        (f'{{"id": 5, {NOW}, "findings": {"[" * 9000}', None, ""),
    ],
)
def test_unreadable_line_is_answered_in_its_place(
    book: PolicyBook, line: bytes | str, name: object, path: str
) -> None:
    good = f'{{"id": "good", {NOW}, "findings": {{}}}}'
    answers, status = run(book, good, "   \n", line, "", good)
    assert status == 1
    assert [answer["id"] for answer in answers] == ["good", name, "good"]
    assert answers[1]["line"] == 3
    error = answers[1]["error"]
    assert list(error) == ["path", "value", "allowed", "hint"]
    assert error["path"] == path
    assert error["allowed"]
    assert error["hint"]


def test_long_values_are_cut_and_numbers_without_end_are_only_unread(book: PolicyBook) -> None:
    answers, status = run(
        book,
        json.dumps({"now": "x" * 5000, "findings": {}}),
        f'{{{NOW}, "findings": {{"pvr_ml": 1e999, "kps": {"9" * 5000}}}}}',
    )
    assert len(answers[0]["error"]["value"]) < 100
    assert answers[1]["unread"] == ["kps", "pvr_ml"]
    assert status == 1


def test_file_may_begin_with_a_byte_order_mark(book: PolicyBook) -> None:
    answers, status = run(book, b"\xef\xbb\xbf" + f'{{{NOW}, "findings": {{}}}}'.encode())
    assert (answers[0]["tier"], status) == ("URGENT", 0)
