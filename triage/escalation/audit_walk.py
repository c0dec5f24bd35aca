"""The walk over all cases: which have changed since they were judged, and what those amount to."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from triage.domain.audit import Finding, Kind
from triage.domain.events import CaseId
from triage.escalation.audit_bus import BusWatch
from triage.escalation.audit_case import structure
from triage.escalation.audit_fold import refold
from triage.escalation.audit_reading import AuditReading, AuditView, Evidence
from triage.escalation.audit_sight import marks, suspects
from triage.handle import Desk
from triage.intake.faults import described

_SLICE = 5_000
_BATCH = 200
# Processes read a new roster at different moments.
_CHANGE_OF_BASIS = timedelta(seconds=60)
_AGAIN_AFTER = timedelta(minutes=10)
_AGAIN_SHARE = 0.1  # of the time for judging, where nothing else waits


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
    """Remembers the marks of every case, and when it was last judged in full.

    Every look goes over all cases: their marks, and where one is another than before, what can be
    told of the case without folding. Folding goes on from pass to pass: first what has changed,
    then what this process has never judged, then again what was judged longest ago, so that a
    fault is found too that no mark shows.
    """

    def __init__(self, view: AuditView, desk: Desk, bus: BusWatch) -> None:
        self._view, self._desk, self._bus = view, desk, bus
        self._marks: dict[CaseId, int] = {}
        self._left: dict[CaseId, None] = {}  # has changed, and there was no time to look
        self._has_been_round = False
        self._changed: dict[CaseId, None] = {}
        self._first: dict[CaseId, None] = {}
        self._judged_at: dict[CaseId, datetime] = {}  # longest ago first

    @property
    def seen(self) -> int:
        """How many cases are known."""
        return len(self._marks)

    @property
    def unjudged(self) -> int:
        """How many of them have changed and wait to be folded."""
        return len(self._changed) + len(self._first)

    @property
    def has_been_round(self) -> bool:
        """Every case has been looked at."""
        return self._has_been_round

    @property
    def oldest_judged_at(self) -> datetime | None:
        """Since when every case has been judged in full; None while one never was."""
        oldest = next(iter(self._judged_at.values()), None)
        return oldest if self._has_been_round and not self._first else None

    def look(self, until: float, now: datetime) -> Walked:
        """Over all cases. Judges what can be told of a changed one without folding it, until
        `until` (monotonic); the rest comes first in the next look."""
        with self._view.read() as reading:
            current = marks(reading)
        walked = Walked(looked_at=len(current))
        self._miss(current, walked)
        changed = [case for case, mark in current.items() if self._marks.get(case) != mark]
        left = self._left
        self._left = dict.fromkeys(sorted(changed, key=lambda case: case not in left))
        for batch in _batches(list(self._left), _SLICE):
            with self._view.read() as reading:
                self._look_at_changed(reading, batch, now, walked)
            for case in batch:
                self._marks[case] = current[case]
                del self._left[case]
            if time.monotonic() >= until:
                break
        walked.is_complete = not self._left
        self._has_been_round |= walked.is_complete
        return walked

    def fold(self, until: float, now: datetime, basis_since: datetime) -> Walked:
        """What waits for it, at least one batch; then again what was judged longest ago."""
        began, walked = time.monotonic(), Walked()
        for waiting in (self._changed, self._first):
            while waiting and (not walked.judged or time.monotonic() < until):
                batch = list(islice(waiting, _BATCH))
                self._judge(batch, now, basis_since, walked)
                for case in batch:
                    del waiting[case]
        until = min(until, time.monotonic() + _AGAIN_SHARE * (until - began))
        while not self.unjudged and time.monotonic() < until:
            oldest = islice(self._judged_at.items(), _BATCH)
            batch = [case for case, at in oldest if now - at >= _AGAIN_AFTER]
            if not batch:
                break
            self._judge(batch, now, basis_since, walked)
        walked.is_complete = not self.unjudged
        return walked

    def forget(self, cases: Iterable[CaseId]) -> None:
        """Judge these anew in the next round, as if they had changed."""
        for case in cases:
            if case in self._marks:
                self._marks[case] = 0

    def _look_at_changed(
        self, reading: AuditReading, changed: Sequence[CaseId], now: datetime, walked: Walked
    ) -> None:
        untold = self._untold(reading, changed)
        suspected = {*suspects(reading, changed), *untold}
        for case in changed:
            if case not in suspected:
                self._wait(case)
        for batch in _batches(sorted(suspected), _BATCH):
            for evidence, found in self._examined(reading, batch, untold, now):
                if found or evidence.row is None:
                    self._changed.pop(evidence.case, None)
                    self._first.pop(evidence.case, None)
                    walked.judged.append(Judged(evidence, found, is_folded=False))
                else:
                    self._wait(evidence.case)

    def _examined(
        self,
        reading: AuditReading,
        cases: Sequence[CaseId],
        untold: Mapping[CaseId, Finding],
        now: datetime,
    ) -> Iterator[tuple[Evidence, tuple[Finding, ...]]]:
        """Each case with what is wrong with it short of its fold."""
        for evidence, fault in _gathered(reading, cases):
            self._judged_at.pop(evidence.case, None)
            self._judged_at[evidence.case] = now
            found = [fault] if fault else list(structure(evidence))
            if not fault and evidence.case in untold:
                found.append(untold[evidence.case])
            yield evidence, tuple(found)

    def _wait(self, case: CaseId) -> None:
        """To be folded: before those that were never judged, when it is new or has changed."""
        if case in self._marks or self._has_been_round:
            self._first.pop(case, None)
            self._changed[case] = None
        else:
            self._first[case] = None

    def _untold(self, reading: AuditReading, cases: Sequence[CaseId]) -> dict[CaseId, Finding]:
        """Folds of these cases that no record tells of, as of this snapshot."""
        if not self._desk.publishes or not cases:
            return {}
        self._bus.note_told(reading)
        return {
            finding.case: finding for finding in self._bus.untold(reading, cases) if finding.case
        }

    def _miss(self, current: Mapping[CaseId, int], walked: Walked) -> None:
        """A case that was there in the look before and is not in this one: no case ever goes."""
        for case in sorted(self._marks.keys() - current.keys()):
            for place in (self._marks, self._changed, self._first, self._judged_at):
                place.pop(case, None)
            detail = "nothing of the case is stored any more"
            gone = Finding(kind=Kind.CASE_LOST, case=case, detail=detail)
            walked.judged.append(Judged(Evidence(case), (gone,), is_folded=False))

    def _judge(
        self, cases: Sequence[CaseId], now: datetime, basis_since: datetime, walked: Walked
    ) -> None:
        with self._view.read() as reading:
            untold = self._untold(reading, cases)
            for evidence, found in self._examined(reading, cases, untold, now):
                if found or evidence.row is None:
                    walked.judged.append(Judged(evidence, found, is_folded=False))
                else:
                    walked.judged.append(self._folded(reading, evidence, basis_since))

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


def _batches(cases: Sequence[CaseId], size: int) -> Iterable[Sequence[CaseId]]:
    for start in range(0, len(cases), size):
        yield cases[start : start + size]


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
