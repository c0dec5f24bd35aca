"""`triage case list|show`, `triage submit`."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from triage.cli import context, submitting
from triage.cli.answering import find_case
from triage.domain.errors import TriageError

case = typer.Typer(help="Cases: list them, show one.", no_args_is_help=True)
TOKEN_KEY = "TRIAGE_TOKEN"  # noqa: S105 - the name of a key, no secret


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.add_typer(case, name="case")
    app.command("submit")(submit)


@case.command("list")
def list_cases(
    state: Annotated[str | None, typer.Option(help="provisional, open, closed ...")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List cases, most urgent first.

    Example: triage case list --state open
    """
    with context.store().read() as reader:
        rows = reader.cases(state)
    for row in rows:
        if json:
            sys.stdout.write(row.document + "\n")
            continue
        due = f"{row.next_due_at:%Y-%m-%d %H:%M}" if row.next_due_at else "nothing due"
        owner = row.owner or "NOBODY"
        sys.stdout.write(
            f"{row.case_id}  {row.tier or '':14} {row.state:18} owner {owner:16} next {due}\n"
        )


@case.command("show")
def show(name: Annotated[str, typer.Argument(help="Case id, e.g. BF2T-5B1F-ZGDY.")]) -> None:
    """Show a case as it goes out on the API: tier, reasons, obligations, milestones.

    Example: triage case show BF2T-5B1F-ZGDY
    """
    document = orjson.loads(find_case(name).document)
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")


def submit(
    files: Annotated[list[Path], typer.Argument(help="Files with one event a line, or one array.")],
    kafka: Annotated[bool, typer.Option("--kafka", help="To the broker of the settings.")] = False,
    url: Annotated[str | None, typer.Option(help="To the service at this base address.")] = None,
) -> None:
    """Send events as a hospital would. Over HTTP the token is read from TRIAGE_TOKEN.

    Example: TRIAGE_TOKEN=tri_... triage submit events.jsonl --url http://127.0.0.1:8000
    """
    if kafka == (url is not None):
        raise TriageError("submit: neither or both of --kafka and --url", hint="give one of them")
    events = [event for file in files for event in submitting.read_events(file)]
    failed = False
    for answer in _answers(events, url):
        failed |= "error" in answer
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    raise typer.Exit(1 if failed else 0)


def _answers(events: list[dict[str, Any]], url: str | None) -> Iterable[dict[str, Any]]:
    if url is not None:
        return submitting.over_http(events, url, os.environ.get(TOKEN_KEY, ""))
    return submitting.over_kafka(events, context.settings())
