"""Cases folded anew from their logs, and compared with what is stored about them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, cast

import orjson

from triage.domain.audit import Finding, Kind
from triage.domain.events import CaseId
from triage.escalation.audit_reading import Evidence
from triage.handle import Desk
from triage.recording.ledger import Folded, Ledger
from triage.recording.writing import case_row
from triage.store.records import CaseRow, StoredCase
from triage.store.transaction import Transaction

Gather = Callable[[Collection[CaseId]], dict[CaseId, Evidence]]
_RECEIPT = '"type":"page.receipt.v1"'
# Not functions of the log: how often the row was written, and the whole text, told by its fields.
_UNFOLDED = ("version", "document")


class _Rows:
    """What a ledger asks of its transaction, answered from what the auditor read itself."""

    def __init__(self, gathered: dict[CaseId, Evidence], gather: Gather) -> None:
        self.gathered, self._gather = gathered, gather

    def lock_cases(self, cases: Collection[CaseId]) -> None:
        """Nothing: a snapshot does not change."""

    def load_cases(
        self, cases: Collection[CaseId], _since: Mapping[CaseId, int] = MappingProxyType({})
    ) -> dict[CaseId, StoredCase]:
        """The cases that have a row, each with the whole log that its row was folded from."""
        if missing := [case for case in cases if case not in self.gathered]:
            self.gathered |= self._gather(missing)
        found = (self.gathered[case] for case in cases)
        return {each.case: _stored(each, each.row) for each in found if each.row is not None}


def _stored(evidence: Evidence, row: CaseRow) -> StoredCase:
    """Receipts that came after the fold changed nothing of it: they are left out."""
    links = evidence.links
    log = tuple(
        link.document
        for link in links
        if link.received_at <= row.folded_at or _RECEIPT not in link.document
    )
    last = links[-1] if links else None
    return StoredCase(row, log, last.seq if last else 0, last.hash if last else "")


def refold(evidence: Evidence, desk: Desk, gather: Gather) -> Iterator[Finding]:
    """What the log amounts to at the instant of the stored fold, against what is stored.

    Raises whatever folding raises on a log that is no log any more.
    """
    row = evidence.row
    if row is None:
        return
    rows = _Rows({evidence.case: evidence}, gather)
    ledger = Ledger(cast(Transaction, rows), desk.anew(), row.folded_at)
    ledger.load([evidence.case])
    ledger.touch([evidence.case])
    for each in ledger.fold_all():
        if each.held.new:
            detail = "a timer ran out, and no link says so"
            yield Finding(kind=Kind.LOG_LOST, case=each.held.id, subject="timer", detail=detail)
        elif each.held.id == evidence.case:
            yield from _row(each, row)
            yield from _owed(each, evidence)


def _row(folded: Folded, row: CaseRow) -> Iterator[Finding]:
    expected = case_row(folded, [], row.folded_at)
    if expected == row:
        return
    names = [f.name for f in fields(CaseRow) if f.name not in _UNFOLDED]
    different = [name for name in names if getattr(expected, name) != getattr(row, name)]
    different += sorted(_told_differently(expected.document, row.document))
    if "next_due_at" in different:
        detail = "the next due instant is not what the log amounts to"
        yield Finding(kind=Kind.TIMER, case=row.case_id, detail=detail)
    if others := [name for name in different if name != "next_due_at"]:
        yield Finding(
            kind=Kind.CASE_CHANGED,
            case=row.case_id,
            subject=others[0],
            detail=f"not what the log amounts to: {', '.join(dict.fromkeys(others))}",
        )


def _told_differently(expected: str, stored: str) -> set[str]:
    ours: dict[str, Any] = orjson.loads(expected)
    try:
        theirs = orjson.loads(stored)
    except ValueError:
        return {"document"}
    keys = ours.keys() | theirs.keys()
    return {key for key in keys if key != "version" and ours.get(key) != theirs.get(key)}


def _owed(folded: Folded, evidence: Evidence) -> Iterator[Finding]:
    for order in folded.plan.orders:
        if order.page not in evidence.pages:
            detail = "owed by the last fold, and never ordered"
            yield Finding(
                kind=Kind.PAGE_LOST, case=evidence.case, subject=order.page, detail=detail
            )
