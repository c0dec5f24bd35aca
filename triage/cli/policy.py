"""`triage classify`, `triage policy check|show`: these need no database."""

import os
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from triage.books import Books, load_books
from triage.clock import SystemClock
from triage.domain.errors import TriageError
from triage.intake.classify_line import classify_stream
from triage.policies.print_book import printed
from triage.policies.verify import check
from triage.settings import read_settings

policy = typer.Typer(help="The policy book: check it, show it.", no_args_is_help=True)
PolicyDir = Annotated[
    Path | None, typer.Option("--policy", help="Folder with a policy book's TOML files.")
]


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.command("classify")(classify)
    app.add_typer(policy, name="policy")


def _books(folder: Path | None) -> Books:
    """The books of a folder, or of the settings."""
    return load_books(folder or read_settings(os.environ, dotenv=Path(".env")).policy_dir)


def classify(
    file: Annotated[
        Path | None, typer.Argument(help="JSON lines; standard input if absent.")
    ] = None,
    policy_dir: PolicyDir = None,
) -> None:
    """Classify referrals, one JSON object a line, in order.

    Example: triage classify tests/scenarios/vignettes.jsonl
    """
    book = _books(policy_dir).current
    write = sys.stdout.buffer.write
    if file is None:
        status = classify_stream(sys.stdin.buffer, write, book)
    else:
        try:
            with file.open("rb") as lines:
                status = classify_stream(lines, write, book)
        except OSError as error:
            raise TriageError(f"{file}: {error.strerror}", hint="name a readable file") from None
    sys.stdout.buffer.flush()
    raise typer.Exit(status)


@policy.command("check")
def check_policy(
    policy_dir: PolicyDir = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Prove the book: total, no dead rule, monotone, every source there, nothing past review.

    Example: triage policy check --policy ./policy
    """
    report = check(_books(policy_dir).current, today=SystemClock().now().date())
    if json:
        sys.stdout.buffer.write(orjson.dumps(report, default=str) + b"\n")
    else:
        lines = [f"checked: {line}" for line in report.counted]
        lines += [f"warning: {line}" for line in report.warnings]
        lines += [f"problem: {line}" for line in report.problems] or ["no problems"]
        sys.stdout.write("\n".join(lines) + "\n")
    raise typer.Exit(1 if report.problems else 0)


@policy.command("show")
def show_policy(policy_dir: PolicyDir = None) -> None:
    """Print every rule with its conditions, kind and sources.

    Example: triage policy show | less
    """
    sys.stdout.write(printed(_books(policy_dir).current))
