"""The walk over all cases: which have changed since they were judged, and what those amount to."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from triage.domain.audit import Finding, Kind
from triage.domain.events import CaseId
from triage.escalation.audit_bus import BusWatch
from triage.escalation.audit_case import structure
from triage.escalation.audit_fold import refold
from triage.escalation.audit_reading import AuditReading, AuditView, Evidence
from triage.handle import Desk
from triage.intake.faults import described

_SLICE = 2_000
_BATCH = 200
# Processes read a new roster at different moments.
_CHANGE_OF_BASIS = timedelta(seconds=60)
Marks = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A case and what is wrong with it. `is_folded`: nothing about it is left to be judged.

    `is_outdated`: it was folded on another basis and differs; a new fold is all that it needs.
    """

    evidence: Evidence
    findings: tuple[Finding, ...]
    is_folded: bool
    is_outdated: bool = False


@dataclass(slots=True)
class Walked:
    """What one pass saw: `judged` holds the cases that were judged in it."""

    judged: list[Judged] = field(default_factory=list)
    looked_at: int = 0
    is_complete: bool = False


class Walk:
    """Remembers the marks of every case at its last judgement.

    A changed case is judged by its structure at once, however many there are; folding them anew
    takes longer and goes on from pass to pass.
    """

    def __init__(self, view: AuditView, desk: Desk, bus: BusWatch) -> None:
        self._view, self._desk, self._bus = view, desk, bus
        self._marks: dict[CaseId, Marks] = {}
        self._unfolded: set[CaseId] = set()
        self._after = ""

    @property
    def seen(self) -> int:
        """How many cases are known."""
        return len(self._marks)

    @property
    def unjudged(self) -> int:
        """How many of them have changed and wait to be folded."""
        return len(self._unfolded)

    def go(self, until: float, basis_since: datetime) -> Walked:
        """On from where the last pass stopped, once round at most, until `until` (monotonic)."""
        walked, started, has_wrapped, is_round = Walked(), self._after, False, False
        while not is_round and (walked.looked_at == 0 or time.monotonic() < until):
            with self._view.read() as reading:
                part = reading.marks(self._after, _SLICE)
                walked.looked_at += len(part.marks)
                if self._desk.publishes:
                    self._bus.note_told(reading)
                self._judge_changed(reading, part.marks, walked)
            self._after = part.until or ""
            has_wrapped = has_wrapped or not self._after
            is_round = has_wrapped and self._after >= started
        self._fold(until, basis_since, walked)
        walked.is_complete = is_round and not self._unfolded
        return walked

    def _judge_changed(
        self, reading: AuditReading, marks: Mapping[CaseId, Marks], walked: Walked
    ) -> None:
        changed = [case for case, mark in marks.items() if self._marks.get(case) != mark]
        for batch in _batches(changed):
            for evidence, fault in _gathered(reading, batch):
                case = evidence.case
                self._marks[case] = marks[case]
                found = [fault] if fault else [*structure(evidence), *self._untold(evidence)]
                if found or evidence.row is None:
                    self._unfolded.discard(case)
                    walked.judged.append(Judged(evidence, tuple(found), is_folded=False))
                else:
                    self._unfolded.add(case)

    def _untold(self, evidence: Evidence) -> Iterator[Finding]:
        return self._bus.untold(evidence) if self._desk.publishes else iter(())

    def _fold(self, until: float, basis_since: datetime, walked: Walked) -> None:
        """Fold what waits for it, at least one batch."""
        for batch in _batches(list(self._unfolded)):
            with self._view.read() as reading:
                for evidence, fault in _gathered(reading, batch):
                    self._unfolded.discard(evidence.case)
                    if fault is None:
                        walked.judged.append(self._folded(reading, evidence, basis_since))
            if time.monotonic() >= until:
                return

    def _folded(self, reading: AuditReading, evidence: Evidence, basis_since: datetime) -> Judged:
        try:
            found = tuple(refold(evidence, self._desk, reading.evidence))
        except Exception as error:  # a log that cannot be folded: told, and the walk goes on
            detail = f"the log cannot be folded: {described(error)}"
            kind = Kind.LOG_CHANGED
            found = (Finding(kind=kind, case=evidence.case, subject="fold", detail=detail),)
        row = evidence.row
        is_old = row is not None and row.folded_at < basis_since + _CHANGE_OF_BASIS
        if found and is_old:
            return Judged(evidence, (), is_folded=True, is_outdated=True)
        return Judged(evidence, found, is_folded=True)


def _batches(cases: Sequence[CaseId]) -> Iterator[Sequence[CaseId]]:
    for start in range(0, len(cases), _BATCH):
        yield cases[start : start + _BATCH]


def _gathered(
    reading: AuditReading, cases: Sequence[CaseId]
) -> Iterator[tuple[Evidence, Finding | None]]:
    """Evidence of each case; a finding instead where a stored value cannot be read at all."""
    try:
        for evidence in reading.evidence(cases).values():
            yield evidence, None
        return
    except ValueError:
        if len(cases) == 1:
            detail = "a stored value cannot be read"
            yield (
                Evidence(cases[0]),
                Finding(kind=Kind.CASE_CHANGED, case=cases[0], subject="value", detail=detail),
            )
            return
    for case in cases:
        yield from _gathered(reading, [case])
