"""A change of the roster as people ask for it, from the terminal and over HTTP."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from triage.domain.instants import format_instant
from triage.domain.roster.changes import (
    Act,
    ChangeKind,
    RosterChange,
    cover,
    override,
    standing,
    swap,
    with_changes,
)
from triage.domain.roster.check import check_roster
from triage.domain.roster.check_sites import Finding
from triage.domain.roster.roster import Roster
from triage.domain.roster_file.values import read_role, read_text, read_wall
from triage.policies.book import PolicyBook
from triage.policies.roles import paged_roles

Asked = Mapping[str, Any]
_FIELDS = {
    ChangeKind.OVERRIDE: ("role", "person", "from", "to"),
    ChangeKind.SWAP: ("role", "first", "second"),
    ChangeKind.COVER: ("absent", "person", "from", "to"),
}


class NoChange(ValueError):
    """What was asked for cannot be done; the message says which field, and what was allowed."""


def changes_of(asked: Asked, roster: Roster, act: Act) -> tuple[RosterChange, ...]:
    """The changes that a request stands for. Raises NoChange.

    `kind` is override (`role`, `person`, `from`, `to`), swap (`role`, and an instant in each of the
    two shifts: `first`, `second`) or cover (`absent`, `person`, `from`, `to`). `site` may be left
    out where it is the default one; times are local to it.
    """
    kind = _kind(asked)
    site = asked.get("site") or roster.default_site
    if site not in roster.sites:
        raise NoChange(f"site: {site}; allowed: {', '.join(roster.sites)}")
    zone = roster.sites[site].zone
    given = {name: _field(asked, name, zone) for name in _FIELDS[kind]}
    try:
        if kind is ChangeKind.SWAP:
            return swap(roster, site, given["role"], given["first"], given["second"], act)
        starts, ends = given["from"], given["to"]
        if kind is ChangeKind.COVER:
            return cover(roster, given["absent"], given["person"], starts, ends, act)
        return override(roster, site, given["role"], given["person"], starts, ends, act)
    except ValueError as error:
        raise NoChange(str(error)) from None


def weaknesses(
    before: Roster, changes: Sequence[RosterChange], book: PolicyBook, now: datetime
) -> tuple[Finding, ...]:
    """What the roster check finds after these changes and did not find before them."""

    def found(roster: Roster) -> tuple[Finding, ...]:
        may_stop = book.authority.may.stop_emergent_ladder
        return check_roster(roster, now=now, roles=paged_roles(book), may_stop=may_stop)

    known = set(found(before))
    return tuple(each for each in found(with_changes(before, changes)) if each not in known)


def change_document(change: RosterChange) -> dict[str, Any]:
    """A change as JSON."""
    return {
        "id": change.together,
        "kind": change.kind.value,
        "site": change.site,
        "role": change.role,
        "person": change.person,
        "from": format_instant(change.starts),
        "to": format_instant(change.ends),
        "reason": change.reason,
        "by": change.made_by,
        "made_at": format_instant(change.made_at),
    }


def shown(changes: Sequence[RosterChange], now: datetime, *, is_all: bool) -> list[RosterChange]:
    """The changes that stand and are not over; all, also revocations, where that is asked for."""
    if is_all:
        return list(changes)
    return [each for each in standing(changes) if each.ends > now]


def _kind(asked: Asked) -> ChangeKind:
    try:
        kind = ChangeKind(asked.get("kind", ""))
    except ValueError:
        kind = ChangeKind.REVOKED
    if kind not in _FIELDS:
        raise NoChange(f"kind: {asked.get('kind')!r}; allowed: {', '.join(_FIELDS)}")
    return kind


def _field(asked: Asked, name: str, zone: ZoneInfo) -> Any:
    if asked.get(name) in (None, ""):
        raise NoChange(f"{name}: missing")
    value = asked[name]
    try:
        if name == "role":
            return read_role(value)
        return read_text(value) if name in ("person", "absent") else read_wall(value, zone)
    except ValueError as error:
        raise NoChange(f"{name}: {error}") from None
