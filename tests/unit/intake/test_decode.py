"""Any bytes: events, or one clear refusal for each thing that gave none. Never an exception."""

from time import perf_counter
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.intake.builders import CENTRE, HOSPITALS, PERSON, envelope, event, results
from triage.handle import Incoming
from triage.intake.decode import MOST_MEMBERS
from triage.intake.unreadable import Unreadable, quarantine_item

VALID = orjson.dumps(envelope())
BINARY = {
    "ce_specversion": b"1.0",
    "ce_id": b"e-1",
    "ce_source": b"hospital:RX1",
    "ce_type": b"referral.submitted.v1",
    "ce_time": b"2026-03-10T08:00:00+00:00",
    "ce_subject": b"2026-004711",
    "content-type": b"application/json",
}
DATA = b'{"findings": {"walking": "cannot"}}'

GARBAGE = {
    "nothing": b"",
    "blanks": b" \n\t ",
    "null": b"null",
    "true": b"true",
    "a number": b"12",
    "a text": b'"referral"',
    "HL7": b"MSH|^~\\&|SAMPLE|RX1|TRIAGE|NEURO",
    "XML": b"<referral/>",
    "cut off": VALID[:-10],
    "bad UTF-8": VALID.replace(b"cannot", b"\xff\xfe"),
    "UTF-16": VALID.decode().encode("utf-16"),
    "NaN": VALID.replace(b'"cannot"', b"NaN"),
    "Infinity": VALID.replace(b'"cannot"', b"-Infinity"),
    "a key twice": VALID.replace(b'"id":"e-1"', b'"id":"e-1","id":"e-2"'),
    "a key twice, deep": VALID.replace(b'"walking"', b'"walking":"aided","walking"'),
    "half a surrogate pair": VALID.replace(b"cannot", b"\\ud800"),
    "opening brackets": b"[" * 100_000,
    "nested arrays": b"[" * 200 + b"]" * 200,
    "nested objects": b'{"a":' * 200 + b"1" + b"}" * 200,
    "data too deep": VALID.replace(b'"cannot"', b"[" * 70 + b"]" * 70),
    "NUL bytes": b"\x00" * 1000,
    "an empty batch": b"[]",
    "a batch of blanks": b"[ ]",
    "a comma too many": b"[" + VALID + b",]",
    "two events without a batch": VALID + b"\n" + VALID,
    "a batch and more": b"[" + VALID + b"] x",
}


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_kept_byte_for_byte_with_a_reason(raw: bytes) -> None:
    refused = [found for found in results(raw) if isinstance(found, Unreadable)]
    assert refused
    for found in refused:
        assert found.raw in raw
        assert found.reason["allowed"] and found.reason["hint"]
        assert found.source in ("hospital:RX1", "triage.referrals.v1/0")
        if "#" not in found.origin:  # of a batch each member by itself
            assert found.raw == raw


def test_a_key_twice_names_the_key_and_the_sender() -> None:
    (found,) = results(GARBAGE["a key twice, deep"])
    assert isinstance(found, Unreadable)
    assert found.reason["path"] == "data.findings.walking"
    assert found.source == "hospital:RX1"
    assert found.reason["value"] is None


def test_a_source_that_may_be_personal_is_not_taken_for_bundling() -> None:
    (found,) = results(orjson.dumps(envelope(id="", source="Sample Patient 9990000018")))
    assert isinstance(found, Unreadable)
    assert found.source == "triage.referrals.v1/0"


def test_a_batch_gives_its_events_in_order_each_with_its_own_bytes() -> None:
    parts = [orjson.dumps(envelope(id=f"e-{n}")) for n in range(3)]
    found = results(b" [\n" + b" ,\n ".join(parts) + b" ] \n")
    assert [each.event.id for each in found if isinstance(each, Incoming)] == ["e-0", "e-1", "e-2"]
    assert [each.raw for each in found] == parts
    assert [each.origin[-2:] for each in found] == ["#1", "#2", "#3"]


@pytest.mark.parametrize("bad", [b"1", b'{"a":NaN}', b'{"id":1,"id":2}', b"{}", b"[]", b"{{}"])
def test_one_bad_member_does_not_take_the_others_with_it(bad: bytes) -> None:
    good = [orjson.dumps(envelope(id=f"e-{n}")) for n in range(2)]
    if bad == b"{{}":  # brackets that do not close leave no members to tell apart
        (found,) = results(b"[" + b",".join([good[0], bad, good[1]]) + b"]")
        assert isinstance(found, Unreadable)
        return
    found = results(b"[" + b",".join([good[0], bad, good[1]]) + b"]")
    assert [type(each) for each in found] == [Incoming, Unreadable, Incoming]
    assert found[1].raw == bad


def test_brackets_and_quotes_inside_texts_do_not_split_a_batch() -> None:
    odd = envelope(data={"note": 'a ], "b" [ { \\" , } \\'})
    found = results(orjson.dumps([odd, odd]))
    assert [each.event.data for each in found if isinstance(each, Incoming)] == [odd["data"]] * 2


def test_a_batch_beyond_the_limit_is_refused_as_one() -> None:
    raw = b"[" + b",".join([b"1"] * (MOST_MEMBERS + 1)) + b"]"
    (found,) = results(raw)
    assert isinstance(found, Unreadable)
    assert found.raw == raw


def test_a_byte_order_mark_is_read_over_and_kept() -> None:
    (found,) = results(b"\xef\xbb\xbf" + VALID)
    assert isinstance(found, Incoming)
    assert found.raw == b"\xef\xbb\xbf" + VALID


def test_binary_mode_says_the_same_as_structured_mode() -> None:
    (found,) = results(DATA, headers=BINARY)
    assert isinstance(found, Incoming)
    assert found.event == event()


def test_binary_mode_keeps_the_headers_with_the_bytes() -> None:
    (found,) = results(DATA, headers=BINARY)
    head, _, body = found.raw.partition(b"\n\n")
    assert body == DATA
    assert b"ce_source: hospital:RX1" in head.splitlines()


def test_http_headers_in_binary_mode_are_percent_decoded() -> None:
    headers = {name.replace("_", "-"): value for name, value in BINARY.items()}
    headers["ce-subject"] = b"2026%20004711"
    (found,) = results(DATA, headers=headers)
    assert isinstance(found, Incoming)
    assert found.event.referral == "hospital:RX1/2026 004711"


def test_structured_mode_is_told_by_its_content_type() -> None:
    headers = {"content-type": b"application/cloudevents+json; charset=utf-8", "ce_id": b"other"}
    (found,) = results(VALID, headers=headers)
    assert isinstance(found, Incoming)
    assert found.event.id == "e-1"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce_source", b"\xff\xfe"),
        ("ce_source", b"hospital:RX1\nhospital:RX2"),
        ("ce_id", b""),
        ("ce_type", b"nothing.v1"),
        ("ce_subject", b""),
    ],
)
def test_a_header_that_cannot_be_used_is_named(header: str, value: bytes) -> None:
    (found,) = results(DATA, headers=BINARY | {header: value})
    assert isinstance(found, Unreadable)
    assert found.reason["path"] == header[3:]


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"a":NaN}', b"\xff"])
def test_binary_mode_without_readable_data_names_data(body: bytes) -> None:
    (found,) = results(body, headers=BINARY)
    assert isinstance(found, Unreadable)
    assert str(found.reason["path"]).split(".")[0] == "data"
    assert found.source == "hospital:RX1"


@pytest.mark.parametrize(
    "raw",
    [
        b'["' + b'\\"' * 500_000 + b"[" * 65,
        b'"' + b'\\"' * 500_000 + b"[" * 65,
        b"[" + b"1," * 500_000,
        b'{"a":' * 200_000,
        b'"' * 1_000_000,
        VALID.replace(b"cannot", b"x" * 1_000_000),
    ],
    ids=["open text in array", "open text", "open array", "open objects", "quotes", "long text"],
)
def test_a_record_at_the_size_limit_takes_no_more_than_a_moment(raw: bytes) -> None:
    start = perf_counter()
    assert results(raw)
    assert perf_counter() - start < 5.0


def test_the_same_bytes_from_the_same_place_are_one_quarantine_item() -> None:
    (one,), (two,), (other,) = results(b"x"), results(b"x"), results(b"y")
    assert isinstance(one, Unreadable) and isinstance(two, Unreadable)
    assert isinstance(other, Unreadable)
    assert quarantine_item(one) == quarantine_item(two)
    assert quarantine_item(one).item_id != quarantine_item(other).item_id


DOORS = st.sampled_from([HOSPITALS, CENTRE, PERSON])


@given(st.binary(max_size=300), DOORS)
def test_no_bytes_whatsoever_raise(raw: bytes, door: Any) -> None:
    assert results(raw, door=door)


@given(st.binary(max_size=40), st.dictionaries(st.sampled_from([*BINARY, "x"]), st.binary()))
def test_no_headers_whatsoever_raise(raw: bytes, headers: dict[str, bytes]) -> None:
    assert results(raw, headers=headers)


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner)
)


@given(st.sampled_from([*envelope(), "referral", "extra"]), _JSON, DOORS)
def test_no_attribute_whatsoever_raises(name: str, value: object, door: Any) -> None:
    import json

    for found in results(json.dumps(envelope(**{name: value})).encode(), door=door):
        if isinstance(found, Incoming):
            assert found.event.occurred_at <= found.event.received_at


@given(st.integers(0, len(VALID) - 1), st.binary(max_size=4), st.integers(0, 6))
def test_no_mutation_of_a_valid_event_raises(at: int, inserted: bytes, cut: int) -> None:
    assert results(VALID[:at] + inserted + VALID[at + cut :])
