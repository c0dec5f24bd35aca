"""`triage roster import`: another roster file, a table of shifts or a calendar into the file."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from triage.cli import context
from triage.clock import SystemClock
from triage.domain.errors import TriageError, UnsoundRoster
from triage.policies.roles import paged_roles
from triage.rosters.ical_in import UnsoundFeed
from triage.rosters.importing import Proposal, RefusedImport, propose, put_in_force

_KINDS = {".toml": "toml", ".csv": "csv", ".ics": "ics"}


def import_file(
    file: Annotated[Path, typer.Argument(help="A .toml, .csv or .ics file.")],
    post: Annotated[str, typer.Option(help="Of an .ics: <site>.<role> that it is for.")] = "",
    new_zone: Annotated[bool, typer.Option("--new-zone", help="A site's zone may change.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference only.")] = False,
) -> None:
    """Make FILE (or the shifts in it) the roster, after checks; shows what changes, keeps the old.

    Refused with exit status 1, the old roster staying in force: unsound, empty, of another year or
    zone, or with a gap in the next 14 days that was not there.

    Example: triage roster import shifts.csv --dry-run
    Example: triage roster import registrars.ics --post centre:NEURO.registrar
    """
    target = context.settings().roster_file
    if target is None:
        raise TriageError("TRIAGE_ROSTER_FILE: not set", hint="name the file to import into")
    try:
        made = _proposal(file, target, post, new_zone=new_zone)
    except (RefusedImport, UnsoundRoster, UnsoundFeed) as error:
        sys.stderr.write(f"{error.what}\nhint: {error.hint}\nthe roster in force stays\n")
        raise typer.Exit(1) from None
    sys.stdout.write("".join(f"{line}\n" for line in made.diff) or "no difference\n")
    if made.diff and not dry_run:
        put_in_force(target, made.text)
        sys.stdout.write(f"in force: {target}, version {made.roster.version}\n")


def _proposal(file: Path, target: Path, post: str, *, new_zone: bool) -> Proposal:
    kind = _KINDS.get(file.suffix.casefold())
    if kind is None:
        raise TriageError(f"file: {file}", hint=f"it must end in {', '.join(_KINDS)}")
    try:
        content, old = file.read_bytes(), target.read_text(encoding="utf-8")
    except OSError as error:
        what = f"{error.filename}: {error.strerror}"
        raise TriageError(what, hint="name a readable file") from None
    roles = paged_roles(context.books().current)
    now = SystemClock().now()
    return propose(content, kind, old, roles, now=now, post=post, new_zone=new_zone)


COMMANDS: dict[str, Callable[..., None]] = {"import": import_file}
