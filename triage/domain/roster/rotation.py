"""Whose turn it is: turns of equal length on the wall clock of one site."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from triage.domain.wall_time import first_instant, wall_clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn: its number (0 = the first, negative before it) and its start on the wall clock."""

    number: int
    starts: datetime


def first_handover(since: date, weekday: int, at: time) -> datetime:
    """The first hand-over on or after `since`, on the wall clock. `weekday` 0 = Monday."""
    day = since + timedelta(days=(weekday - since.weekday()) % 7)
    return datetime.combine(day, at)


def turn_at(at: datetime, *, first: datetime, every: timedelta, zone: ZoneInfo) -> Turn:
    """The turn that runs at an instant; a hand-over belongs to the turn that it begins.

    Turns are counted on the wall clock, so a turn over the night when the clocks change is an hour
    shorter or longer and hand-over stays at its usual time.
    """
    number = (wall_clock(at, zone) - first) // every
    # On a night when the clocks go back the wall clock shows less than has been handed over.
    while first_instant(first + (number + 1) * every, zone) <= at:
        number += 1
    while first_instant(first + number * every, zone) > at:
        number -= 1
    return Turn(number=number, starts=first + number * every)
