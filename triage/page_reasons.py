"""Why somebody was paged, put together from the store: for the terminal and for a page's screen."""

import orjson

from triage.domain.events import read_event
from triage.domain.instants import format_instant
from triage.domain.paging import PageId
from triage.recording.ledger import Desk
from triage.store.reader import Reader
from triage.store.records import AttemptRow, PageRow
from triage.workflow.explain_page import Why, why_page


def page_reasons(reader: Reader, desk: Desk, page: PageRow) -> Why:
    """The answer to "why me" for a page that exists."""
    order = page.order
    log = reader.log(order.case) if order.case is not None else []
    why = why_page(
        order,
        [read_event(orjson.loads(line.document)) for line in log],
        desk.books.pinned(order.policy),
        desk.roster,
        ordered_at=page.ordered_at,
        changes=reader.roster_changes(),
    )
    return Why(
        who=why.who,
        step=why.step,
        evidence=why.evidence,
        sent=tuple(_sent(each) for each in reader.attempts([PageId(order.page)])),
    )


def _sent(attempt: AttemptRow) -> str:
    word = f" ({attempt.provider_word})" if attempt.provider_word else ""
    return f"{format_instant(attempt.at)} {attempt.route}: {attempt.outcome}{word}"
