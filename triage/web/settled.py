"""Whether a page still waits for an answer: the inbox, links, messages and calls all ask this."""

from typing import Any

import orjson

from triage.domain.case import CaseState
from triage.domain.instants import parse_instant
from triage.domain.paging import ACKNOWLEDGEMENT, PageOrder
from triage.domain.roster.roster import NAMED_IN_HAND_OVER
from triage.store.records import CaseRow, PageRow
from triage.web.words import role_words
from triage.workflow.owing import HAND_OVER_RUNG, SHIFT_END_RUNG


def settled_words(page: PageRow, case: CaseRow | None) -> str:
    """Why nobody needs to answer the page any more; empty while somebody does."""
    order = page.order
    if order.case is not None and case is not None and case.state == CaseState.CLOSED:
        return "case closed"
    is_ladder = order.obligation == ACKNOWLEDGEMENT
    if is_ladder and case is not None and case.unacknowledged_since is None and case.owner:
        owner = orjson.loads(case.document).get("owner") or {}
        is_asked = _asks_to_take_over(order, owner) or _asks_at_the_end(order, owner)
        return "" if is_asked else f"acknowledged by a {role_words(case.owner)}"
    return page.withdrawn or ""


def _asks_to_take_over(order: PageOrder, owner: dict[str, Any]) -> bool:
    """An owned case was offered to this page's person, or to somebody for whom they stand in."""
    asked = owner.get("asked")
    if order.rung != HAND_OVER_RUNG or not asked:
        return False
    is_stand_in = not order.chosen_by.startswith(NAMED_IN_HAND_OVER)
    is_role = order.role == (asked.get("role") or "registrar")
    return is_role and (is_stand_in or order.person == asked.get("person"))


def _asks_at_the_end(order: PageOrder, owner: dict[str, Any]) -> bool:
    """The owner leaves, and nobody has taken the case from them since this was owed."""
    since, owed_at = parse_instant(owner.get("since") or ""), order.owed_at
    is_leaving = bool(owner.get("shift_ends_at")) and not owner.get("asked")
    is_end = order.rung == SHIFT_END_RUNG
    return is_end and is_leaving and since is not None and since <= owed_at
