"""One value at a time: text, whole number, number, instant, and how alike two names are.

Each reader gives the value, `UNKNOWN`, or `UNREAD` when the value is outside its list.
"""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache

UNKNOWN = "unknown"
UNREAD = "unread"


def says_unknown(value: object) -> bool:
    """'JSON `null` is `unknown`, *sent*. Every field may be `unknown`, also where the
    contract's list does not show it.'"""
    if value is None:
        return True
    return isinstance(value, str) and value.strip().casefold() == UNKNOWN


def read_text(value: object, allowed: list[str]) -> str:
    """'Values are trimmed and case-folded first (`"c"` is `C`), and where text is expected a
    JSON number with a whole value equals its decimal string (`3` and `3.0` are `"3"`; the string
    `"2.0"` is not).'"""
    if says_unknown(value):
        return UNKNOWN
    if isinstance(value, bool):
        return UNREAD
    if isinstance(value, str):
        word = value.strip().casefold()
    elif isinstance(value, int):
        word = str(value)
    elif isinstance(value, float) and value.is_integer():
        word = str(int(value))
    else:
        return UNREAD
    if word in allowed:
        return word
    return UNREAD


def read_whole(value: object) -> int | str:
    """'`sins`, its items and `kps` are whole numbers (a decimal string counts)'"""
    if says_unknown(value):
        return UNKNOWN
    if isinstance(value, bool):
        return UNREAD
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"[0-9]+", value.strip()):
        return int(value.strip())
    return UNREAD


def read_number(value: object) -> Fraction | str:
    """'`pvr_ml` and `prognosis_months` any number from 0 up.' 'a number that is not a number,
    becomes `unknown` *and* asks for a human'"""
    if says_unknown(value):
        return UNKNOWN
    if isinstance(value, bool):
        return UNREAD
    if isinstance(value, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value.strip()):
        return Fraction(value.strip())
    if isinstance(value, int) and value >= 0:
        return Fraction(value)
    if isinstance(value, float) and 0 <= value < float("inf"):
        return Fraction(value)
    return UNREAD


_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[t ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?"
    r"(z|([+-])([0-9]{2}):([0-9]{2}))"
)


def read_instant(value: object) -> Fraction | str:
    """'An instant without an offset, or a bare date, is unreadable.' 'Hours are exact, never
    rounded.' RFC 3339 text becomes seconds since 1970."""
    if says_unknown(value):
        return UNKNOWN
    if not isinstance(value, str):
        return UNREAD
    found = _INSTANT.fullmatch(value.strip().casefold())
    if found is None:
        return UNREAD
    try:
        return _seconds(found)
    except (ValueError, OverflowError):
        return UNREAD


def _seconds(found: re.Match[str]) -> Fraction:
    year, month, day, hour, minute, second = (int(found[n]) for n in range(1, 7))
    if second > 60:  # 60 is RFC 3339's leap second
        raise ValueError("no such second")
    local = datetime(year, month, day, hour, minute, tzinfo=UTC)
    whole = (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) + second
    fraction = Fraction("0" + found[7]) if found[7] else Fraction(0)
    if found[8] == "z":
        return whole + fraction
    hours, minutes = int(found[10]), int(found[11])
    if hours > 23 or minutes > 59:
        raise ValueError("no such offset")
    ahead = hours * 3600 + minutes * 60
    if found[9] == "-":
        ahead = -ahead
    return whole + fraction - ahead


def edit_distance(one: str, other: str) -> int:
    """Fewest single characters to insert, delete or replace to turn one name into the other."""
    row = list(range(len(other) + 1))
    for i in range(1, len(one) + 1):
        above = row
        row = [i]
        for j in range(1, len(other) + 1):
            replace = above[j - 1] + (0 if one[i - 1] == other[j - 1] else 1)
            row.append(min(above[j] + 1, row[j - 1] + 1, replace))
    return row[-1]


@cache
def resembles(name: str, field: str) -> bool:
    """'one that resembles a field which the rules read (edit distance 1 or 2)'. Only values are
    case-folded; a name is taken as written."""
    return 1 <= edit_distance(name, field) <= 2
