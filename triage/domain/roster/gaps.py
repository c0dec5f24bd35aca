"""Stretches ahead in which a post that is served at other times has nobody who can be reached."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.domain.roster.roster import Roster
from triage.domain.roster.shifts import Shift, shifts
from triage.domain.wall_time import wall_clock

_AROUND = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """From `starts` (inclusive) to `ends` (exclusive). `person` serves then but has no route.

    A gap that began over a month ago begins where we looked first, and `is_long`; one that ends
    later than in a month ends where we looked last, and `is_open`.
    """

    site: str
    role: str
    starts: datetime
    ends: datetime
    person: str | None
    is_long: bool
    is_open: bool = False


def gaps(
    roster: Roster, roles: Collection[str], *, now: datetime, within: timedelta
) -> tuple[Gap, ...]:
    """The gaps that run or begin before `now` + `within`, soonest first.

    A role that nobody ever serves at a site is no gap but a rung that is not there: that is for
    `check_roster`, not for a call in the night.
    """
    found = [
        gap
        for site, role in roster.posts
        if role in roles
        for gap in _gaps(roster, site, role, now)
        if gap.starts < now + within and now < gap.ends
    ]
    return tuple(sorted(found, key=lambda gap: (gap.starts, gap.site, gap.role)))


def seconds_without(gap: Gap, *, now: datetime, within: timedelta) -> float:
    """How much of the time from `now` on lies in the gap."""
    return (min(gap.ends, now + within) - max(gap.starts, now)).total_seconds()


def gap_words(gap: Gap, roster: Roster) -> str:
    """One sentence, in the time of the site; names nobody but by the roster's id."""
    zone = roster.sites[gap.site].zone
    starts, ends = (wall_clock(at, zone) for at in (gap.starts, gap.ends))
    who = f"{gap.person}, who has no route, serves" if gap.person else "nobody serves"
    return (
        f"{who} as {gap.role} at {gap.site} from {starts:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M}"
    )


def _gaps(roster: Roster, site: str, role: str, now: datetime) -> Iterator[Gap]:
    start, end = now - _AROUND, now + _AROUND
    for shift in shifts(roster, site, role, start=start, end=end):
        if not _is_reached(shift):
            person = shift.on_call.person
            yield Gap(
                site=site,
                role=role,
                starts=shift.starts,
                ends=shift.ends,
                person=person.id if person else None,
                is_long=shift.starts == start,
                is_open=shift.ends == end,
            )


def _is_reached(shift: Shift) -> bool:
    return shift.on_call.person is not None and bool(shift.on_call.person.routes)
