"""`triage doctor`."""

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer

from triage.clock import SystemClock
from triage.doctor.examine import examine
from triage.doctor.finding import LEVELS, Check


def add_to(app: typer.Typer) -> None:
    """Put this command into the program."""
    app.command("doctor")(doctor)


def doctor(
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What in this installation would keep a page from arriving. Looks, and changes nothing.

    Exit status 1 when something is wrong; a warning alone gives 0.

    Example: triage doctor
    """
    found = list(examine(os.environ, SystemClock(), dotenv=Path(".env")))
    counts: dict[str, int] = {
        level: sum(check.level == level for check in found) for level in LEVELS
    }
    if json:
        document = {**counts, "checks": [asdict(check) for check in found]}
        sys.stdout.write(orjson.dumps(document).decode() + "\n")
    else:
        _print(found)
        sys.stdout.write("  ".join(f"{counts[level]} {level}" for level in LEVELS) + "\n")
    raise typer.Exit(1 if counts["wrong"] else 0)


def _print(found: Sequence[Check]) -> None:
    """What is wrong comes last, where the eye is."""
    width = max(len(check.name) for check in found)
    for level in reversed(LEVELS):
        for check in found:
            if check.level == level:
                sys.stdout.write(f"{level:7}  {check.name:{width}}  {check.what}\n")
                if check.hint:
                    sys.stdout.write(f"{'':7}  {'':{width}}  hint: {check.hint}\n")
