"""JSON that others let pass is refused, with its place."""

import pytest

from triage.intake.strict_json import UnreadableJson, read_json


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": {"b": [1, 2.5, "\xc3\xa9"]}, "c": null}', {"a": {"b": [1, 2.5, "é"]}, "c": None}),
        (b'{"a" : 1}', {"a": 1}),
        (b'{"note": "he said \\":no\\""}', {"note": 'he said ":no"'}),
        (b'{"a": 1e400, "b": 18446744073709551616}', {"a": "1e400", "b": 18446744073709551616.0}),
        (b'{"a" : 18446744073709551616}', {"a": 18446744073709551616.0}),
        (b"[" * 64 + b"]" * 64, None),
        (b'["' + b"[" * 200 + b'"]', ["[" * 200]),
        (b'  "x"\r\n', "x"),
    ],
)
def test_read(raw: bytes, value: object) -> None:
    read = read_json(raw)
    assert value is None or read == value


@pytest.mark.parametrize(
    ("raw", "path", "allowed"),
    [
        (b'{"a": 1, "a": 1}', "a", "each key once"),
        (b'{"a" : 1, "a" : 1}', "a", "each key once"),
        (b'{"a": 1, "\\u0061": 1}', "a", "each key once"),
        (b'{"x": [{}, {"b": {"c": 1, "d": 2, "c": 3}}]}', "x.1.b.c", "each key once"),
        (b'{"x": "\\":", "a": 1, "a": 2}', "a", "each key once"),
        (b'{"x": [NaN]}', "x.0", "a number, or null"),
        (b'{"x": -Infinity}', "x", "a number, or null"),
        (b'{"x": "\\ud800"}', "x", "Unicode text"),
        (b'{"x": {"\\ud800": 1}}', "x", "Unicode keys"),
        (b"[" * 65 + b"]" * 65, "", "at most 64 levels"),
        (b'{"a":' * 100_000, "", "at most 64 levels"),
        (b'{"a": "\xff"}', "", "UTF-8"),
        (b"\xef\xbb\xbf{}", "", "one JSON value"),
        (b"{} {}", "", "one JSON value"),
        (b"", "", "one JSON value"),
        (b"{'a': 1}", "", "one JSON value"),
        (b'{"a": 01}', "", "one JSON value"),
        (b'{"a": 1,}', "", "one JSON value"),
        (b'"tab\there"', "", "one JSON value"),
    ],
)
def test_refused(raw: bytes, path: str, allowed: str) -> None:
    with pytest.raises(UnreadableJson) as refused:
        read_json(raw)
    assert (refused.value.path, refused.value.allowed) == (path, allowed)
    assert refused.value.hint


def test_what_was_sent_twice_is_shown_but_not_in_the_message() -> None:
    with pytest.raises(UnreadableJson) as refused:
        read_json(b'{"id": 7, "findings": {"ais": "private", "ais": "D"}}')
    assert refused.value.value == ["private", "D"]
    assert refused.value.document == {"id": 7, "findings": {"ais": "D"}}
    assert "private" not in str(refused.value)
