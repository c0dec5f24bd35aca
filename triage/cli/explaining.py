"""`triage explain`."""

import sys
from typing import Annotated

import orjson
import typer

from triage.cli import context
from triage.cli.answering import find_case
from triage.policies.explain_case import explain_case


def add_to(app: typer.Typer) -> None:
    """Put this command into the program."""
    app.command("explain")(explain)


def explain(case: Annotated[str, typer.Argument(help="Case id, e.g. BF2T-5B1F-ZGDY.")]) -> None:
    """Say why a case has its tier: rules, sources, what was assumed, which policy.

    Example: triage explain BF2T-5B1F-ZGDY
    """
    store = context.store()
    books = context.books()
    books.store = store
    document = orjson.loads(find_case(case).document)
    sys.stdout.write(explain_case(document, books.pinned(document["policy"])))
