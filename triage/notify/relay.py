"""The relay: claims pages that are owed, starts them on their way, and keeps at it."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from triage.domain.paging import ClaimedPage
from triage.notify.bundles import bundles
from triage.notify.delivery import Delivery
from triage.notify.faults import fault_of
from triage.notify.ports import PagePort, RunBlocking
from triage.notify.recorder import Recorder

LOG = logging.getLogger(__name__)

T = TypeVar("T")

_BATCH = 50
LEASE_SECONDS = 10.0
_MARGIN_SECONDS = 0.5  # of the lease, for writing down what came of it
_POLL_SECONDS = 1.0
_FLOW_LOOKS = 4  # in the time between two polls
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 5.0
_WIND_UP_SECONDS = 3.0


@dataclass(kw_only=True)
class Relay:
    """Sends what the store owes. Any number of relays may work on one store.

    `last_turn_at` is when a turn last came to its end, None before the first; `failures` counts the
    turns that did not (the store was away, or a fault).
    """

    port: PagePort
    delivery: Delivery
    run_blocking: RunBlocking
    last_turn_at: datetime | None = field(default=None, init=False)
    failures: int = field(default=0, init=False)
    _recorder: Recorder = field(init=False)
    _on_their_way: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _arrivals: int = field(default=0, init=False)
    _has_room: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        self._recorder = Recorder(self.port, self.run_blocking)

    async def turn(self, now: datetime) -> int:
        """Claim up to 50 pages and start them, without waiting for any; returns how many.

        Outcomes are written meanwhile, unless the store did not take the last of them.
        Raises what the store raised; nothing that was sent is forgotten then.
        """
        if self._recorder.is_behind:
            await self._recorder.flush()
        latest_start = self._loop_time() + (
            LEASE_SECONDS - self.delivery.send_seconds - _MARGIN_SECONDS
        )
        claims = await self.run_blocking(lambda: self.port.claim_pages(_BATCH, LEASE_SECONDS))
        # What was accepted is left out: its lease ended before the store was told.
        fresh = [claim for claim in claims if not self._recorder.has_accepted(claim.order)]
        for group in bundles(fresh, self.delivery.list_key):
            self._start(group, latest_start)
        self.last_turn_at = now
        return len(claims)

    async def settle(self) -> None:
        """Wait until every page that was started has an outcome, and the store has it."""
        while self._on_their_way:
            await asyncio.wait(self._on_their_way)
        await self._recorder.flush()

    async def run(self, stop: asyncio.Event, wake: asyncio.Event) -> None:
        """Turn until told to stop; `wake` makes the next turn come at once.

        A store that is away is asked again after 0.5 s, then less often, at least every 5 s.
        """
        pause = _FIRST_PAUSE_SECONDS
        while not stop.is_set():
            wake.clear()
            claimed = await self._survive(self.turn(self.delivery.clock.now()))
            if claimed is None:
                await _first_of(pause, stop)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            pause = _FIRST_PAUSE_SECONDS
            if claimed < _BATCH:  # nothing more was ready
                await _first_of(_POLL_SECONDS, stop, wake)
            else:
                await self._let_flow(stop, wake)
        await self._survive(self._wind_up())

    async def _wind_up(self) -> None:
        """What does not come to its end in time is sent again, marked, when its lease is over."""
        if self._on_their_way:
            _, late = await asyncio.wait(self._on_their_way, timeout=_WIND_UP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._recorder.flush()

    async def _survive(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result, or None after a failure that was counted and told."""
        try:
            return await work
        except Exception as error:  # the loop's outer edge: pages must go on
            self.failures += 1
            LOG.error("relay.failed fault=%s failures=%d", fault_of(error), self.failures)
            return None

    def _start(self, group: Sequence[ClaimedPage], latest_start: float) -> None:
        work = self.delivery.deliver_list(group, until=latest_start, note=self._recorder.note)
        task = asyncio.create_task(work)
        self._on_their_way.add(task)
        task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._on_their_way.discard(task)
        self._arrivals += 1
        if len(self._on_their_way) <= _BATCH:
            self._has_room.set()
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            self.failures += 1  # its lease ends, and the page is sent again
            LOG.error("relay.failed fault=%s failures=%d", fault_of(fault), self.failures)

    async def _let_flow(self, stop: asyncio.Event, wake: asyncio.Event) -> None:
        """Wait for room, at most a second; less when a new page is owed or nothing moves.

        So a backlog is not claimed faster than it goes out, and neither it nor a route that hangs
        keeps an EMERGENT page waiting.
        """
        if len(self._on_their_way) <= _BATCH:
            return
        self._has_room.clear()
        for _ in range(_FLOW_LOOKS):
            arrived = self._arrivals
            await _first_of(_POLL_SECONDS / _FLOW_LOOKS, stop, self._has_room)
            if stop.is_set() or self._has_room.is_set() or wake.is_set():
                return
            if self._arrivals == arrived:
                return

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()


async def _first_of(seconds: float, *events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
