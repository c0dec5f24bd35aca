"""Cases that lost a part of their rows: given back to the fold that wrote them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import orjson

from triage.domain.events import CaseId, Event, EventType, read_event
from triage.recording.ledger import Desk, Ledger
from triage.recording.writing import Incoming, write_cases, write_journal
from triage.store.records import CaseRow, StoredCase
from triage.store.transaction import Transaction
from triage.workflow.joining import named_cases


def restore_case(
    tx: Transaction,
    case: CaseId,
    events: Sequence[Event],
    desk: Desk,
    *,
    now: datetime,
    policy: str | None = None,
) -> int:
    """Fold a case again whose row is gone, or whose log has lost `events` that the journal has.

    They go to the end of the log; what is there already is left as it is. `policy` names the book
    of a case whose row is gone, None = the current one. Returns how many pages were ordered.
    """
    tx.lock_cases([case])
    if not tx.load_cases([case]):
        tx.save_cases([_bare(case, policy or desk.books.current.version, now)])
        tx.save_cases([_joined(stored) for stored in tx.load_cases([case]).values()])
    ledger = Ledger(tx, desk, now)
    ledger.load([case])
    ledger.put_back(events)
    ledger.touch([case])
    return write_cases(ledger, ledger.fold_all())


def journal_again(tx: Transaction, incoming: Incoming, desk: Desk, *, now: datetime) -> None:
    """Put the bytes of an event back into the journal; its log has it already.

    What the event did is told by a fold of the log. IntegrityError when the journal has it.
    """
    ledger = Ledger(tx, desk, now)
    ledger.load({incoming.event.case})
    ledger.touch({incoming.event.case})
    ledger.fold_all()
    write_journal(ledger, [incoming])


def _bare(case: CaseId, policy: str, now: datetime) -> CaseRow:
    """A row that holds nothing yet: the fold in the same transaction fills it."""
    return CaseRow(
        case_id=case,
        referral="",
        hospital="",
        state="unopened",
        tier=None,
        owner=None,
        destination=None,
        lead_case_id=None,
        version=0,
        head="",
        next_due_at=now,
        is_emergent=False,
        document="{}",
        policy=policy,
        opened_at=None,
        closed_at=None,
        referral_received_at=None,
        acknowledged_at=None,
        decided_at=None,
        decompressed_at=None,
        folded_at=now,
        leg=None,
        unacknowledged_since=None,
        deadlines="[]",
    )


def _joined(stored: StoredCase) -> CaseRow:
    """The bare row with the cases that its log names, so that they are folded together."""
    events = [read_event(orjson.loads(document)) for document in stored.log]
    named = {
        case
        for event in events
        if event.type is EventType.CASES_JOINED
        for case in named_cases(event)
    }
    case = stored.row.case_id
    row = replace(stored.row, version=stored.last_seq)
    if not named - {case}:
        return row
    joined = orjson.dumps({"joined": sorted(named - {case})}).decode()
    return replace(row, lead_case_id=case, document=joined)
