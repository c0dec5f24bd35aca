"""Who serves when: the answers of `Roster.on_call` over a stretch of time, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from triage.domain.roster.roster import OnCall, Roster, Rota
from triage.domain.wall_time import first_instant

_LONGEST = timedelta(days=62)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One answer of the roster, from `starts` (inclusive) to `ends` (exclusive)."""

    starts: datetime
    ends: datetime
    on_call: OnCall


def shifts(
    roster: Roster, site: str, role: str, *, start: datetime, end: datetime
) -> tuple[Shift, ...]:
    """Every shift in a role at a known site from `start` to before `end`; they leave no gap.

    A stretch in which nobody serves is a shift without a person.
    """
    instants = {at for at in _changes(roster, site, role, start, end) if start < at < end}
    edges = [start, *sorted(instants), end]
    pieces = [
        Shift(starts=begin, ends=until, on_call=roster.on_call(site, role, begin))
        for begin, until in pairwise(edges)
        if begin < until
    ]
    return tuple(_joined(pieces))


def whole_shift(roster: Roster, site: str, role: str, at: datetime) -> Shift | None:
    """The shift that runs at an instant, from its beginning to its end.

    None where it is longer than two months: then nobody takes turns.
    """
    start, end = at - _LONGEST, at + _LONGEST
    for shift in shifts(roster, site, role, start=start, end=end):
        if shift.starts <= at < shift.ends:
            return shift if start < shift.starts and shift.ends < end else None
    return None


def posts_of(roster: Roster, site: str, person: str, at: datetime) -> tuple[str, ...]:
    """The roles in which a person serves at a site at an instant, sorted."""
    return tuple(
        role for role in _roles_of(roster, site, person) if _serves(roster, site, role, person, at)
    )


def serves_until(roster: Roster, site: str, person: str, start: datetime) -> datetime | None:
    """When a person who serves at `start` first serves in no role of the site any more.

    None where that is more than two months ahead: then they take no turns.
    """
    end, roles = start + _LONGEST, _roles_of(roster, site, person)
    instants = {at for role in roles for at in _changes(roster, site, role, start, end)}
    for at in sorted(instants):
        if start < at < end and not posts_of(roster, site, person, at):
            return at
    return None


def _roles_of(roster: Roster, site: str, person: str) -> list[str]:
    named = {rota.role for rota in roster.rotas if rota.site == site and person in rota.people}
    posts = ((each.site, each.person, each.role) for each in roster.overrides)
    named |= {role for place, serving, role in posts if (place, serving) == (site, person)}
    return sorted(named)


def _serves(roster: Roster, site: str, role: str, person: str, at: datetime) -> bool:
    served = roster.on_call(site, role, at).person
    return served is not None and served.id == person


def _changes(
    roster: Roster, site: str, role: str, start: datetime, end: datetime
) -> Iterator[datetime]:
    zone = roster.sites[site].zone
    for override in roster.overrides:
        if (override.site, override.role) == (site, role):
            yield from (override.starts, override.ends)
    for rota in roster.rotas:
        if (rota.site, rota.role) == (site, role):
            yield from _handovers(rota, zone, start, end)


def _handovers(rota: Rota, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    if rota.every is None or rota.first_turn is None:
        return
    yield first_instant(rota.first_turn, zone)  # from here on the rota goes before later ones
    turn = rota.turn(start, zone)
    wall = turn.starts if turn else rota.first_turn
    while (at := first_instant(wall, zone)) < end:
        yield at
        wall += rota.every


def _joined(pieces: list[Shift]) -> Iterator[Shift]:
    """Neighbours with the same answer as one shift."""
    held: Shift | None = None
    for piece in pieces:
        if held is not None and held.on_call == piece.on_call:
            held = Shift(starts=held.starts, ends=piece.ends, on_call=held.on_call)
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held
