"""The auditor: computes from the log what must exist, finds what does not, and puts it right.

It trusts neither the sweep nor the relay nor the rows that they write. A pass looks at what is late
by now, then over all cases at what the database can tell without folding, and folds what has
changed.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from triage.domain.audit import CERTAIN, AuditResult
from triage.domain.errors import StoreUnavailable, TriageError
from triage.domain.roster.roster import Roster
from triage.escalation.audit_basis import basis_of
from triage.escalation.audit_bus import BusWatch
from triage.escalation.audit_heads import TOPIC, HeadsFile
from triage.escalation.audit_notes import Found, Notes
from triage.escalation.audit_reading import AuditView
from triage.escalation.audit_repair import Archive, Repairs
from triage.escalation.audit_waiting import waiting
from triage.escalation.audit_walk import Walk, Walked
from triage.handle import Desk
from triage.store.records import OutboxRow
from triage.store.store import Store

LOOP = "audit"
_HEADS_EVERY = timedelta(minutes=1)
_AT_FIRST = 8  # times the budget
_LOG = logging.getLogger(__name__)


class Auditor:
    """Synchronous; one pass at a time in a process. Two processes find the same and note it once.

    `budget_seconds`: how long one pass may look at what has changed, and how long it may fold; the
    next goes on from there. Until every case has been looked at once, it may take longer.
    `patience`: how many times faster than the machine's the service's clock runs (a demonstration).
    `heads`: where the heads of the logs are published, None for nowhere. `archive`: where lost
    bytes may still be.
    """

    def __init__(
        self,
        view: AuditView,
        store: Store,
        desk: Desk,
        *,
        heads: HeadsFile | None = None,
        archive: Archive | None = None,
        budget_seconds: float = 5.0,
        patience: float = 1.0,
    ) -> None:
        self._heads, self._patience = heads, patience
        self._published_at: datetime | None = None
        self._view, self._store, self._desk = view, store, desk
        self._budget = budget_seconds
        self._bus = BusWatch()
        self._walk = Walk(view, desk, self._bus)
        self._notes = Notes(store, desk, Repairs(store, desk, self._bus, archive))
        self._suspects: frozenset[str] = frozenset()
        self._roster: Roster | None = None
        self._basis_since: datetime | None = None

    def turn(self, now: datetime) -> AuditResult:
        """One pass at `now`. Raises StoreUnavailable; what was found by then is noted."""
        walk, began = self._walk, time.monotonic()
        since = self._note_basis(now)
        result = AuditResult()
        self._look_at_clock(now, result)
        looked = walk.look(began + self._budget * (1 if walk.has_been_round else _AT_FIRST), now)
        self._settle(looked, now, result)
        folded = walk.fold(time.monotonic() + self._budget, now, since)
        self._settle(folded, now, result)
        result.looked_at = looked.looked_at
        result.is_complete = looked.is_complete and folded.is_complete
        result.seen, result.unjudged = walk.seen, walk.unjudged
        result.oldest_judged_at = walk.oldest_judged_at
        self._publish(now)
        with self._store.begin() as tx:
            tx.stamp(LOOP, now)
        return result

    def _note_basis(self, now: datetime) -> datetime:
        if self._basis_since is None or self._roster is not self._desk.roster:
            self._roster = self._desk.roster
            with self._store.begin() as tx:
                self._basis_since = tx.basis_since(basis_of(self._desk), now)
        return self._basis_since

    def _look_at_clock(self, now: datetime, result: AuditResult) -> None:
        """What is late by now, told when it was late a pass ago too; what cannot be, at once."""
        with self._view.read() as reading:
            late = list(waiting(reading, self._desk, now, self._patience))
            gone = list(self._bus.look(reading)) if self._desk.publishes else []
        sure = [f for f in late if f.kind in CERTAIN or f.key in self._suspects]
        self._suspects = frozenset(finding.key for finding in late)
        self._tell([Found(finding) for finding in (*sure, *gone)], now, result)
        self._notes.close_late(self._suspects | {finding.key for finding in gone}, now)

    def _settle(self, walked: Walked, now: datetime, result: AuditResult) -> None:
        found = [
            Found(finding, each.evidence) for each in walked.judged for finding in each.findings
        ]
        self._tell(found, now, result)
        for each in walked.judged:
            if each.is_outdated:
                self._notes.refresh(each.evidence.case, now)
                result.refreshed += 1
        clean = [each for each in walked.judged if each.is_folded or each.findings]
        self._notes.close_cases(
            {each.evidence.case: {f.key for f in each.findings} for each in clean}, now
        )

    def _publish(self, now: datetime) -> None:
        """The heads of the logs, to the file and to Kafka, once a minute."""
        at = self._published_at
        if self._heads is None or (at is not None and now - at < _HEADS_EVERY):
            return
        try:
            with self._view.read() as reading:
                line = self._heads.publish(reading, now)
        except TriageError as error:
            if isinstance(error, StoreUnavailable):
                raise
            _LOG.error("audit.heads_not_published: %s", error.what)
            return
        self._published_at = None if self._heads.is_behind else now
        if line is not None and self._desk.publishes:
            with self._store.begin() as tx:
                tx.outbox([OutboxRow(topic=TOPIC, key="heads", value=line)], now)

    def _tell(self, found: Sequence[Found], now: datetime, result: AuditResult) -> None:
        """What one pass leaves of a loss that struck very many is judged again in the next."""
        told = self._notes.tell(found, now, time.monotonic() + self._budget)
        result.found += told.new
        result.mended += told.mended
        self._walk.forget(each.finding.case for each in told.left if each.finding.case)
