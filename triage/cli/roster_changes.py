"""`triage roster override|swap|cover|revoke|list`: changes at the desk, by whom and why."""

import secrets
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

import orjson
import typer

from triage.cli import context
from triage.cli.acting import person_of
from triage.clock import SystemClock
from triage.domain.errors import TriageError
from triage.domain.roster.changes import Act, RosterChange, revocation
from triage.domain.roster.roster import Roster
from triage.domain.wall_time import wall_clock
from triage.rosters.changing import (
    NoChange,
    change_document,
    changes_of,
    shown,
    weaknesses,
)

By = Annotated[str, typer.Option("--by", help="Who makes the change: a person of the roster.")]
Reason = Annotated[str, typer.Option(help="Why; stays with the change, never on a page.")]
Site = Annotated[str | None, typer.Option(help="The site; the default one if absent.")]
From = Annotated[str, typer.Option("--from", help="Local to the site: 2026-03-12T08:00.")]
To = Annotated[str, typer.Option("--to", help="The first moment after it.")]


def override(
    role: Annotated[str, typer.Argument(help="The role, e.g. registrar.")],
    person: Annotated[str, typer.Argument(help="Who serves: an id of the roster.")],
    starts: From,
    ends: To,
    by: By,
    reason: Reason,
    site: Site = None,
) -> None:
    """Have somebody serve in a role, whoever would.

    Example: triage roster override registrar reg-b --from 2026-03-12T08:00 --to 2026-03-13T08:00
    --by con-a --reason illness
    """
    _change(
        {"kind": "override", "site": site, "role": role, "person": person}
        | {"from": starts, "to": ends},
        by,
        reason,
    )


def swap(
    role: Annotated[str, typer.Argument(help="The role, e.g. registrar.")],
    first: Annotated[str, typer.Argument(help="A local time within the one shift.")],
    second: Annotated[str, typer.Argument(help="A local time within the other shift.")],
    by: By,
    reason: Reason,
    site: Site = None,
) -> None:
    """Exchange the holders of two shifts of a role.

    Example: triage roster swap registrar 2026-03-12T12:00 2026-03-19T12:00 --by reg-a --reason exam
    """
    _change(
        {"kind": "swap", "site": site, "role": role, "first": first, "second": second}, by, reason
    )


def cover(
    absent: Annotated[str, typer.Argument(help="Who is away: an id of the roster.")],
    person: Annotated[str, typer.Argument(help="Who takes all of their shifts in that time.")],
    starts: From,
    ends: To,
    by: By,
    reason: Reason,
    site: Site = None,
) -> None:
    """Have somebody take every shift that another has in a stretch of time, in every role.

    Example: triage roster cover reg-a reg-b --from 2026-03-12T08:00 --to 2026-03-20T08:00
    --by reg-a --reason leave
    """
    _change(
        {"kind": "cover", "site": site, "absent": absent, "person": person}
        | {"from": starts, "to": ends},
        by,
        reason,
    )


def revoke(
    change: Annotated[str, typer.Argument(help="The change's id, as `triage roster list` shows.")],
    by: By,
    reason: Reason,
) -> None:
    """End a change; what it replaced holds again.

    Example: triage roster revoke 3f9c21ab --by con-a --reason mistake
    """
    now = SystemClock().now()
    roster = context.current_roster(now)
    act = _act(roster, by, reason, now)
    with context.store().begin() as tx:
        try:
            ended = revocation(tx.roster_changes(), change, act)
        except ValueError as error:
            raise TriageError(
                str(error), hint="`triage roster list` shows those that stand"
            ) from None
        tx.add_roster_changes([ended])
    sys.stdout.write(f"revoked: {ended.together}\n")


def listed(
    is_all: Annotated[bool, typer.Option("--all", help="Also those over or revoked.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show the changes made at the desk: who serves when instead, by whom and why.

    Example: triage roster list --all
    """
    now = SystemClock().now()
    roster = context.current_roster(now)
    with context.store().read() as reader:
        found = shown(reader.roster_changes(), now, is_all=is_all)
    if as_json:
        document = {"changes": [change_document(each) for each in found]}
        sys.stdout.write(orjson.dumps(document).decode() + "\n")
        return
    for each in found:
        sys.stdout.write(_line(each, roster) + "\n")
    if not found:
        sys.stdout.write("no changes\n")


def _change(asked: Mapping[str, Any], by: str, reason: str) -> None:
    now = SystemClock().now()
    roster, store, book = context.current_roster(now), context.store(), context.books().current
    act = _act(roster, by, reason, now)
    try:
        changes = changes_of(asked, roster, act)
    except NoChange as error:
        raise TriageError(str(error), hint="`triage roster show` says who serves when") from None
    with store.begin() as tx:
        tx.add_roster_changes(changes)
    for each in changes:
        sys.stdout.write(_line(each, roster) + "\n")
    for finding in weaknesses(roster, changes, book, now):
        sys.stdout.write(f"{finding.level}: {finding.place}: {finding.what}\n")


def _act(roster: Roster, by: str, reason: str, now: datetime) -> Act:
    if not reason.strip():
        raise TriageError("reason: empty", hint="say in a word why, e.g. --reason leave")
    actor = person_of(roster, by)
    return Act(id=secrets.token_hex(4), by=actor.person or by, reason=reason.strip(), at=now)


def _line(change: RosterChange, roster: Roster) -> str:
    site = roster.sites.get(change.site)
    zone = site.zone if site else None
    starts, ends = (
        f"{wall_clock(at, zone):%Y-%m-%d %H:%M}" if zone else at.isoformat()
        for at in (change.starts, change.ends)
    )
    post = f"{change.role} at {change.site}"
    return (
        f"{change.together}  {change.kind}  {post}  {change.person}  {starts} to {ends}"
        f"  by {change.made_by}: {change.reason}"
    )


COMMANDS: dict[str, Callable[..., None]] = {
    "override": override,
    "swap": swap,
    "cover": cover,
    "revoke": revoke,
    "list": listed,
}
