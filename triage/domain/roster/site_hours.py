"""A site's working hours: is it open, when does it open, when has an amount of it passed.

All on the site's own wall clock, holidays and the nights when the clocks change included.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from triage.domain.roster.roster import Site
from triage.domain.wall_time import first_instant, wall_clock

_DAY = timedelta(days=1)


def in_hours(site: Site, at: datetime) -> bool:
    """Whether the site is open at an instant: the opening counts, the closing does not."""
    return next_opening(site, at) == at


def next_opening(site: Site, at: datetime) -> datetime:
    """The first instant not before `at` at which the site is open; `at` itself when it is."""
    start, _ = next(_open_times(site, at))
    return start


def add_working_time(site: Site, start: datetime, span: timedelta) -> datetime:
    """The instant at which `span` of open time has passed since `start`.

    Time that is used up exactly at closing ends then, not at the next opening. Outside hours the
    count begins at the next opening. A negative `span` raises ValueError.
    """
    if span < timedelta():
        raise ValueError(f"working time cannot run backwards: {span}")
    left = span
    for opens, closes in _open_times(site, start):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    raise AssertionError("a site opens again, always")


def add_working_days(site: Site, start: datetime, days: int) -> datetime:
    """The same time of day on the `days`-th following working day, within opening hours.

    A `start` outside hours counts from the next opening, whose day is day 0: Saturday and 2 days,
    for a site open Monday to Friday from 08:00, is Wednesday 08:00.
    """
    if days < 0:
        raise ValueError(f"working days cannot run backwards: {days}")
    counted_from = next_opening(site, start)
    if days == 0:
        return counted_from
    begin = wall_clock(counted_from, site.zone)
    day = begin.date()
    for _ in range(days):
        day = _next_working_day(site, day)
    opens, closes = _opening(site, day)
    return min(max(first_instant(datetime.combine(day, begin.time()), site.zone), opens), closes)


def _next_working_day(site: Site, day: date) -> date:
    day += _DAY
    while not _is_working_day(site, day):
        day += _DAY
    return day


def _is_working_day(site: Site, day: date) -> bool:
    return day.weekday() in site.days and day not in site.holidays


def _opening(site: Site, day: date) -> tuple[datetime, datetime]:
    last = day if site.closes > time() else day + _DAY
    return (
        first_instant(datetime.combine(day, site.opens), site.zone),
        first_instant(datetime.combine(last, site.closes), site.zone),
    )


def _open_times(site: Site, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of open time from `start` on, as (from, to); never an empty one."""
    day = wall_clock(start, site.zone).date() - _DAY
    while True:
        if _is_working_day(site, day):
            opens, closes = _opening(site, day)
            if max(opens, start) < closes:
                yield max(opens, start), closes
        day += _DAY
