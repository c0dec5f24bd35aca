"""The content hash of an event: SHA-256 of the canonical JSON (RFC 8785) of what it says.

orjson writes the canonical form of nearly every event; where it would not (fractions, integers
beyond 2^53, keys outside ASCII), a slower writer does.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson

CONTENT = ("type", "subject", "referral", "time", "data")

_PLAINLY = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
)
_EXACT = 2**53
# A fraction, an exponent, an integer of sixteen digits and more; also within a text, which is then
# looked at more closely for nothing.
_NUMBERS = re.compile(rb"[:\[,]-?[0-9]+(?:[.eE]|[0-9]{15})|^-?[0-9]")
_DIGITS = 21  # ECMAScript writes numbers below 10^21 without an exponent, and down to 10^-6


def content_hash(envelope: Mapping[str, Any]) -> str:
    """Hex SHA-256 of the attributes in CONTENT that are present. Never raises for parsed JSON."""
    content = {name: envelope[name] for name in CONTENT if name in envelope}
    return hashlib.sha256(canonical_json(content)).hexdigest()


def canonical_json(value: object) -> bytes:
    """RFC 8785. Half a surrogate pair, which the RFC does not know, is kept as three bytes."""
    try:
        found = orjson.dumps(value, option=_PLAINLY)
    except orjson.JSONEncodeError:
        found = b""  # half a surrogate pair in a text, or an integer beyond 64 bits
    if found and ((found.isascii() and not _NUMBERS.search(found)) or _is_plain(value)):
        return found
    return "".join(_written(value)).encode("utf-8", "surrogatepass")


def _is_plain(value: object) -> bool:
    """Whether orjson writes the canonical form of this."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return -_EXACT <= value <= _EXACT  # type: ignore[operator]
    if kind is dict:
        return all(
            key.isascii() and (type(each) is str or _is_plain(each))
            for key, each in value.items()  # type: ignore[attr-defined]
        )
    return kind is list and all(map(_is_plain, value))  # type: ignore[call-overload]


def _written(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield "{"
        for place, key in enumerate(sorted(value, key=_utf16)):
            yield f"{',' if place else ''}{_text(key)}:"
            yield from _written(value[key])
        yield "}"
    elif isinstance(value, list):
        yield "["
        for place, each in enumerate(value):
            yield "," if place else ""
            yield from _written(each)
        yield "]"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield _number(value)
    else:
        yield _text(value)


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """As ECMAScript writes a double; an integer beyond every double as its digits."""
    try:
        double = float(value)
    except OverflowError:
        return str(value)
    if double == 0 or not isfinite(double):
        return "0" if double == 0 else str(double)
    sign, digits, exponent = Decimal(repr(double)).as_tuple()
    text = "".join(map(str, digits))
    return ("-" if sign else "") + _placed(text.rstrip("0"), len(text) + int(exponent))


def _placed(digits: str, point: int) -> str:
    """The digits with the decimal point after the first `point` of them."""
    if len(digits) <= point <= _DIGITS:
        return digits.ljust(point, "0")
    if 0 < point <= _DIGITS:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{tail}e{point - 1:+d}"
