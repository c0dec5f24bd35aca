"""Durations as the book writes them: `15 min`, `4 h`, `7 d`, `4 working h`, `2 working d`.

A bare number is refused: nobody should have to guess its unit.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

_WRITTEN = re.compile(r"(\d{1,4}) (min|h|d|working h|working d)", re.ASCII)


class Unit(StrEnum):
    """`working h` and `working d` count the receiving site's hours only."""

    MINUTE = "min"
    HOUR = "h"
    DAY = "d"
    WORKING_HOUR = "working h"
    WORKING_DAY = "working d"


_LENGTH = {
    Unit.MINUTE: timedelta(minutes=1),
    Unit.HOUR: timedelta(hours=1),
    Unit.DAY: timedelta(days=1),
    Unit.WORKING_HOUR: timedelta(hours=1),
    Unit.WORKING_DAY: timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time with its unit."""

    count: int
    unit: Unit

    @property
    def is_working(self) -> bool:
        """It runs only during the site's hours (`working h`) or days (`working d`)."""
        return self.unit in (Unit.WORKING_HOUR, Unit.WORKING_DAY)

    @property
    def length(self) -> timedelta:
        """The length; of working time it is the time counted, not the time that passes."""
        return self.count * _LENGTH[self.unit]

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"


def read_span(value: object) -> Span:
    """The span that the text writes; ValueError says what is wrong with it."""
    if isinstance(value, Span):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f'duration has no unit: {value}; write "{value} min"')
    found = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f'unreadable duration: {value!r}; write "15 min", "4 h", "2 working d"')
    return Span(int(found[1]), Unit(found[2]))


def read_elapsed(value: object) -> timedelta:
    """A span that runs by day and night, as a timedelta; working time is refused (ValueError)."""
    span = read_span(value)
    if span.is_working:
        raise ValueError(f"working time is not allowed here: {span}; write min, h or d")
    return span.length
