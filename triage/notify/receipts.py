"""The receipt of an attempt as an event of contract section 1, for the case log."""

from typing import Any

from triage.domain.case_id import read_case_id
from triage.domain.events import EventType
from triage.domain.instants import format_instant
from triage.domain.paging import Attempt, read_page_id

SOURCE = "triage:relay"


def receipt_message(attempt: Attempt) -> dict[str, Any] | None:
    """`page.receipt.v1` as a native event that names our case id.

    The same attempt gives the same event. None where there is no receipt: a suppressed page, and a
    page of unread quarantine, which has no case.
    """
    key = read_page_id(attempt.page)
    case = read_case_id(key.case) if key else None
    if attempt.outcome == "suppressed" or case is None:
        return None
    return {
        "specversion": "1.0",
        "id": f"{attempt.page}.{attempt.route}.{attempt.attempt}",
        "source": SOURCE,
        "subject": attempt.page,
        "type": EventType.PAGE_RECEIPT.value,
        "time": format_instant(attempt.at),
        "data": {
            "case": case,
            "page": attempt.page,
            "route": attempt.route,
            "status": attempt.outcome,
            "provider_word": attempt.provider_word,
        },
    }
