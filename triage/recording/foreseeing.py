"""Cases worked out before their next instant comes, so that at the instant only rows are written.

Fold and plan are functions of the log, the book, the roster and an instant, and the next instant of
a case is known. What is worked out for it is used only while all of these are still the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from triage.domain.events import CaseId, EventType
from triage.domain.paging import PageId
from triage.domain.roster.roster import Roster
from triage.recording.holding import Held
from triage.recording.ledger import Desk, Folded
from triage.recording.writing import Entry, entry_of
from triage.store.records import Standing, StoredCase
from triage.store.transaction import Transaction
from triage.workflow.plan import plan


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the case comes to at `due_at`, if it stands then as it did and the roster is the same.

    The book needs no such condition: a case is pinned to its own.
    """

    entry: Entry
    due_at: datetime
    standing: Standing
    roster: Roster


def foresee(tx: Transaction, cases: Sequence[CaseId], desk: Desk) -> dict[CaseId, Foreseen]:
    """Each case at its own next instant. Cases that are joined, or that a timer will raise, are
    left out: they are worked out when the instant has come. Locks nothing."""
    stored = tx.load_cases(cases)
    there = tx.pages_there(cases)
    found = ((case, _foreseen(each, desk, there[case])) for case, each in stored.items())
    return {case: each for case, each in found if each is not None}


def _foreseen(stored: StoredCase, desk: Desk, there: Mapping[PageId, bool]) -> Foreseen | None:
    """`there`: the pages of the case, and whether each is unsent. While the case stands as it does
    no other comes, and none that was sent is to be sent again."""
    row = stored.row
    held = Held(row.case_id, stored, desk.courses)
    joined = any(event.type is EventType.CASES_JOINED for event in held.log)
    if row.next_due_at is None or row.lead_case_id is not None or joined:
        return None
    book, roster = desk.books.pinned(row.policy), desk.roster
    case = held.case(book, row.next_due_at, roster)
    planned = plan(case, book, roster, row.next_due_at)
    if planned.raises:
        return None
    held.let_go()
    owed = {order.page for order in planned.orders}
    withdraws = any(is_unsent and page not in owed for page, is_unsent in there.items())
    entry = entry_of(Folded(held, case, planned), owed - there.keys(), withdraws=withdraws)
    return Foreseen(entry, row.next_due_at, standing_of(stored), roster)


def standing_of(stored: StoredCase) -> Standing:
    """How the case stands in the store: it has changed when this has."""
    row = stored.row
    return Standing(row.version, row.head, row.next_due_at, row.folded_at)


def still_true(
    foreseen: Mapping[CaseId, Foreseen],
    claimed: Mapping[CaseId, Standing],
    desk: Desk,
    now: datetime,
) -> dict[CaseId, Entry]:
    """The entries of those `claimed` cases that came as they were foreseen."""
    hoped = ((case, foreseen[case]) for case in claimed if case in foreseen)
    return {
        case: each.entry
        for case, each in hoped
        if each.standing == claimed[case] and _applies(each, desk, now)
    }


def _applies(each: Foreseen, desk: Desk, now: datetime) -> bool:
    """Its instant has come, and the one after it has not."""
    following = each.entry.folded.plan.next_due_at
    return (
        each.roster is desk.roster and each.due_at <= now and (following is None or following > now)
    )
