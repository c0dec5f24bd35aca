"""What becomes of findings: kept, put before a person, put right where that can be, closed."""

import hashlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from triage.domain.audit import WAITING, Finding, Kind
from triage.domain.errors import StoreUnavailable
from triage.domain.events import CaseId
from triage.domain.instants import format_instant
from triage.escalation.audit_reading import Evidence
from triage.escalation.audit_repair import Repairs
from triage.handle import Desk
from triage.intake.faults import described
from triage.store.records import AuditFindingRow, QuarantineItem
from triage.store.store import Store
from triage.unread import sweep_unread
from triage.workflow.unread import AUDIT

_LOG = logging.getLogger(__name__)
_MOST = 1_000  # of one pass; more than that is one event, and the next pass goes on
_EACH = 20  # of one kind, put before people one by one


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, with the evidence that it came from where it is about one case."""

    finding: Finding
    evidence: Evidence | None = None


@dataclass(slots=True)
class Told:
    """Findings that are new, those that were put right, and those left for the next pass."""

    new: list[Finding] = field(default_factory=list)
    mended: list[Finding] = field(default_factory=list)
    left: Sequence[Found] = ()


class Notes:
    """Each loss is told once, however often it is seen; a repair is tried each time."""

    def __init__(self, store: Store, desk: Desk, repairs: Repairs) -> None:
        self._store, self._desk, self._repairs = store, desk, repairs

    def tell(self, found: Sequence[Found], now: datetime, until: float) -> Told:
        """Keep and alarm first, then repair until `until` (monotonic), one at least. Raises
        StoreUnavailable."""
        if not found:
            return Told()
        now_told = found[:_MOST]
        rows = {each.finding.key: _row(each.finding, now) for each in now_told}
        with self._store.begin() as tx:
            new = set(tx.note_findings(list(rows.values())))
            tx.quarantine(list(_for_people([row for row in rows.values() if row.id in new])))
            if new:
                sweep_unread(tx, self._desk, now=now)  # also when no sweep is alive to do it
            open_ids = {row.key: row.id for row in tx.reads.findings(limit=100 * _MOST)}
        told = Told(new=[f.finding for f in now_told if rows[f.finding.key].id in new])
        for finding in told.new:
            _LOG.error("audit.found: %s %s %s", finding.kind, finding.case or "-", finding.detail)
        for number, each in enumerate(now_told):
            if number and time.monotonic() >= until:
                told.left = found[number:]
                return told
            if self._mend(each, open_ids.get(each.finding.key, ""), now):
                told.mended.append(each.finding)
        told.left = found[_MOST:]
        return told

    def _mend(self, each: Found, finding_id: str, now: datetime) -> bool:
        finding = each.finding
        try:
            repair = self._repairs.mend(finding, each.evidence, now)
        except StoreUnavailable:
            raise
        except Exception as error:  # it stays found, and is tried again when it is seen again
            fault = described(error)
            _LOG.error("audit.not_mended: %s %s %s", finding.kind, finding.case or "-", fault)
            return False
        if repair is None:
            return False
        with self._store.begin() as tx:
            tx.mend_finding(finding_id, repair, now)
        _LOG.warning("audit.mended: %s %s %s", finding.kind, finding.case or "-", repair)
        return True

    def refresh(self, case: CaseId, now: datetime) -> None:
        """Fold a case again that was folded by another program or with another roster."""
        plain = Finding(kind=Kind.CASE_CHANGED, case=case, detail="outdated")
        try:
            self._repairs.mend(plain, None, now)
        except StoreUnavailable:
            raise
        except Exception as error:  # the sweep meets the same case, and says so each turn
            _LOG.error("audit.not_refreshed: %s %s", case, described(error))

    def close_late(self, suspects: Collection[str], now: datetime) -> None:
        """What was late and is not any more."""
        self._close(lambda row: Kind(row.kind) in WAITING and row.key not in suspects, now)

    def close_cases(self, judged: Mapping[CaseId, Collection[str]], now: datetime) -> None:
        """What was wrong with these cases and is not any more."""

        def is_gone(row: AuditFindingRow) -> bool:
            if row.case_id is None or row.case_id not in judged or Kind(row.kind) in WAITING:
                return False
            return row.key not in judged[row.case_id]

        self._close(is_gone, now)

    def _close(self, is_gone: Callable[[AuditFindingRow], bool], now: datetime) -> None:
        with self._store.read() as reader:
            gone = [row.id for row in reader.findings(limit=100 * _MOST) if is_gone(row)]
        if gone:
            with self._store.begin() as tx:
                tx.close_findings(gone, now)


def _row(finding: Finding, now: datetime) -> AuditFindingRow:
    named = f"{finding.key} {format_instant(now)}"
    return AuditFindingRow(
        id=hashlib.sha256(named.encode()).hexdigest()[:16],
        key=finding.key,
        kind=finding.kind.value,
        case_id=finding.case,
        subject=finding.subject,
        detail=finding.detail,
        found_at=now,
    )


def _for_people(new: Sequence[AuditFindingRow]) -> Iterator[QuarantineItem]:
    """Findings where the coordinator is paged for what needs a human look (policy 3.2): each by
    itself, but one event that struck very many is not a thousand lines to go through."""
    for kind in dict.fromkeys(row.kind for row in new):
        rows = [row for row in new if row.kind == kind]
        for row in rows[:_EACH]:
            yield _item(row, row.detail)
        if len(rows) > _EACH:
            more = f"{len(rows) - _EACH} more of this kind: triage audit --findings"
            yield _item(rows[_EACH], more)


def _item(row: AuditFindingRow, detail: str) -> QuarantineItem:
    told = {"finding": row.id, "kind": row.kind, "case": row.case_id, "detail": detail}
    reason = {
        "path": row.kind,
        "value": None,
        "allowed": "what the log amounts to",
        "hint": "Look at `triage audit --findings` and at the case; then dismiss this.",
    }
    return QuarantineItem(
        item_id=row.id,
        source=AUDIT,
        origin=f"audit/{row.kind}",
        raw=orjson.dumps(told),
        reason=orjson.dumps(reason).decode(),
        received_at=row.found_at,
    )
