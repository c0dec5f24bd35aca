"""The sweep: due cases are told what time it is, and what is owed by then exists afterwards."""

import gc
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event

from triage.domain.errors import StoreUnavailable
from triage.domain.events import CaseId
from triage.domain.instants import Clock
from triage.escalation.foresight import Foresight
from triage.handle import Desk, sweep_cases
from triage.intake.faults import described
from triage.recording.foreseeing import still_true
from triage.store.records import Standing
from triage.store.store import Store
from triage.store.transaction import Transaction
from triage.unread import sweep_unread

LOOP = "sweep"
CLAIM = 100
_HANDS = 2  # one makes rows ready while the database writes those of the other
_BURST = timedelta(seconds=1)  # then the turn is ended: unread records and its mark wait for it

_LOG = logging.getLogger(__name__)
_RETRY_AFTER = timedelta(seconds=10)
_STAMPED_EVERY = timedelta(seconds=0.5)  # each stamp is a commit, and the next case waits for it


@dataclass(frozen=True, slots=True)
class SweepResult:
    """One turn: cases swept, pages ordered, cases that failed. `next_in`: until the next case is
    due, zero when one is overdue, None when none waits. `looks_ahead`: more can be prepared."""

    cases: int
    pages: int
    failed: tuple[CaseId, ...]
    next_in: timedelta | None
    looks_ahead: bool = False


@dataclass(slots=True)
class _Tally:
    cases: int = 0
    pages: int = 0
    failed: list[CaseId] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    """What one transaction claimed, up to `limit`, and tried. On `error` nothing is done."""

    limit: int
    claimed: Mapping[CaseId, Standing] = field(default_factory=dict)
    cases: Sequence[CaseId] = ()
    pages: int = 0
    error: Exception | None = None

    @property
    def is_last(self) -> bool:
        return len(self.claimed) < self.limit


@contextmanager
def _uncollected() -> Iterator[None]:
    """To look for garbage through what was worked out for a burst takes 250 ms, in which all hands
    stand still; it is freed by itself as it is written."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Sweep:
    """Synchronous; one turn at a time in a process, any number of processes.

    `clock`: what falls due while a burst is swept is swept with it. Without one a turn ends with
    what is due at its `now`. `failed` is told of each fault of ours, by the part that has it.
    """

    def __init__(
        self,
        store: Store,
        desk: Desk,
        clock: Clock | None = None,
        failed: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store, self._desk, self._clock, self._failed = store, desk, clock, failed
        self._again_at: dict[CaseId, datetime] = {}
        self._foresight = Foresight(store, desk, failed)
        self._stamped_at: datetime | None = None

    def turn(self, now: datetime) -> SweepResult:
        """Everything that is due at `now`. Raises StoreUnavailable; what was done stays done.

        Of a burst also what falls due within the next second, as far as the turn is under way.

        A case that cannot be folded (a fault of ours) is logged as an error, holds up no other,
        and is tried again after ten seconds.
        """
        tally = _Tally()
        if self._store.is_postgres and self._foresight.due(now) >= _HANDS * CLAIM:
            self._burst(now, tally)
        self._drain(now, tally)
        next_in = self._unread_and_finish(now, tally)
        looks_ahead = self._look_ahead(now, next_in)
        return SweepResult(tally.cases, tally.pages, tuple(tally.failed), next_in, looks_ahead)

    def _burst(self, now: datetime, tally: _Tally) -> None:
        """By several hands, as by several sweeps: none claims what another holds."""
        with _uncollected(), ThreadPoolExecutor(_HANDS, "sweep") as pool:
            caught_up = Event()
            hands = [
                pool.submit(lambda: list(self._batches(now, caught_up))) for _ in range(_HANDS)
            ]
        for batch in (each for hand in hands for each in hand.result()):
            self._count(batch.cases, batch.pages, tally)

    def _batches(self, now: datetime, caught_up: Event) -> Iterator[_Batch]:
        """Until one hand finds nothing new, or meets a fault: that is left to one hand alone.

        A claim that is not full ends nothing: what falls due in the meantime is too much for the
        other hand. Where there is nothing at all both end, since for one the rest is too much.
        """
        done: set[CaseId] = set()
        while not caught_up.is_set():
            batch = self._swept_batch(min(self._time(now), now + _BURST))
            if batch.error is not None:
                break
            yield batch
            if done.issuperset(batch.cases):
                break
            done.update(batch.cases)
        caught_up.set()

    def _time(self, now: datetime) -> datetime:
        """The present instant, where there is a clock, in a turn that began at `now`."""
        return max(self._clock.now(), now) if self._clock else now

    def _look_ahead(self, now: datetime, next_in: timedelta | None) -> bool:
        taken = self._time(now) - now
        return self._foresight.look(now, None if next_in is None else next_in - taken)

    def _drain(self, now: datetime, tally: _Tally) -> None:
        done: set[CaseId] = set()
        while True:
            batch = self._swept_batch(now)
            if batch.error is None:
                self._count(batch.cases, batch.pages, tally)
            else:
                self._apart(batch.cases, batch.error, now, tally)
            if batch.is_last or done.issuperset(batch.claimed):
                return
            done.update(batch.claimed)

    def _swept_batch(self, now: datetime) -> _Batch:
        """Claim and sweep in one transaction. Failing cases stay due, so they are claimed on top:
        however many there are, they do not crowd out others."""
        batch = _Batch(limit=CLAIM + len(self._again_at))
        try:
            with self._store.begin() as tx:
                batch.claimed = tx.claim_due(now, batch.limit)
                batch.cases = [case for case in batch.claimed if self._may_try(case, now)]
                batch.pages = self._swept(tx, batch, now) if batch.cases else 0
        except StoreUnavailable:
            raise
        except Exception as error:  # a loop's outer edge; the case that has it is found by halves
            _LOG.warning("sweep.batch_failed: %s", described(error))
            batch.error = error
        else:
            self._foresight.forget(batch.cases)
        return batch

    def _swept(self, tx: Transaction, batch: _Batch, now: datetime) -> int:
        standing = {case: batch.claimed[case] for case in batch.cases}
        ready = still_true(self._foresight.known, standing, self._desk, now)
        return sweep_cases(tx, batch.cases, self._desk, now=now, ready=ready)

    def _may_try(self, case: CaseId, now: datetime) -> bool:
        return self._again_at.get(case, now) <= now

    def _apart(
        self, cases: Sequence[CaseId], error: Exception, now: datetime, tally: _Tally
    ) -> None:
        """Somewhere among these is a fault: halves by themselves, down to the case that has it."""
        if len(cases) <= 1:
            self._give_up_for_now(cases, error, now, tally)
            return
        half = len(cases) // 2
        for part in (cases[:half], cases[half:]):
            try:
                with self._store.begin() as tx:
                    pages = sweep_cases(tx, part, self._desk, now=now)
            except StoreUnavailable:
                raise
            except Exception as inner:
                self._apart(part, inner, now, tally)
            else:
                self._count(part, pages, tally)

    def _give_up_for_now(
        self, cases: Sequence[CaseId], error: Exception, now: datetime, tally: _Tally
    ) -> None:
        for case in cases:
            self._again_at[case] = now + _RETRY_AFTER
            tally.failed.append(case)
            self._failed("sweep_case")
            _LOG.error("sweep.case_failed: %s: %s", case, described(error))
        if not cases:
            self._failed("sweep_claim")
            _LOG.error("sweep.claim_failed: %s", described(error))

    def _count(self, cases: Sequence[CaseId], pages: int, tally: _Tally) -> None:
        tally.cases += len(cases)
        tally.pages += pages
        for case in cases:
            self._again_at.pop(case, None)

    def _unread_and_finish(self, now: datetime, tally: _Tally) -> timedelta | None:
        """Unread records in the turn's last transaction; a fault in them does not keep its mark."""
        try:
            with self._store.begin() as tx:
                pages = sweep_unread(tx, self._desk, now=now)
                next_in = self._finish(tx, now)
        except StoreUnavailable:
            raise
        except Exception as error:
            self._failed("sweep_unread")
            _LOG.error("sweep.unread_failed: %s", described(error))
        else:
            tally.pages += pages
            return next_in
        with self._store.begin() as tx:
            return self._finish(tx, now)

    def _finish(self, tx: Transaction, now: datetime) -> timedelta | None:
        if self._stamped_at is None or abs(now - self._stamped_at) >= _STAMPED_EVERY:
            tx.stamp(LOOP, now)
            self._stamped_at = now
        return tx.min_due_in(now)
