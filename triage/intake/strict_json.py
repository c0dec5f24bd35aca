"""JSON read strictly: what other readers let pass (a key twice, NaN, endless nesting) is refused.

orjson reads first, and what it read is proved free of doubled keys by counting; only where that
proof fails does the slower reader of the standard library look again and say what is wrong where.
"""

import json
import re
from collections.abc import Iterator
from math import isinf
from typing import Any

import orjson

from triage.domain.errors import TriageError

MAX_DEPTH = 64
_SPACED_KEY = re.compile(rb'"[ \t\r\n]+:')
# Possessive, and an unended text runs to the end: one pass, whatever is sent.
_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_EXCERPT = 40


class UnreadableJson(TriageError):
    """Bytes that are no JSON of ours: where, what stood there, what was allowed, what to do.

    `document` is what could be made out of it all the same (the last of doubled keys), or None: fit
    to find an id in, never to act on. `value` may hold a sender's text: not for logs.
    """

    def __init__(
        self, path: str, value: object, allowed: str, hint: str, document: object = None
    ) -> None:
        super().__init__(f"unreadable JSON: {path or 'the whole'}", hint=hint)
        self.path = path
        self.value = value
        self.allowed = allowed
        self.document = document


class _Doubled(dict[str, Any]):
    """An object in which `key` stood more than once, with `given` values."""

    key: str
    given: list[Any]


class _NotANumber(str):
    """NaN or an infinity, which JSON has not."""

    __slots__ = ()


def read_json(raw: bytes, max_depth: int = MAX_DEPTH) -> object:
    """One JSON value, in UTF-8 without a byte order mark.

    A number too great for a double is given as its text, an integer beyond 64 bits as a double.
    Raises UnreadableJson; never RecursionError.
    """
    if raw.count(b"[") + raw.count(b"{") > max_depth:
        _require_shallow(raw, max_depth)
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _read_slowly(raw)
    if raw.count(b'":') != _keys(document) or _SPACED_KEY.search(raw):
        return _read_slowly(raw)
    return document


def _require_shallow(raw: bytes, most: int) -> None:
    depth = 0
    for found in _BRACKET.finditer(raw):
        mark = found[0]
        depth += (mark in (b"[", b"{")) - (mark in (b"]", b"}"))
        if depth > most:
            raise UnreadableJson(
                "", f"more than {most} levels", f"at most {most} levels", "Send it less nested."
            )


def _keys(document: object) -> int:
    """How many keys the objects of a document hold, all levels together."""
    if type(document) is dict:
        inner: Any = document.values()
        count = len(document)
    elif type(document) is list:
        inner, count = document, 0
    else:
        return 0
    for each in inner:
        if type(each) is dict or type(each) is list:
            count += _keys(each)
    return count


def _read_slowly(raw: bytes) -> object:
    try:
        document = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_NotANumber,
            parse_int=_integer,
            parse_float=_double,
        )
    except UnicodeDecodeError as error:
        at = f"byte {error.start + 1}"
        raise UnreadableJson("", at, "UTF-8", "Send the text as UTF-8.") from error
    except json.JSONDecodeError as error:
        excerpt = error.doc[error.pos : error.pos + _EXCERPT]
        raise UnreadableJson(
            "", excerpt, "one JSON value", f"{error.msg} at character {error.pos + 1}."
        ) from error
    for path, value, allowed, hint in _faults(document, ""):
        raise UnreadableJson(path, value, allowed, hint, document)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    doubled = _Doubled(made)
    keys = [key for key, _ in pairs]
    doubled.key = next(key for key in keys if keys.count(key) > 1)
    doubled.given = [value for key, value in pairs if key == doubled.key]
    return doubled


def _integer(text: str) -> int | float | str:
    if len(text) > 20:
        return _double(text)
    number = int(text)
    return number if -(2**63) <= number < 2**64 else float(number)


def _double(text: str) -> float | str:
    number = float(text)
    return text if isinf(number) else number


def _faults(document: object, path: str) -> Iterator[tuple[str, object, str, str]]:
    """Path, value, what was allowed and what to do, from the top down."""
    if isinstance(document, _Doubled):
        where = _join(path, document.key)
        yield where, document.given, "each key once", "Send the value that holds."
    if isinstance(document, _NotANumber):
        yield path, str(document), "a number, or null", "Send null where there is no number."
    elif isinstance(document, str) and not _is_unicode(document):
        yield path, None, "Unicode text", "Half of a surrogate pair is no character."
    elif isinstance(document, dict):
        for key, value in document.items():
            if not _is_unicode(key):
                yield path, None, "Unicode keys", "Half of a surrogate pair is no character."
            yield from _faults(value, _join(path, key))
    elif isinstance(document, list):
        for place, value in enumerate(document):
            yield from _faults(value, _join(path, str(place)))


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step
