"""An event loop whose time jumps to the next thing that happens, in the order of a seed."""

import asyncio
import selectors
from collections import deque
from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta
from heapq import heapify, heappop
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
_MANY_TIMERS = 100
_MOST_AT_ONE_MOMENT = 50_000  # turns of the loop; a crowd of 150 referrals takes some thousands


class TimeStandsStill(RuntimeError):
    """Something goes round for ever without waiting for anything."""


class _NoSockets(selectors.BaseSelector):
    """Knows what was registered and never waits for it: the simulation has no network."""

    def __init__(self) -> None:
        self._known: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Remember it."""
        key = selectors.SelectorKey(fileobj, int(fileobj), events, data)
        self._known[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Forget it."""
        return self._known.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[Any]:  # noqa: ARG002
        """Nothing is ever ready."""
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """What is registered."""
        return self._known


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0 and moves only by jumps. What is ready at once runs in seeded order.

    Rests on `_run_once`, `_ready`, `_scheduled` and the handles of CPython 3.11: a test holds them
    (same seed, same trace).
    """

    _ready: deque[Any]
    _scheduled: list[Any]
    _stopping: bool
    _timer_cancelled_count: int
    _clock_resolution: float

    def __init__(self, dice: Random) -> None:
        self._moment = 0.0
        super().__init__(_NoSockets())
        self._dice = dice
        self._turns = 0

    def _make_self_pipe(self) -> None:
        """No other thread ever wakes this loop, and tests may forbid sockets."""

    def _close_self_pipe(self) -> None:
        """There is none."""

    def time(self) -> float:
        """Seconds since the start."""
        return self._moment

    def _run_once(self) -> None:
        """As the loop's own, in the order of the dice and without a look at sockets: a month takes
        hundreds of thousands of turns."""
        self._turns += 1
        if self._turns > _MOST_AT_ONE_MOMENT:
            self._turns = 0
            raise TimeStandsStill(f"at {self._moment:.6f} s after the start")
        if len(self._ready) > 1:
            shuffled = list(self._ready)
            self._dice.shuffle(shuffled)
            self._ready = deque(shuffled)
        ready = self._ready
        if self._timer_cancelled_count:
            self._forget_cancelled()
        scheduled = self._scheduled
        if not ready and not self._stopping:
            self._jump(scheduled)
        while scheduled and scheduled[0]._when < self._moment + self._clock_resolution:
            handle: Any = heappop(scheduled)
            handle._scheduled = False
            ready.append(handle)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _jump(self, scheduled: list[Any]) -> None:
        """To the next thing that is planned."""
        if not scheduled:
            raise RuntimeError("the simulation stands still: nothing is left that could happen")
        if scheduled[0]._when > self._moment:
            self._moment = scheduled[0]._when
            self._turns = 0

    def _forget_cancelled(self) -> None:
        """Timers that were cancelled: all of them once they are many, else the first ones."""
        scheduled = self._scheduled
        if len(scheduled) > _MANY_TIMERS and self._timer_cancelled_count > len(scheduled) / 2:
            kept = []
            for handle in scheduled:
                if handle._cancelled:
                    handle._scheduled = False
                else:
                    kept.append(handle)
            heapify(kept)
            self._scheduled, self._timer_cancelled_count = kept, 0
            return
        while scheduled and scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            heappop(scheduled)._scheduled = False


class VirtualClock:
    """The wall clock of a simulation: `start` plus the loop's time, in whole microseconds."""

    def __init__(self, start: datetime, loop: VirtualLoop) -> None:
        self.start, self._loop = start, loop
        self._read = 0.0, start  # many ask at one moment

    def now(self) -> datetime:
        """The present instant, in UTC."""
        moment = self._loop.time()
        if moment != self._read[0]:
            now = self.start + timedelta(microseconds=round(moment * 1_000_000))
            self._read = moment, now
        return self._read[1]

    def until(self, instant: datetime) -> float:
        """Seconds from now, never below zero."""
        return max((instant - self.now()).total_seconds(), 0.0)


def run_virtually(loop: VirtualLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run to the end of `work`; whatever else is under way then is cancelled."""
    try:
        return loop.run_until_complete(work)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
