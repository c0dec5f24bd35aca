"""The metronome: makes the sweep run every second, and at the instant when the next case is due.

It holds no deadline: every turn asks the database. A run that is late, doubled or missing changes
when something is looked at, never what is owed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from triage.domain.errors import StoreUnavailable
from triage.domain.instants import Clock
from triage.escalation.sweep import SweepResult
from triage.intake.faults import described

_LOG = logging.getLogger(__name__)
_EVERY = timedelta(seconds=1)
_SOONEST = timedelta(milliseconds=5)
_WAKE = "wake"
# APScheduler's defaults drop a run that is over a second late.
_KEPT: dict[str, Any] = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
# And it drops a run of a job of which there is one: here one that turns, one that has just ended
# and is still counted, and one that waits for its turn, after which nothing asked before is lost.
_WAKES: dict[str, Any] = {**_KEPT, "max_instances": 3}


@dataclass(slots=True)
class MetronomeStatus:
    """Counts since the start. `failing` = cases of the last turn that could not be folded."""

    last_turn_at: datetime | None = None
    turns: int = 0
    cases: int = 0
    pages: int = 0
    failing: int = 0
    failed_turns: int = 0
    waiting_for: str | None = None


class Metronome:
    """Runs `turn` in a thread, never twice at once.

    `clock` is the service's; `machine` the clock that APScheduler goes by, on which `clock` runs
    `speed` times as fast (a demonstration; otherwise both are one). `failed` is told of a turn that
    ended in a fault of ours.
    """

    def __init__(
        self,
        turn: Callable[[datetime], SweepResult],
        *,
        clock: Clock,
        machine: Clock,
        run_blocking: Callable[[Callable[[], SweepResult]], Awaitable[SweepResult]],
        speed: float = 1.0,
        failed: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._turn, self._clock, self._machine, self._failed = turn, clock, machine, failed
        self._run_blocking, self._speed = run_blocking, speed
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._turning = asyncio.Lock()
        self._status = MetronomeStatus()

    def status(self) -> MetronomeStatus:
        """A copy of how things stand."""
        return replace(self._status)

    def wake(self) -> None:
        """Look now: something may have become due. From any thread; returns at once."""
        if self._scheduler.running:
            self._wake_in(timedelta(0))

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; a turn under way is finished first."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # two lines a second otherwise
        self._scheduler.add_job(
            self._beat, "interval", seconds=_EVERY.total_seconds() / self._speed, **_KEPT
        )
        self._scheduler.start()
        self.wake()
        await stop.wait()
        self._scheduler.pause()
        await asyncio.sleep(0)  # what it has just started takes its place in the queue
        async with self._turning:
            self._scheduler.shutdown(wait=False)  # which cancels what still runs

    def _wake_in(self, wait: timedelta) -> None:
        self._scheduler.add_job(
            self._beat,
            "date",
            run_date=self._machine.now() + wait,
            id=_WAKE,
            replace_existing=True,
            **_WAKES,
        )

    async def _beat(self) -> None:
        async with self._turning:
            now = self._clock.now()
            try:
                result = await self._run_blocking(lambda: self._turn(now))
            except StoreUnavailable as error:
                self._wait_for_database(error)
            except Exception as error:
                self._status.failed_turns += 1
                self._failed("sweep")
                _LOG.error("sweep.turn_failed: %s", described(error))
            else:
                self._note(now, result)

    def _note(self, now: datetime, result: SweepResult) -> None:
        status = self._status
        if status.waiting_for:
            _LOG.info("sweep.database_is_back")
        status.waiting_for, status.last_turn_at = None, now
        status.turns += 1
        status.cases += result.cases
        status.pages += result.pages
        status.failing = len(result.failed)
        # Zero: overdue, and in other hands or failing. The next beat is soon enough for those.
        if result.looks_ahead and self._scheduler.running:
            self._wake_in(_SOONEST)
        elif result.next_in and self._scheduler.running:
            wait = now + result.next_in - self._clock.now()  # the turn itself took some of it
            if wait < _EVERY:
                self._wake_in(max(wait / self._speed, _SOONEST))

    def _wait_for_database(self, error: StoreUnavailable) -> None:
        if self._status.waiting_for is None:
            _LOG.warning("sweep.waiting_for_database: %s", error.what)
        self._status.waiting_for = "database"
