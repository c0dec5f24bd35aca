"""What is owed to Kafka and what was taken from it, followed from pass to pass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from triage.domain.audit import Finding, Kind
from triage.domain.events import CaseId
from triage.escalation.audit_reading import AuditReading
from triage.recording.writing import CASES_TOPIC, PAGES_TOPIC
from triage.store.rows import Cases, Journal, Outbox, Position, table_of

_MOST = 50_000
_OVERLAP = 5_000  # numbers are given before the commit: an earlier one may appear later
_OUTBOX, _JOURNAL, _POSITION = table_of(Outbox).c, table_of(Journal).c, table_of(Position).c
_CASES = table_of(Cases).c


@dataclass(frozen=True, slots=True)
class Owed:
    """A record that was seen unpublished."""

    topic: str
    key: str
    written_at: datetime


@dataclass(slots=True)
class BusWatch:
    """Remembers what was seen owed, so that it can be missed."""

    owed: dict[int, Owed] = field(default_factory=dict)
    told: dict[str, datetime] = field(default_factory=dict)
    lost: dict[str, Owed] = field(default_factory=dict)
    _from: datetime | None = None
    _next_id: int = 0
    _next_seq: int = 0
    _stored: dict[tuple[str, int], int] = field(default_factory=dict)

    def look(self, reading: AuditReading) -> Iterator[Finding]:
        """What has gone since the last look."""
        yield from self._outbox(reading)
        yield from self._positions(reading)

    def untold(self, reading: AuditReading, cases: Sequence[CaseId]) -> Iterator[Finding]:
        """Folds that no record tells of on the topic of cases."""
        if self._from is None:
            return
        folds = select(_CASES.case_id, _CASES.folded_at).where(
            _CASES.case_id.in_(cases), _CASES.state != "unopened", _CASES.folded_at >= self._from
        )
        for case, folded_at in reading.choose(folds):
            at = self.told.get(case)
            if at is None or at < folded_at:
                yield _lost(case, CASES_TOPIC)

    def _outbox(self, reading: AuditReading) -> Iterator[Finding]:
        columns = (_OUTBOX.id, _OUTBOX.topic, _OUTBOX.key, _OUTBOX.written_at)
        unpublished = select(*columns).where(_OUTBOX.published_at.is_(None))
        rows = reading.choose(unpublished.order_by(_OUTBOX.id).limit(_MOST))
        current = {number: Owed(topic, key, at) for number, topic, key, at in rows}
        seen_to = max(current, default=0) if len(current) == _MOST else None
        gone = [
            number
            for number in self.owed.keys() - current.keys()
            if seen_to is None or number <= seen_to
        ]
        there = set()
        for start in range(0, len(gone), _OVERLAP):
            some = select(_OUTBOX.id).where(_OUTBOX.id.in_(gone[start : start + _OVERLAP]))
            there |= {number for (number,) in reading.choose(some)}
        for number in gone:
            owed = self.owed.pop(number)
            if number not in there:
                finding = _lost(CaseId(owed.key) if owed.key else None, owed.topic, number)
                self.lost[finding.key] = owed
                yield finding
        self.owed |= current

    def note_told(self, reading: AuditReading) -> None:
        """Which folds were told, as of the same snapshot in which the cases are judged."""
        new = select(_OUTBOX.key, func.max(_OUTBOX.written_at), func.max(_OUTBOX.id)).where(
            _OUTBOX.id > self._next_id - _OVERLAP, _OUTBOX.topic == CASES_TOPIC
        )
        if self._from is None:  # what was cleared away before that is not missed
            self._from = reading.choose(select(func.min(_OUTBOX.written_at)))[0][0]
        for key, at, number in reading.choose(new.group_by(_OUTBOX.key)):
            self.told[key] = max(at, self.told.get(key, at))
            self._next_id = max(self._next_id, number)

    def _positions(self, reading: AuditReading) -> Iterator[Finding]:
        """A position at or before a record that is stored: it was moved back, or is gone."""
        new = select(_JOURNAL.seq, _JOURNAL.origin).where(
            _JOURNAL.door == "kafka", _JOURNAL.seq > self._next_seq - _OVERLAP
        )
        for seq, origin in reading.choose(new.order_by(_JOURNAL.seq.desc()).limit(_MOST)):
            topic, partition, offset = origin.rsplit("/", 2)
            place = (topic, int(partition))
            self._stored[place] = max(int(offset), self._stored.get(place, 0))
            self._next_seq = max(self._next_seq, seq)
        rows = reading.choose(select(_POSITION.topic, _POSITION.partition, _POSITION.next_offset))
        positions = {(topic, number): at for topic, number, at in rows}
        for (topic, number), offset in self._stored.items():
            if positions.get((topic, number), 0) <= offset:
                detail = "the position is not behind the last stored record"
                yield Finding(kind=Kind.POSITION, subject=f"{topic}/{number}", detail=detail)


def _lost(case: CaseId | None, topic: str, number: int | None = None) -> Finding:
    subject = topic if number is None else f"{topic}/{number}"
    detail = f"a record owed to {topic} is gone"
    return Finding(kind=Kind.OUTBOX_LOST, case=case, subject=subject, detail=detail)


def is_page_record(owed: Owed | None) -> bool:
    """Whether the lost record told of a page."""
    return owed is not None and owed.topic == PAGES_TOPIC
