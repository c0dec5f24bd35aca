"""Instants: aware datetimes in UTC, read from and written as RFC 3339 text."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)

_OURS = len("2026-03-10T08:02:01.000000+00:00")
_KEPT = 8192  # each step of a case reads and writes the instants of its earlier steps again


class Clock(Protocol):
    """Where the shell gets `now` from. The core never holds one: it takes `now` as an argument."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...


def parse_instant(text: object) -> datetime | None:
    """RFC 3339 text with an offset, as UTC; None for anything else (a bare date, no offset).

    Fractions finer than a microsecond are cut off. A leap second (`:60`) is the second after `:59`.
    """
    if not isinstance(text, str):
        return None
    return _known(text) if len(text) <= _OURS else _read(text)


@lru_cache(_KEPT)
def _known(text: str) -> datetime | None:
    return _read(text)


def _read(text: str) -> datetime | None:
    text = text.strip()
    if _RFC3339.fullmatch(text) is None:
        return None
    if text.endswith("+00:00") and len(text) <= _OURS and text[17:19] != "60":
        return _in_utc(text)  # as we write them: nothing to cut off or to convert
    leap = timedelta(seconds=1 if text[17:19] == "60" else 0)
    if leap:
        text = text[:17] + "59" + text[19:]
    try:
        return datetime.fromisoformat(_at_most_microseconds(text).upper()).astimezone(UTC) + leap
    except (ValueError, OverflowError):
        return None


def _in_utc(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _at_most_microseconds(text: str) -> str:
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC, e.g. `2026-03-10T08:02:01+00:00`; refuses a naive datetime (ValueError)."""
    if instant.tzinfo is UTC:
        return _utc_text(instant)
    if instant.tzinfo is None:
        raise ValueError(f"instant without offset: {instant!r}")
    return instant.astimezone(UTC).isoformat()


@lru_cache(_KEPT)
def _utc_text(instant: datetime) -> str:
    """Of instants in UTC alone: in a zone, the two of a repeated hour are equal to Python."""
    return instant.isoformat()
