"""`triage explain`."""

import sys
from typing import Annotated

import orjson
import typer

from triage.cli import context
from triage.cli.answering import find_case
from triage.clock import SystemClock
from triage.desks import build_desk
from triage.domain.errors import TriageError
from triage.domain.paging import PageId, read_page_id
from triage.page_reasons import page_reasons
from triage.policies.explain_case import explain_case
from triage.workflow.explain_page import why_text


def add_to(app: typer.Typer) -> None:
    """Put this command into the program."""
    app.command("explain")(explain)


def explain(
    asked: Annotated[
        str, typer.Argument(metavar="CASE|PAGE", help="Case id, or a page's id as the page shows.")
    ],
) -> None:
    """Say why a case has its tier, or why a page went to that person: rules, sources, policy.

    Example: triage explain BF2T-5B1F-ZGDY
    Example: triage explain BF2T-5B1F-ZGDY.acknowledgement.507d6c1d.1.0.dae8a69b
    """
    sys.stdout.write(_page(asked) if read_page_id(asked) else _case(asked))


def _case(case: str) -> str:
    store = context.store()
    books = context.books()
    books.store = store
    document = orjson.loads(find_case(case).document)
    return explain_case(document, books.pinned(document["policy"]))


def _page(page: str) -> str:
    store = context.store()
    desk = build_desk(context.settings(), store, SystemClock().now())
    with store.read() as reader:
        row = reader.page(PageId(page.strip()))
        if row is None:
            raise TriageError(f"page: {page}", hint="copy the id that the page shows")
        return why_text(row.order.page, page_reasons(reader, desk, row))
