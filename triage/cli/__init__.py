"""The command line. Exit status 0, 1 (found something wrong) or 2 (could not run)."""

import sys

import typer

from triage.cli import answering, cases, kafka, policy, proof, quarantine, roster, serving, tokens
from triage.domain.errors import TriageError

app = typer.Typer(
    name="triage",
    help="Urgent-referral triage for metastatic spinal cord compression.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def run() -> None:
    """Run a command; what stops it is told as *what: value*, then a hint."""
    try:
        app()
    except TriageError as error:
        sys.stderr.write(f"{error.what}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
        sys.exit(2)


serving.add_to(app)
proof.add_to(app)
cases.add_to(app)
answering.add_to(app)
policy.add_to(app)
app.add_typer(roster.app, name="roster")
app.add_typer(tokens.app, name="token")
app.add_typer(kafka.app, name="topics")
app.add_typer(quarantine.app, name="quarantine")
