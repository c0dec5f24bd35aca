"""One consumer from its start to its end, and the signs by which we know that it is alive."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from triage.consumers.batches import Batches, Room
from triage.consumers.broker import Bus, build_broker, subscribe
from triage.consumers.catching_up import CatchingUp
from triage.consumers.pauses import until
from triage.consumers.seats import AtAssignment, Seats
from triage.consumers.status import Connection
from triage.domain.errors import StoreUnavailable

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 2.0
_ANSWER_SECONDS = 5.0
_STALLED_SECONDS = 30.0
LOOP = "consume"


class ConsumerDied(KafkaError):  # type: ignore[misc]
    """The consumer lives and reads nothing any more."""


@dataclass(slots=True)
class Stall:
    """Records wait, nothing else is waited for, and none is taken: the consumer is stuck."""

    _processed: int = 0
    _since: float | None = None

    def lasts(self, is_idle: bool, processed: int, now: float) -> bool:
        """Whether that has been so for half a minute. `now` in seconds of a monotonic clock."""
        if not is_idle or processed != self._processed or self._since is None:
            self._processed, self._since = processed, now
        return now - self._since > _STALLED_SECONDS


class Visit:
    """One consumer, from its start to its end."""

    def __init__(self, bus: Bus, room: Room, connection: Connection, stop: asyncio.Event) -> None:
        self._room, self._connection, self._stop = room, connection, stop
        self._status = status = connection.status
        self._closing = asyncio.Event()
        self._seats = Seats(room.positions)
        self._batches = Batches(
            room=room,
            seats=self._seats,
            status=status,
            closing=self._closing,
            pause=until(self._closing),
            consumer=self._consumer,
        )
        self._broker: KafkaBroker = build_broker(bus)
        at_assignment = AtAssignment(self._seats, self._consumer)
        self._subscriber: Any = subscribe(self._broker, bus, self._batches.take, at_assignment)
        self._stall = Stall()
        self._catching_up = CatchingUp(room.say_behind)

    def _consumer(self) -> AIOKafkaConsumer | None:
        consumer: AIOKafkaConsumer | None = self._subscriber.consumer
        return consumer

    async def run(self) -> None:
        """Until `stop`; raises KafkaError when another consumer is needed."""
        if not await self._unless_stopped(self._broker.start()):
            return
        while not self._stop.is_set():
            await self._look()
            await until(self._stop)(_LOOK_SECONDS)

    async def _unless_stopped(self, work: Any) -> bool:
        starting, stopping = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        try:
            either = {starting, stopping}
            first = asyncio.FIRST_COMPLETED
            if not (await asyncio.wait(either, timeout=_ANSWER_SECONDS, return_when=first))[0]:
                self._connection.is_away("no answer to our start yet, or no topics")
                await asyncio.wait(either, return_when=first)
            if not starting.done():
                return False
            starting.result()
            return True
        finally:
            starting.cancel()
            stopping.cancel()

    async def _look(self) -> None:
        """Ask the brokers of our partitions how far they are: that also proves that they answer."""
        consumer = self._consumer()
        if consumer is None or _is_dead(consumer):
            self._status.restarts += 1
            raise ConsumerDied
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                ends = await self._ends(consumer)
        except (KafkaError, TimeoutError) as error:
            self._connection.is_away(type(error).__name__)
            return
        if missing := [t for t in self._room.topics if not consumer.partitions_for_topic(t)]:
            self._connection.is_away(f"no topic {missing[0]}")
            return
        await self._batches.seat_missing()
        self._status.lag = self._seats.lag(ends)
        self._connection.is_here()
        self._refuse_to_stall()
        with suppress(StoreUnavailable):  # the next batch or look will say so
            await self._room.run_blocking(self._stamp)
            await self._catching_up.look(ends, self._seats.next)

    @staticmethod
    async def _ends(consumer: AIOKafkaConsumer) -> dict[Any, int]:
        assigned = consumer.assignment()
        if not assigned:
            await consumer.topics()
            return {}
        ends: dict[Any, int] = await consumer.end_offsets(list(assigned))
        return ends

    def _refuse_to_stall(self) -> None:
        status = self._status
        is_idle = bool(status.lag) and status.waiting_for is None
        now = asyncio.get_running_loop().time()
        if self._stall.lasts(is_idle, status.processed, now):
            status.restarts += 1
            raise ConsumerDied

    def _stamp(self) -> None:
        with self._room.store.begin() as tx:
            tx.stamp(LOOP, self._room.clock.now())

    async def close(self) -> None:
        """Let go of the consumer; a batch in hand finishes, or is read again by the next owner."""
        self._closing.set()
        try:
            await self._batches.finish()
            await self._broker.stop()
        except (KafkaError, OSError, TimeoutError) as error:
            _LOG.warning("kafka.close_failed: %s", type(error).__name__)


def _is_dead(consumer: AIOKafkaConsumer) -> bool:
    """aiokafka's coordinator can end for ever (seen: InvalidRequest on SyncGroup) while the
    consumer goes on polling nothing; it shows that nowhere but in this task."""
    task = getattr(consumer._coordinator, "_coordination_task", None)
    return task is not None and task.done()
