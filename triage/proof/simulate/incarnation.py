"""One life of one process: the production door, sweep and relay, from its start to its death."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from aiokafka import TopicPartition

from triage.consumers.batches import Batches, Room
from triage.consumers.catching_up import CatchingUp
from triage.consumers.pauses import until
from triage.consumers.seats import AtAssignment, Seats
from triage.consumers.status import DoorStatus
from triage.consumers.topics import INBOUND
from triage.domain.errors import StoreUnavailable
from triage.escalation.sweep import Sweep
from triage.metrics.instruments import Instruments
from triage.notify.delivery import Delivery
from triage.notify.relay import Relay
from triage.notify.resolve import resolve_order
from triage.paging_port import StorePages
from triage.proof.simulate.bus import BusConsumer
from triage.proof.simulate.crash_points import Gate, Mortal
from triage.proof.simulate.watched_store import WatchedStore
from triage.proof.simulate.web_door import look_at_page
from triage.proof.simulate.world import World
from triage.registering import Registering
from triage.web.parts import WebParts
from triage.web.submission import take

T = TypeVar("T")
PUBLIC_URL = "https://triage.example"
_SIGNS_NOTHING_REAL = "sessions of simulated people"
_BEAT = timedelta(seconds=1)
_LOOK = timedelta(seconds=2)
_UNREAD_EVERY = timedelta(seconds=30)
_RELAY_RESTS_AFTER = timedelta(seconds=12)  # longer than a lease: nothing is on its way then


@dataclass(frozen=True, slots=True, kw_only=True)
class Makers:
    """How the parts are made. A test puts a faulty part here to see whether it is found out."""

    batches: Callable[..., Batches] = Batches
    pages: Callable[..., StorePages] = StorePages
    sweep: Callable[..., Sweep] = Sweep
    take: Callable[..., Coroutine[Any, Any, Any]] = take
    look: Callable[..., Coroutine[Any, Any, int]] = look_at_page


class Incarnation:
    """Starts every role; `die` cuts all of them off at once and gives nothing back."""

    def __init__(
        self, world: World, name: str, makers: Makers, died: Callable[["Incarnation", str], None]
    ) -> None:
        self.world, self.name, self.makers = world, name, makers
        self.gate = Gate(
            world.points,
            lambda: world.is_away("database"),
            lambda point: died(self, point),
        )
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._is_hinted = False
        self._page_is_owed = asyncio.Event()
        self.consumer = BusConsumer(world.bus)
        self._seats = Seats(self._positions)
        self._at_assignment = AtAssignment(self._seats, lambda: self.consumer)
        self._registering = Registering(self._store("registry"), world.desk)
        self._batches = self._make_batches()
        self._sweep = makers.sweep(self._store("sweep"), world.desk)
        self._relay = self._make_relay()
        self.parts = self._web_parts()

    def start(self) -> None:
        """Every role begins, once it is known that there may be a backlog."""
        self.spawn(self._begin())

    async def _begin(self) -> None:
        await self._patiently(lambda: self._batches.room.say_behind(True))
        for work in (self._door(), self._sweeping(), self._relaying()):
            self.spawn(work)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something as a part of this process: it ends with it."""
        token = _OWNER.set(self)
        try:
            return asyncio.get_running_loop().create_task(work)
        finally:
            _OWNER.reset(token)

    def owns(self, task: asyncio.Task[Any]) -> None:
        """Remember a task of this process."""
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    def die(self) -> None:
        """Nothing of it goes on; what it held in memory is gone."""
        self.gate.is_alive = False
        for task in list(self._tasks):
            task.cancel()

    def assign(self, partitions: Collection[TopicPartition]) -> None:
        """The group has a new division."""
        if set(partitions) != set(self.consumer.assignment()):
            self.spawn(self._assigned(partitions))

    async def _assigned(self, partitions: Collection[TopicPartition]) -> None:
        await self._at_assignment.on_partitions_revoked(self.consumer.assignment())
        self.consumer.assign(partitions)
        await self._at_assignment.on_partitions_assigned(partitions)
        self.world.poke()

    async def run_blocking(self, function: Callable[[], T]) -> T:
        """Database work, with room for others before and after it."""
        await asyncio.sleep(0)
        self.gate.at("work")
        result = function()
        await asyncio.sleep(0)
        self.gate.at("worked")
        return result

    async def _door(self) -> None:
        await self._patiently(lambda: self.run_blocking(self._registering.refresh))
        catching_up = CatchingUp(self._batches.room.say_behind)
        looks_at = self.world.clock.now()
        while True:
            if self.consumer.assignment() - self._seats.next.keys():
                await self._batches.seat_missing()
            if self.consumer.has_more:
                await self._batches.take(self.consumer.fetch())
            else:
                if self.world.clock.now() >= looks_at:
                    await self._look(catching_up)
                    looks_at = self.world.clock.now() + _LOOK
                await self.world.changes(looks_at if catching_up.is_behind else None)

    async def _look(self, catching_up: CatchingUp) -> None:
        bus = self.world.bus
        if not bus.is_away:
            ends = {each: len(bus.logs[each]) for each in self.consumer.assignment()}
            with suppress(StoreUnavailable):
                await catching_up.look(ends, self._seats.next)

    async def _patiently(self, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await work()
            except StoreUnavailable:
                await asyncio.sleep(_BEAT.total_seconds())
            else:
                return

    async def _sweeping(self) -> None:
        """A turn at the start, at each hint, when a case is due; for unread records now and then.

        Turns of the metronome that find nothing are left out.
        """
        world = self.world
        while True:
            self._is_hinted = False
            await self._sweep_once()
            turned_at = world.clock.now()
            while not self._is_hinted:
                wanted = self._next_turn(turned_at)
                if wanted is not None and wanted <= world.clock.now():
                    break
                await world.changes(wanted)

    def _next_turn(self, turned_at: datetime) -> datetime | None:
        due = self.world.next_due()
        wanted = [] if due is None else [due if due > turned_at else turned_at + _BEAT]
        if self.world.has_unread():
            wanted.append(turned_at + _UNREAD_EVERY)
        return min(wanted, default=None)

    def _hint(self) -> None:
        self._is_hinted = True
        self.world.poke()

    async def _sweep_once(self) -> None:
        now = self.world.clock.now()
        try:
            await self.run_blocking(lambda: self._sweep.turn(now))
        except StoreUnavailable:
            await asyncio.sleep(_BEAT.total_seconds())

    async def _relaying(self) -> None:
        while True:
            await self._until_ready()
            if not self.world.watches:
                if not await self._relay.turn(self.world.clock.now()):
                    await asyncio.sleep(_BEAT.total_seconds())  # what is ready waits for a backlog
                await self._relay.settle()
                continue
            stop = asyncio.Event()
            running = self.spawn(self._relay.run(stop, self._page_is_owed))
            await self._until_idle()
            stop.set()
            await running

    async def _until_ready(self) -> None:
        world = self.world
        while True:
            ready = world.next_ready()
            if ready is not None and ready <= world.clock.now():
                return
            await world.changes(ready)

    async def _until_idle(self) -> None:
        world = self.world
        while True:
            ready, now = world.next_ready(), world.clock.now()
            if ready is None or ready > now + _RELAY_RESTS_AFTER:
                return
            await world.changes(now + _BEAT)

    def _store(self, role: str) -> WatchedStore:
        store = WatchedStore(
            self.world.engine,
            role=role,
            gate=self.gate,
            committed=lambda: self.world.committed(role),
        )
        store.on_wake("due", self._hint)
        store.on_wake("page", self._page_is_owed.set)
        return store

    async def _positions(self) -> Any:
        return await self._batches.room.positions()

    def _make_batches(self) -> Batches:
        closing = asyncio.Event()
        room = Room(
            store=self._store("door"),
            desk=self.world.desk,
            clock=self.world.clock,
            registry=self._registering.registry,
            run_blocking=self.run_blocking,
            topics=INBOUND,
            name=self.name,
        )
        return self.makers.batches(
            room=room,
            seats=self._seats,
            status=DoorStatus(),
            closing=closing,
            pause=until(closing),
            consumer=lambda: self.consumer,
        )

    def _make_relay(self) -> Relay:
        world = self.world
        delivery = Delivery(
            routes=world.phones.of(self.gate),
            resolve=lambda order: resolve_order(order, world.roster, world.clock.now()),
            clock=world.clock,
            public_url=PUBLIC_URL,
        )
        pages = self.makers.pages(self._store("relay"), world.desk, world.clock, instruments())
        return Relay(port=pages, delivery=delivery, run_blocking=self.run_blocking)

    def _web_parts(self) -> WebParts:
        return WebParts(
            store=self._store("web"),
            desk=self.world.desk,
            clock=self.world.clock,
            run_blocking=self.run_blocking,
            instruments=instruments(),
            secret_key=_SIGNS_NOTHING_REAL,
            public_url=PUBLIC_URL,
            is_demo=True,
        )


_OWNER: ContextVar[Incarnation | None] = ContextVar("owner", default=None)


def owning_factory(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], **names: Any
) -> asyncio.Task[T]:
    """Tasks that a process starts belong to it, however deep in the program they are started."""
    owner = _OWNER.get()
    if owner is not None and owner.world.story.crashes:
        work = Mortal(work, owner.gate)
    task = asyncio.Task(work, loop=loop, **names)
    if owner is not None:
        owner.owns(task)
    return task


@cache
def instruments() -> Instruments:
    """Counters that nobody reads: one set for all simulated processes."""
    return Instruments(version="simulated")
