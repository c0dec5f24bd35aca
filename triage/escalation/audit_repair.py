"""Repairs: what the log can give back is put right by the same fold that wrote it.

No case is written here. A case is told what time it is, or gets events back that its log has lost,
and `handle` writes what follows.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import orjson

from triage.domain.audit import Finding, Kind
from triage.domain.events import CaseId, EventType, read_event
from triage.domain.paging import Attempt, PageId, PageOrder
from triage.escalation.audit_bus import BusWatch, is_page_record
from triage.escalation.audit_reading import Evidence
from triage.escalation.audit_restoring import journal_again, restore_case
from triage.handle import Desk, Incoming, sweep_cases
from triage.recording.ordering import noted_orders
from triage.recording.writing import page_record
from triage.store.records import EventKey
from triage.store.store import Store
from triage.store.transaction import Transaction
from triage.unread import sweep_unread

_BY_FOLD = frozenset({Kind.CASE_CHANGED, Kind.TIMER, Kind.TIMER_OVERDUE, Kind.QUIET})
_PAGES = frozenset({Kind.PAGE_LOST, Kind.PAGE_CHANGED})


class Archive(Protocol):
    """Where accepted records can be read again."""

    def find(self, key: EventKey, sent_at: datetime) -> Incoming | None:
        """The event as it came; None when it is not to be had."""
        ...


class Repairs:
    """Puts findings right where the database still has what is needed."""

    def __init__(
        self, store: Store, desk: Desk, bus: BusWatch, archive: Archive | None = None
    ) -> None:
        self._store, self._shared_desk, self._bus, self._archive = store, desk, bus, archive

    @property
    def _desk(self) -> Desk:
        """What is known of logs from before the loss says nothing of what is there now."""
        return self._shared_desk.anew()

    def mend(self, finding: Finding, evidence: Evidence | None, now: datetime) -> str | None:
        """What was done, in words; None when nothing here can give it back. Raises
        StoreUnavailable, and whatever folding raises."""
        if finding.kind is Kind.JOURNAL_LOST:
            return self._read_again(finding, evidence, now)
        with self._store.begin() as tx:
            return self._mended(tx, finding, evidence, now)

    def _read_again(self, finding: Finding, evidence: Evidence | None, now: datetime) -> str | None:
        """The bytes from Kafka, while no transaction is open; the rest from the link."""
        if self._archive is None or evidence is None:
            return None
        for link in evidence.links:
            event = read_event(orjson.loads(link.document))
            if link.content_hash[:16] == finding.subject and event.sent_at is not None:
                found = self._archive.find(event.key, event.sent_at)
                if found is None:
                    return None
                with self._store.begin() as tx:
                    journal_again(tx, replace(found, event=event), self._desk, now=now)
                return f"read again from Kafka at {found.origin}"
        return None

    def _mended(
        self, tx: Transaction, finding: Finding, evidence: Evidence | None, now: datetime
    ) -> str | None:
        kind, case = finding.kind, finding.case
        if kind is Kind.UNREAD_UNTOLD:
            sweep_unread(tx, self._desk, now=now)
            return "ordered again"
        if kind is Kind.PAGE_STUCK:
            tx.make_ready([PageId(finding.subject)], now)
            tx.notify("page")
            return "made ready to be sent"
        if case is None:
            return None
        if kind in _BY_FOLD:
            return self._folded(tx, case, now)
        if kind is Kind.OUTBOX_LOST:
            return self._told_again(tx, finding, case, now)
        if evidence is None:
            return None
        return self._from_evidence(tx, finding, evidence, now)

    def _from_evidence(
        self, tx: Transaction, finding: Finding, evidence: Evidence, now: datetime
    ) -> str | None:
        if finding.kind in (Kind.CASE_LOST, Kind.LOG_LOST):
            return self._restored(tx, evidence, now)
        if finding.kind in _PAGES:
            return self._ordered_again(tx, finding, evidence, now)
        return None

    def _folded(self, tx: Transaction, case: CaseId, now: datetime) -> str:
        tx.lock_cases([case])
        sweep_cases(tx, [case], self._desk, now=now)
        return "folded again"

    def _told_again(self, tx: Transaction, finding: Finding, case: CaseId, now: datetime) -> str:
        owed = self._bus.lost.pop(finding.key, None)
        if owed is None or not is_page_record(owed):
            return self._folded(tx, case, now)
        pages = tx.reads.pages(case, limit=10_000)
        records = [page_record(page.order) for page in pages if page.ordered_at == owed.written_at]
        tx.outbox(records, now)
        return "told again"

    def _restored(self, tx: Transaction, evidence: Evidence, now: datetime) -> str | None:
        """The row from the log; events that the journal still has go back to the log's end."""
        logged = {(link.source, link.event_id, link.content_hash) for link in evidence.links}
        lost = [
            read_event(orjson.loads(row.event_document))
            for key, row in evidence.journal.items()
            if key not in logged
        ]
        if not lost and not evidence.links:
            return None
        policy = _policy(evidence)
        restore_case(tx, evidence.case, lost, self._desk, now=now, policy=policy)
        if lost:
            return f"{len(lost)} events taken again from the journal"
        return "folded again from its log" if evidence.row is None else None

    def _ordered_again(
        self, tx: Transaction, finding: Finding, evidence: Evidence, now: datetime
    ) -> str:
        """As the chain has it; what is no longer owed is withdrawn by the fold that follows."""
        tx.lock_cases([evidence.case])
        order = _orders(evidence).get(PageId(finding.subject))
        if order is not None:
            tx.order_again([order], now)
            if sent := _receipt(evidence, order):
                tx.finish_attempts([sent])
        sweep_cases(tx, [evidence.case], self._desk, now=now)
        tx.notify("page")
        return "ordered again"


def _orders(evidence: Evidence) -> Mapping[PageId, PageOrder]:
    documents = (orjson.loads(link.document) for link in evidence.links)
    return {order.page: order for each in documents for order in noted_orders(each)}


def _receipt(evidence: Evidence, order: PageOrder) -> Attempt | None:
    """The provider's acceptance, where the chain has one: it is not sent a second time."""
    for link in evidence.links:
        document = orjson.loads(link.document)
        data = document["data"]
        if (
            document["type"] == EventType.PAGE_RECEIPT
            and data.get("page") == order.page
            and data.get("route") == order.route
            and data.get("status") == "accepted"
        ):
            return Attempt(
                page=order.page,
                route=order.route,
                attempt=int(document["id"].rpartition(".")[2]),
                outcome="accepted",
                provider_word=data.get("provider_word"),
                at=read_event(document).occurred_at,
            )
    return None


def _policy(evidence: Evidence) -> str | None:
    """The book that the case was last paged under; None when it was never paged."""
    orders = list(_orders(evidence).values())
    return orders[-1].policy if orders else None
