"""Every batch to its end: stored, or waiting for the database, or split down to the bad record."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from aiokafka import AIOKafkaConsumer

from triage.consumers.batch import Stored, store_batch
from triage.consumers.broker import Records
from triage.consumers.lag_figures import LagFigures
from triage.consumers.pauses import Pause, growing
from triage.consumers.records import ReadRecord, read_records, spans, unhandled
from triage.consumers.seats import Positions, Seats
from triage.consumers.status import DoorStatus
from triage.domain.errors import StoreUnavailable
from triage.domain.instants import Clock
from triage.handle import Desk
from triage.intake.faults import described
from triage.intake.registry import Registry
from triage.store.failures import StoreBusy
from triage.store.store import Store

_LOG = logging.getLogger(__name__)
_TRIES = 3
_BUSY = (0.01, 0.5)
_AWAY = (0.2, 5.0)
T = TypeVar("T")


class RunBlocking(Protocol):
    """Runs a function that waits for the database in a thread."""

    def __call__(self, function: Callable[[], T]) -> Awaitable[T]:
        """Its result."""
        ...


Observe = Callable[[Stored], None]


def unobserved(_: Stored) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the door works with, whichever consumer it has at the moment.

    `name` stays the same over restarts, so that one which dies again and again holds nothing up.
    """

    store: Store
    desk: Desk
    clock: Clock
    registry: Callable[[], Registry]
    run_blocking: RunBlocking
    topics: Sequence[str]
    observe: Observe = unobserved
    name: str = "consumer"

    async def positions(self) -> Positions:
        """The stored position of every inbound partition."""

        def read() -> Positions:
            with self.store.read() as reader:
                return reader.positions(self.topics)

        return await self.run_blocking(read)

    async def say_behind(self, is_behind: bool) -> None:
        """Whether we read a backlog, for those who page. Raises StoreUnavailable."""

        def write() -> None:
            now = self.clock.now()
            with self.store.begin() as tx:
                if is_behind:
                    tx.say_behind(self.name, now)
                else:
                    tx.say_caught_up(self.name, now)
                    tx.notify("page")

        await self.run_blocking(write)


@dataclass(slots=True)
class Batches:
    """Takes the batches of one consumer. `closing` ends its waits; what is in hand then is left."""

    room: Room
    seats: Seats
    status: DoorStatus
    closing: asyncio.Event
    pause: Pause
    consumer: Callable[[], AIOKafkaConsumer | None]
    _failures: dict[str, int] = field(default_factory=dict)
    _lag: LagFigures = field(default_factory=LagFigures)

    async def finish(self) -> None:
        """Tell Kafka what it has not heard yet: the consumer is about to close."""
        consumer = self.consumer()
        if consumer is not None:
            await self._lag.flush(consumer)

    async def take(self, records: Records) -> None:
        """Store a batch. Raises nothing: an exception here would be swallowed with the batch."""
        try:
            await self._take(records)
        except Exception as error:
            _LOG.error("kafka.batch_failed: %s", described(error))
            self.seats.forget()
            await self.pause(_AWAY[1])
            await self._patiently(self.seat_all)  # so that the batch is read again

    async def _take(self, records: Records) -> None:
        consumer = self.consumer()
        if consumer is None:
            return
        reading = partial(read_records, records, self.room.registry, self.room.clock.now())
        read = await self._patiently(lambda: self.room.run_blocking(reading))
        if read is None:
            return
        admitted = await self._patiently(partial(self.seats.admit, consumer, spans(read)))
        if admitted is not None:
            await self._settle([each for each in read if each.partition in admitted])

    async def seat_all(self) -> None:
        """Seat the partitions that have no seat yet. Raises StoreUnavailable."""
        consumer = self.consumer()
        missing = consumer.assignment() - self.seats.next.keys() if consumer else None
        if consumer and missing:
            await self.seats.seat(consumer, missing)

    async def seat_missing(self) -> None:
        """Seat them if the database is there: without a seat a partition may bring nothing that
        would make us ask."""
        try:
            await self.seat_all()
        except StoreUnavailable as error:
            self._wait_for_database(error)
        else:
            self._has_database()

    async def _settle(self, records: Sequence[ReadRecord]) -> None:
        """Store the records in order; where our own fault is in the way, halves by themselves."""
        pending = [records] if records else []
        while pending and not self.closing.is_set():
            part = pending.pop()
            try:
                stored = await self._patiently(partial(self._store, part))
            except Exception as error:
                pending += reversed(await self._after_fault(part, error))
            else:
                if stored is not None:
                    await self._note(part, stored)

    def _store(self, part: Sequence[ReadRecord]) -> Awaitable[Stored]:
        return self.room.run_blocking(
            partial(
                store_batch,
                self.room.store,
                part,
                self.room.desk,
                now=self.room.clock.now(),
                unfenced=self.seats.cut_back,
                known=dict(self.seats.next),
            )
        )

    async def _after_fault(
        self, part: Sequence[ReadRecord], error: Exception
    ) -> list[Sequence[ReadRecord]]:
        """What to try next. A record that fails alone goes to quarantine at the third time."""
        kind = described(error)
        if len(part) > 1:
            half = len(part) // 2
            return [part[:half], part[half:]]
        (record,) = part
        failures = self._failures[record.origin] = self._failures.get(record.origin, 0) + 1
        _LOG.error("kafka.record_failed: %s: try %d: %s", record.origin, failures, kind)
        await self.pause(min(_AWAY[0] * 2**failures, _AWAY[1]))
        return [[unhandled(record, kind)] if failures >= _TRIES else part]

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """Until the database takes it; None when the consumer closes meanwhile."""
        away, busy = growing(*_AWAY), growing(*_BUSY)
        while not self.closing.is_set():
            try:
                result = await work()
            except StoreBusy:
                await self.pause(next(busy))
            except StoreUnavailable as error:
                self._wait_for_database(error)
                await self.pause(next(away))
            else:
                self._has_database()
                return result
        return None

    def _wait_for_database(self, error: StoreUnavailable) -> None:
        if self.status.waiting_for != "database":
            _LOG.warning("kafka.waiting_for_database: %s", error.what)
        self.status.waiting_for = "database"

    def _has_database(self) -> None:
        if self.status.waiting_for == "database":
            self.status.waiting_for = None
            _LOG.info("kafka.database_is_back")

    async def _note(self, part: Sequence[ReadRecord], stored: Stored) -> None:
        """After the commit: go on, seek again where fenced, tell Kafka for its lag figures."""
        kept = [record for record in part if record.partition not in stored.fenced]
        for record in kept:
            if self._failures.pop(record.origin, 0) >= _TRIES:
                self.status.unhandled += 1
        self.room.observe(stored)
        self.status.processed += len(kept)
        self.status.quarantined += stored.quarantined
        self.status.duplicates += sum(outcome.duplicate for outcome in stored.outcomes)
        self.status.last_batch_at = self.room.clock.now()
        self.status.lost = self.seats.lost
        self.seats.moved(spans(kept))
        consumer = self.consumer()
        if consumer is None:
            return
        if stored.fenced:
            self.status.fenced += 1
            await self._patiently(partial(self.seats.seat, consumer, stored.fenced))
        self._lag.note(consumer, {place: after for place, (_, after) in spans(kept).items()})
        if self.closing.is_set():
            await self._lag.flush(consumer)
