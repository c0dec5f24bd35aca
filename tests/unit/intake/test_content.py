"""The content hash: RFC 8785, with the RFC's own vectors."""

import hashlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.intake.builders import envelope
from triage.intake.content import canonical_json, content_hash

# RFC 8785 appendix B: IEEE 754 bits and how ECMAScript writes them.
NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(("bits", "written"), NUMBERS)
def test_numbers_are_written_as_the_rfc_lists_them(bits: str, written: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(number).decode() == written


def test_the_sample_of_the_rfc() -> None:
    sample = json.loads(
        r"""{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 1e-27],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true,
        false]}"""
    )
    assert canonical_json(sample).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_ordered_by_their_utf16_units() -> None:
    sample = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    keys = json.loads(canonical_json(sample), object_pairs_hook=list)
    assert [value for _, value in keys] == [2, 4, 6, 7, 1, 5, 3]


def test_a_decision_does_not_hang_on_how_the_sender_wrote_it() -> None:
    one = json.loads('{"data": {"a": 1.0, "b": [1e2, "é"]}, "type": "x"}')
    two = json.loads('{"type":"x","data":{"b":[100,"\\u00e9"],"a":1}}')
    assert content_hash(one) == content_hash(two)


def test_the_hash_covers_what_is_said_and_nothing_else() -> None:
    base = content_hash(envelope())
    assert content_hash(envelope(id="e-2", source="hospital:RX2", traceparent="x")) == base
    for change in (
        {"type": "referral.updated.v1"},
        {"subject": "2026-004712"},
        {"referral": "hospital:RX1/1"},
        {"time": "2026-03-10T08:00:01+00:00"},
        {"data": {}},
    ):
        assert content_hash(envelope(**change)) != base


def test_the_hash_is_sha256_of_the_canonical_form() -> None:
    text = '{"data":{"b":1,"é":null},"subject":"s","type":"t"}'
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert content_hash({"subject": "s", "type": "t", "data": {"é": None, "b": 1}}) == expected


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@given(_JSON)
def test_any_parsed_json_has_one_hash(value: object) -> None:
    written = json.dumps(value)
    first = content_hash({"data": json.loads(written)})
    assert first == content_hash({"data": json.loads(written), "id": "other"})
    assert len(first) == 64


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_back_as_the_same_number(number: float) -> None:
    assert float(canonical_json(number)) == number


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, 10**400, -(10**400), [1.5, "\ud800"]])
def test_what_json_readers_let_through_does_not_raise(value: object) -> None:
    assert len(content_hash({"data": value})) == 64
