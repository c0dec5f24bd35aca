"""The words in which a scenario file gives instants: `40 min`, `start - 10 h`, or a date."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
_PART = re.compile(r"(\d+) ?(s|min|h|d)")
_RELATIVE = re.compile(r"start(?: ([+-]) (.+))?")


def read_duration(text: str) -> timedelta:
    """`1 h 30 min` as a duration; ValueError for anything else."""
    parts = _PART.findall(text)
    if not parts or " ".join(f"{n} {u}" for n, u in parts) != text.strip():
        raise ValueError(f"not a duration: {text!r} (write: 1 h 30 min)")
    return sum((timedelta(**{_UNITS[unit]: int(n)}) for n, unit in parts), timedelta())


def read_instant(text: str, start: datetime) -> datetime:
    """A duration since `start`, `start - 10 h`, or a date and time with its offset."""
    relative = _RELATIVE.fullmatch(text.strip())
    if relative is not None:
        sign, rest = relative.groups()
        offset = read_duration(rest) if rest else timedelta()
        return start - offset if sign == "-" else start + offset
    if _PART.match(text):
        return start + read_duration(text)
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"an instant without offset: {text}")
    return instant.astimezone(UTC)


def with_instants(value: Any, start: datetime) -> Any:
    """The value with every text `start`, `start - ...` or `start + ...` in it as RFC 3339."""
    if isinstance(value, dict):
        return {key: with_instants(inner, start) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_instants(inner, start) for inner in value]
    if isinstance(value, str) and _RELATIVE.fullmatch(value):
        return read_instant(value, start).isoformat()
    return value


def since_start(instant: datetime | None, start: datetime) -> str:
    """An instant as a reader of the scenario would write it; `never` for None."""
    if instant is None:
        return "never"
    seconds = int((instant - start).total_seconds())
    sign, left = ("-" if seconds < 0 else ""), abs(seconds)
    words = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {unit}")
    return sign + (" ".join(words) or "0 min")
