"""`triage roster`: check, show; changes at the desk are in `roster_changes.py`."""

import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import orjson
import typer

from triage.cli import context
from triage.cli.roster_calendars import COMMANDS as CALENDARS
from triage.cli.roster_changes import COMMANDS as CHANGES
from triage.cli.roster_import import COMMANDS as IMPORT
from triage.clock import SystemClock
from triage.desks import build_desk
from triage.domain.errors import TriageError
from triage.domain.roster.check import check_roster
from triage.policies.roles import paged_roles
from triage.rosters.sources import feed_states, put_together
from triage.rosters.testing import order_drills, unanswered
from triage.workflow.route_tests import drills_of

group = typer.Typer(help="On-call rosters: check them, show who is on call.", no_args_is_help=True)
RosterFile = Annotated[
    Path | None, typer.Argument(help="Roster file; TRIAGE_ROSTER_FILE if absent.")
]


for _name, _command in {**CHANGES, **CALENDARS, **IMPORT}.items():
    group.command(_name)(_command)


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.add_typer(group, name="roster")


@group.command("check")
def check(
    file: RosterFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Find gaps, single points and unproven routes in the next 14 days; exit status 1 when any.

    With its calendar feeds, the changes made at the desk and the proven routes, as far as the
    service has them.

    Example: triage roster check roster.toml
    Example: triage roster check --json
    """
    now = SystemClock().now()
    written, kept = context.roster(file), context.kept_roster(now)
    roster = put_together(written, kept, now)
    feeds = feed_states(written, kept, now)
    book = context.books().current
    roles = paged_roles(book)
    may_stop = book.authority.may.stop_emergent_ladder
    found = (
        *unanswered(roster, kept.tests, now),
        *check_roster(roster, now=now, roles=roles, may_stop=may_stop, feeds=feeds),
    )
    if as_json:
        document = {"roster": roster.version, "findings": [asdict(each) for each in found]}
        sys.stdout.write(orjson.dumps(document).decode() + "\n")
        raise typer.Exit(1 if found else 0)
    for finding in found:
        hint = f"  hint: {finding.hint}" if finding.hint else ""
        sys.stdout.write(f"{finding.level}: {finding.place}: {finding.what}{hint}\n")
    if not found:
        sys.stdout.write("nothing found\n")
    raise typer.Exit(1 if found else 0)


@group.command("show")
def show(
    file: RosterFile = None,
    days: Annotated[int, typer.Option(help="How many days ahead.")] = 7,
) -> None:
    """Show who is on call for each role, day by day at the site's opening hour.

    Example: triage roster show --days 14
    """
    start = SystemClock().now()
    roster = context.current_roster(start) if file is None else context.roster(file)
    for site in roster.sites:
        for role in paged_roles(context.books().current):
            for day in range(days):
                turn = roster.on_call(site, role, start + timedelta(days=day))
                who = turn.person.name if turn.person else "NOBODY"
                at = (start + timedelta(days=day)).date().isoformat()
                sys.stdout.write(f"{at}  {site}  {role:18} {who}  ({turn.chosen_by})\n")


@group.command("test")
def test(person: Annotated[str, typer.Argument(help="Whose routes: an id of the roster.")]) -> None:
    """Send a test page over each route of a person; confirmed by them, it proves the route.

    Example: triage roster test reg-a
    """
    now, settings, store = SystemClock().now(), context.settings(), context.store()
    desk = build_desk(settings, store, now)
    known = desk.roster.people.get(person)
    if known is None:
        hint = f"the roster knows {', '.join(desk.roster.people)}"
        raise TriageError(f"person: {person}", hint=hint)
    drills = drills_of(known, desk.roster)
    if not drills:
        raise TriageError(f"person: {person}", hint="has no route but the inbox of the desk")
    with store.begin() as tx:
        new = order_drills(tx, drills, desk, settings.secret_key or "", now)
    sys.stdout.write(f"ordered: {new} test pages, one a route and day\n")
