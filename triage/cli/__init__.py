"""The command line. Exit status 0, 1 (found something wrong) or 2 (could not run).

Only the module of the command that is asked for is imported: `triage classify` must not wait for
Kafka's and the database's libraries.
"""

import sys
from importlib import import_module
from typing import Any

import typer

from triage.domain.errors import TriageError

# The first word after `triage`, and the module of this package that has it.
COMMANDS = {
    "run": "serving",
    "migrate": "serving",
    "demo": "proof",
    "bench": "proof",
    "simulate": "simulating",
    "submit": "cases",
    "case": "cases",
    "ack": "answering",
    "record": "answering",
    "explain": "explaining",
    "classify": "policy",
    "policy": "policy",
    "roster": "roster",
    "token": "tokens",
    "topics": "kafka",
    "quarantine": "quarantine",
    "audit": "auditing",
    "doctor": "doctor",
}


def program(command: str | None = None) -> typer.Typer:
    """The program with one command, or with all (for `--help`, and for what is misspelt)."""
    app = typer.Typer(
        name="triage",
        help="Urgent-referral triage for metastatic spinal cord compression.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_nothing_first)
    wanted = [COMMANDS[command]] if command in COMMANDS else dict.fromkeys(COMMANDS.values())
    for name in wanted:
        import_module(f"triage.cli.{name}").add_to(app)
    return app


def _nothing_first() -> None:
    """Urgent-referral triage for metastatic spinal cord compression."""


def run() -> None:
    """Run a command; what stops it is told as *what: value*, then a hint."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    try:
        program(asked)()
    except TriageError as error:
        sys.stderr.write(f"{error.what}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
        sys.exit(2)


def __getattr__(name: str) -> Any:
    """`app`: the whole program, for those that look at all of it."""
    if name == "app":
        return program()
    raise AttributeError(name)
