"""Changes that people make to a roster at the desk: overrides, swaps, cover; all can be revoked.

They are kept apart from the roster file, each named by who made it and why.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from triage.domain.paging import short_tag
from triage.domain.roster.roster import Override, Roster
from triage.domain.roster.shifts import Shift, shifts, whole_shift


class ChangeKind(StrEnum):
    """What somebody did. A revocation ends every change that was made together with the named."""

    OVERRIDE = "override"
    SWAP = "swap"
    COVER = "cover"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterChange:
    """`person` serves in `role` from `starts` (inclusive) to `ends` (exclusive).

    Changes of one act share `together` (the two halves of a swap; a revocation and what it ends).
    `made_by` is a person's id or a credential's source.
    """

    id: str
    together: str
    kind: ChangeKind
    site: str
    role: str
    person: str
    starts: datetime
    ends: datetime
    reason: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who changes the roster, why and when; `id` names the act, eight letters or digits."""

    id: str
    by: str
    reason: str
    at: datetime


class NoSuchShift(ValueError):
    """What was to be swapped or covered is nobody's shift; the message says which."""


def standing(changes: Iterable[RosterChange]) -> tuple[RosterChange, ...]:
    """The changes that nobody has revoked, in the order in which they were made."""
    known = sorted(changes, key=lambda change: (change.made_at, change.id))
    ended = {each.together for each in known if each.kind is ChangeKind.REVOKED}
    return tuple(each for each in known if each.together not in ended)


def with_changes(roster: Roster, changes: Iterable[RosterChange]) -> Roster:
    """The roster with all that was changed; the change made last goes before everything else.

    A change that names a site or person whom the roster does not know any more is left out.
    """
    known = [each for each in _in_force(changes) if _is_known(each, roster)]
    if not known:
        return roster
    overrides = (*roster.overrides, *(_override(each) for each in known))
    tag = short_tag(*(f"{each.id} {each.ends.isoformat()}" for each in known))
    return replace(roster, overrides=overrides, version=f"{roster.version}+{tag}")


def _in_force(changes: Iterable[RosterChange]) -> Iterator[RosterChange]:
    """Each change for the time in which it counted: from when it was made, until it was revoked.

    Who served before served: an owner whom a change takes off duty leaves then, however the change
    is dated, and was not off duty all along.
    """
    known = sorted(changes, key=lambda change: (change.made_at, change.id))
    ended = {each.together: each.made_at for each in known if each.kind is ChangeKind.REVOKED}
    for each in known:
        starts, ends = (
            max(each.starts, each.made_at),
            min(each.ends, ended.get(each.together, each.ends)),
        )
        if each.kind is not ChangeKind.REVOKED and starts < ends:
            yield replace(each, starts=starts, ends=ends)


def override(
    roster: Roster, site: str, role: str, person: str, starts: datetime, ends: datetime, act: Act
) -> tuple[RosterChange, ...]:
    """Somebody serves in a role, whoever would. ValueError: unknown names, or no time at all."""
    _check(roster, site, person)
    if ends <= starts:
        raise ValueError(f"the end is not after the start: {ends}")
    return (_change(act, 1, ChangeKind.OVERRIDE, site, role, person, starts, ends),)


def swap(
    roster: Roster, site: str, role: str, first: datetime, second: datetime, act: Act
) -> tuple[RosterChange, ...]:
    """The holders of two shifts of a role change places. NoSuchShift where nobody serves then."""
    _check(roster, site)
    one, two = (_shift(roster, site, role, at) for at in (first, second))
    assert one.on_call.person is not None
    assert two.on_call.person is not None
    if one.on_call.person == two.on_call.person:
        raise NoSuchShift(f"both shifts are {one.on_call.person.id}'s: nothing to swap")
    return (
        _change(act, 1, ChangeKind.SWAP, site, role, two.on_call.person.id, one.starts, one.ends),
        _change(act, 2, ChangeKind.SWAP, site, role, one.on_call.person.id, two.starts, two.ends),
    )


def cover(
    roster: Roster, absent: str, person: str, starts: datetime, ends: datetime, act: Act
) -> tuple[RosterChange, ...]:
    """`person` takes every shift that `absent` has in that time. NoSuchShift when there is none."""
    for who in (absent, person):
        _check(roster, roster.default_site, who)
    if ends <= starts:
        raise ValueError(f"the end is not after the start: {ends}")
    found = list(_shifts_of(roster, absent, starts, ends))
    if not found:
        raise NoSuchShift(f"{absent} is on no shift in that time")
    return tuple(
        _change(act, number, ChangeKind.COVER, site, role, person, shift.starts, shift.ends)
        for number, (site, role, shift) in enumerate(found, start=1)
    )


def revocation(changes: Iterable[RosterChange], together: str, act: Act) -> RosterChange:
    """The end of an act that stands, by its id. ValueError when there is none such."""
    for each in standing(changes):
        if together in (each.together, each.id):
            ended = replace(each, kind=ChangeKind.REVOKED, id=f"{each.together}.revoked")
            return replace(ended, reason=act.reason, made_by=act.by, made_at=act.at)
    raise ValueError(f"no change stands under this id: {together}")


def _override(change: RosterChange) -> Override:
    return Override(
        site=change.site,
        role=change.role,
        person=change.person,
        starts=change.starts,
        ends=change.ends,
        reason=change.reason,
        change=change.together,
        kind=change.kind.value,
        made_at=change.made_at,
    )


def _is_known(change: RosterChange, roster: Roster) -> bool:
    return change.site in roster.sites and change.person in roster.people


def _check(roster: Roster, site: str, person: str | None = None) -> None:
    if site not in roster.sites:
        raise ValueError(f"unknown site: {site}; the roster knows {', '.join(roster.sites)}")
    if person is not None and person not in roster.people:
        raise ValueError(f"unknown person: {person}; the roster knows {', '.join(roster.people)}")


def _change(
    act: Act,
    number: int,
    kind: ChangeKind,
    site: str,
    role: str,
    person: str,
    starts: datetime,
    ends: datetime,
) -> RosterChange:
    return RosterChange(
        id=f"{act.id}.{number}",
        together=act.id,
        kind=kind,
        site=site,
        role=role,
        person=person,
        starts=starts,
        ends=ends,
        reason=act.reason,
        made_by=act.by,
        made_at=act.at,
    )


def _shift(roster: Roster, site: str, role: str, at: datetime) -> Shift:
    """The whole shift that runs at an instant."""
    found = whole_shift(roster, site, role, at)
    if found is None:
        raise NoSuchShift(f"{role} at {site} has no turns: name who covers, from when to when")
    if found.on_call.person is None:
        raise NoSuchShift(f"nobody serves as {role} at {site} at {at}")
    return found


def _shifts_of(
    roster: Roster, person: str, starts: datetime, ends: datetime
) -> Iterator[tuple[str, str, Shift]]:
    for site, role in roster.posts:
        for shift in shifts(roster, site, role, start=starts, end=ends):
            if shift.on_call.person is not None and shift.on_call.person.id == person:
                yield site, role, shift
