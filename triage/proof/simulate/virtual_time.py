"""An event loop whose time jumps to the next thing that happens, in the order of a seed."""

import asyncio
import selectors
from asyncio import events
from collections import deque
from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
_MOST_AT_ONE_MOMENT = 50_000  # turns of the loop; a crowd of 150 referrals takes some thousands


class TimeStandsStill(RuntimeError):
    """Something goes round for ever without waiting for anything."""


class _NoSockets(selectors.BaseSelector):
    """Knows what was registered and never waits for it: the simulation has no network."""

    def __init__(self) -> None:
        self.loop: VirtualLoop | None = None
        self._known: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Remember it."""
        key = selectors.SelectorKey(fileobj, int(fileobj), events, data)
        self._known[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Forget it."""
        return self._known.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[Any]:
        """Nothing is ever ready; where the loop would wait, time has passed instead."""
        if timeout is None:
            raise RuntimeError("the simulation stands still: nothing is left that could happen")
        if timeout > 0 and self.loop is not None:
            self.loop.jump()
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """What is registered."""
        return self._known


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0 and moves only by jumps. What is ready at once runs in seeded order.

    Rests on `_run_once`, `_ready` and `_scheduled` of CPython 3.11: a test holds them (same seed,
    same trace).
    """

    def __init__(self, dice: Random) -> None:
        self._moment = 0.0
        selector = _NoSockets()
        super().__init__(selector)
        selector.loop = self
        self._dice = dice
        self._turns = 0

    def _make_self_pipe(self) -> None:
        """No other thread ever wakes this loop, and tests may forbid sockets."""

    def _close_self_pipe(self) -> None:
        """There is none."""

    def time(self) -> float:
        """Seconds since the start."""
        return self._moment

    def jump(self) -> None:
        """To the next thing that is planned."""
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        if scheduled:
            self._moment = max(self._moment, scheduled[0].when())
            self._turns = 0

    def _run_once(self) -> None:
        self._turns += 1
        if self._turns > _MOST_AT_ONE_MOMENT:
            self._turns = 0
            raise TimeStandsStill(f"at {self._moment:.6f} s after the start")
        ready: deque[events.Handle] = self._ready  # type: ignore[has-type]
        if len(ready) > 1:
            shuffled = list(ready)
            self._dice.shuffle(shuffled)
            self._ready = deque(shuffled)
        super()._run_once()  # type: ignore[misc]


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
