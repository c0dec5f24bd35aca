"""`triage roster export|link`: shifts as calendars."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from triage.cli import context
from triage.clock import SystemClock
from triage.domain.errors import TriageError
from triage.domain.roster.roster import Roster
from triage.rosters.ical_out import calendar_of, calendar_path, exported


def export(
    person: Annotated[str | None, typer.Option(help="Only this person's shifts.")] = None,
    to: Annotated[Path, typer.Option(help="Folder for a file of each post.")] = Path(),
    ical: Annotated[bool, typer.Option("--ical", help="As iCalendar; the only form.")] = True,
) -> None:
    """Write the shifts of the next 90 days as calendars: one file a post, or one person to stdout.

    Example: triage roster export --ical --to calendars
    Example: triage roster export --ical --person reg-a
    """
    del ical
    now = SystemClock().now()
    roster = context.current_roster(now)
    if person is not None:
        _known(roster, person)
        sys.stdout.buffer.write(calendar_of(roster, now=now, person=person))
        return
    to.mkdir(parents=True, exist_ok=True)
    for name, content in exported(roster, now):
        (to / name).write_bytes(content)
        sys.stdout.write(f"{to / name}\n")


def link(
    name: Annotated[str, typer.Argument(help="A person's id, or <site>.<role>.")],
) -> None:
    """Print an address at which a person's or a post's shifts can be subscribed to.

    Example: triage roster link reg-a
    """
    settings = context.settings()
    roster = context.current_roster(SystemClock().now())
    site, _, role = name.rpartition(".")
    if (site, role) not in roster.posts:
        _known(roster, name)
    if settings.secret_key is None:
        raise TriageError("TRIAGE_SECRET_KEY: not set", hint="the link is signed with it")
    sys.stdout.write(f"{settings.public_url}{calendar_path(settings.secret_key, name)}\n")


def _known(roster: Roster, person: str) -> None:
    if person not in roster.people:
        hint = f"the roster knows {', '.join(roster.people)}"
        raise TriageError(f"person: {person}", hint=hint)


COMMANDS: dict[str, Callable[..., None]] = {"export": export, "link": link}
