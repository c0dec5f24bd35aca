"""What the auditor has found, and the few writes by which it puts things right."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from triage.domain.paging import PageId, PageOrder
from triage.store.audit_rows import AuditBasis, AuditFinding
from triage.store.bulk import bulk_insert, overwrite
from triage.store.page_writes import first_written
from triage.store.records import AuditFindingRow
from triage.store.rows import Journal, Outbox, Page, table_of
from triage.store.session import Session

FINDINGS = bulk_insert(
    AuditFinding,
    conflict="ON CONFLICT (key) WHERE gone_at IS NULL DO NOTHING",
    returning="id",
)
BASES = bulk_insert(AuditBasis, conflict="ON CONFLICT (basis) DO NOTHING", values_of=tuple)
PAGES_AGAIN = first_written(conflict=overwrite(Page))

_FINDING, _BASIS, _PAGE = table_of(AuditFinding), table_of(AuditBasis), table_of(Page)
_JOURNAL, _OUTBOX = table_of(Journal), table_of(Outbox)


class AuditReads(Session):
    """The auditor's findings, read."""

    def findings(self, *, only_open: bool = True, limit: int = 1000) -> list[AuditFindingRow]:
        """Findings, newest first; those that are still there, or all."""
        chosen = select(_FINDING).order_by(_FINDING.c.found_at.desc(), _FINDING.c.id).limit(limit)
        if only_open:
            chosen = chosen.where(_FINDING.c.gone_at.is_(None))
        return [AuditFindingRow(**row._mapping) for row in self._connection.execute(chosen)]

    def open_findings(self) -> dict[str, int]:
        """How many findings of each kind are still there."""
        counted = select(_FINDING.c.kind, func.count()).where(_FINDING.c.gone_at.is_(None))
        rows = self._connection.execute(counted.group_by(_FINDING.c.kind)).all()
        return {row[0]: row[1] for row in rows}

    def newest_accepted(self, *, before: datetime) -> datetime | None:
        """When the newest event was received that came before an instant; None for no event."""
        c = _JOURNAL.c
        chosen = select(c.received_at).where(c.received_at < before)
        newest = chosen.order_by(c.seq.desc()).limit(1)
        return self._connection.execute(newest).scalar_one_or_none()

    def oldest_unpublished(self, topic: str) -> datetime | None:
        """Since when a record for this topic waits for Kafka; None when none does."""
        c = _OUTBOX.c
        waiting = select(c.written_at).where(c.topic == topic, c.published_at.is_(None))
        return self._connection.execute(waiting.order_by(c.id).limit(1)).scalar_one_or_none()


class AuditWrites(AuditReads):
    """The auditor's part of one transaction."""

    def note_findings(self, findings: Sequence[AuditFindingRow]) -> list[str]:
        """Keep findings whose key is not open already; gives the ids of those that are new."""
        return self._write_new(FINDINGS, findings)

    def mend_finding(self, finding: str, repair: str, at: datetime) -> None:
        """What was done about a finding."""
        changed = update(_FINDING).where(_FINDING.c.id == finding)
        self._connection.execute(changed.values(repair=repair, repaired_at=at))

    def close_findings(self, ids: Sequence[str], at: datetime) -> None:
        """These losses are not there any more."""
        changed = update(_FINDING).where(self._among("id")).values(gone_at=at)
        self._connection.execute(changed, {"ids": self._list(ids)})

    def basis_since(self, basis: str, now: datetime) -> datetime:
        """Since when folds stand on this program and roster: now, when it was another before."""
        self._connection.execute(delete(_BASIS).where(_BASIS.c.basis != basis))
        self._write(BASES, [(basis, now)])
        chosen = select(_BASIS.c.since).where(_BASIS.c.basis == basis)
        since: datetime = self._connection.execute(chosen).scalar_one()
        return since

    def order_again(self, orders: Sequence[PageOrder], now: datetime) -> None:
        """Put these pages back as they were ordered, whatever their rows have become."""
        self._write(PAGES_AGAIN, [(order, now) for order in orders])

    def make_ready(self, pages: Sequence[PageId], now: datetime) -> int:
        """Let pages that are not settled be claimed now; returns how many there were."""
        change: Any = (
            update(_PAGE)
            .where(self._among("page"), _PAGE.c.settled_at.is_(None))
            .values(ready_at=now)
        )
        return self._connection.execute(change, {"ids": self._list(pages)}).rowcount
