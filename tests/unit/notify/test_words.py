"""What a page says, where secrets come from, and the receipt that goes to the case log."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.fakes_notify import START, order
from triage.domain.paging import Attempt, PageId, page_document
from triage.notify.receipts import receipt_message
from triage.notify.secrets import Missing, resolve_reference
from triage.notify.text import page_text

URL = "https://triage.example/p/x"


def test_a_text_says_what_why_until_when_and_where_to_answer() -> None:
    document = page_document(order(), attempt=1, possibly_doubled=True, url=URL, sent_at=START)
    text = page_text(document, ZoneInfo("Europe/London"))
    assert text.title == "EMERGENT BF2T-5B1F-ZGDY: acknowledge"
    assert text.body.splitlines() == [
        "Why: worsening deficit, cord compressed",
        "Asked of you as registrar",
        "Due: 2026-03-10 08:17 GMT",
        "Call back: +44 1632 960001",
        "You may have had this page before.",
        "Answer: https://triage.example/p/x",
    ]


def test_the_due_time_is_on_the_clock_of_the_site() -> None:
    summer = order(due_at=START.replace(month=7))
    document = page_document(summer, attempt=1, possibly_doubled=False, url=URL, sent_at=START)
    assert "Due: 2026-07-10 09:02 BST" in page_text(document, ZoneInfo("Europe/London")).body


def test_unread_messages_have_a_text_without_a_case() -> None:
    unread = order(tier=None, case=None, item="q-17", count=3, asked="review", due_at=None)
    document = page_document(
        replace(unread, callback=None), attempt=1, possibly_doubled=False, url=URL, sent_at=START
    )
    text = page_text(document)
    assert text.title == "Unread messages (3): review"
    assert "None" not in text.body


def test_a_drill_says_so_first() -> None:
    document = page_document(
        order(), attempt=1, possibly_doubled=False, url=URL, sent_at=START, drill=True
    )
    assert page_text(document).title.startswith("DRILL: EMERGENT")


def test_references_are_resolved_and_plain_values_stand_for_themselves(tmp_path: Path) -> None:
    kept = tmp_path / "secret"
    kept.write_text("from a file\n")
    assert resolve_reference("env:NAME", {"NAME": "from the environment"}) == "from the environment"
    assert resolve_reference(f"file:{kept}", {}) == "from a file"
    assert resolve_reference("as it is", {}) == "as it is"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("env:NAME", "env:NAME is not set"),
        ("file:/nowhere/x", "file:/nowhere/x cannot be read: No such file or directory"),
        ("file:relative", "file:relative is no absolute path"),
        (None, "nothing is configured"),
        ("", "nothing is configured"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told_by_its_name(value: str | None, told: str) -> None:
    assert resolve_reference(value, {"NAME": ""}) == Missing(told)


def test_an_empty_file_and_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    empty, odd = tmp_path / "empty", tmp_path / "odd"
    empty.write_text(" \n")
    odd.write_bytes(b"\xff\xfe\x00")
    assert resolve_reference(f"file:{empty}", {}) == Missing(f"file:{empty} is empty")
    assert resolve_reference(f"file:{odd}", {}) == Missing(f"file:{odd} is not text")


def attempt(outcome: str, page: str) -> Attempt:
    return Attempt(
        page=order().page if page == "own" else PageId(page),
        route="desk",
        attempt=2,
        outcome=outcome,
        provider_word="HTTP 202",
        at=START,
    )


def test_a_receipt_names_page_route_and_the_provider_s_word() -> None:
    message = receipt_message(attempt("accepted", "own"))
    assert message is not None
    assert message["type"] == "page.receipt.v1"
    assert message["id"] == f"{order().page}.desk.2"
    assert message["time"] == "2026-03-10T08:02:00+00:00"
    assert "/" not in message["source"]
    assert message["data"] == {
        "case": "BF2T-5B1F-ZGDY",
        "page": order().page,
        "route": "desk",
        "status": "accepted",
        "provider_word": "HTTP 202",
    }


def test_what_was_not_sent_has_no_receipt() -> None:
    assert receipt_message(attempt("suppressed", "own")) is None
    assert receipt_message(attempt("accepted", "no page of a case")) is None


def test_a_page_of_unread_quarantine_has_no_case_to_write_a_receipt_to() -> None:
    unread = "quarantine.unread.3f9c21ab.0.0.91ab33cd"
    assert receipt_message(attempt("accepted", unread)) is None
