"""The outbox to Kafka: what the database owes the bus, in order for each key, at least once."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from triage.consumers.batches import RunBlocking
from triage.consumers.broker import Bus, client_security
from triage.consumers.pauses import growing, until
from triage.domain.errors import StoreUnavailable
from triage.domain.instants import Clock
from triage.intake.faults import described
from triage.store.records import OutboxItem
from triage.store.store import Store

_LOG = logging.getLogger(__name__)
_CLAIM = 500
_IDLE_SECONDS = 0.2
_TIMEOUT_MS = 10_000
_LEASE_SECONDS = 30.0  # longer than a send may take, so that no other sends the same meanwhile
_START_SECONDS = 20.0
_STOP_SECONDS = 3.0
_LARGEST_BYTES = 1_400_000
LOOP = "publish"


class OutboxPublisher:
    """Claims owed records, sends them, marks what Kafka acknowledged on all in-sync replicas."""

    def __init__(self, bus: Bus, *, store: Store, clock: Clock, run_blocking: RunBlocking) -> None:
        self._bus, self._store, self._clock = bus, store, clock
        self._run_blocking = run_blocking
        self.published = 0
        self.failed = 0
        self.connected = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. While Kafka or the database is away, the rows stay and are tried again."""
        pauses = growing(0.2, 5.0)
        while not stop.is_set():
            producer = self._producer()
            try:
                if not await _started(producer, stop):
                    return
                self._is_here()
                pauses = growing(0.2, 5.0)
                await self._publish_until(stop, producer)
            except Exception as error:
                self._is_away(error)
            finally:
                await _stopped(producer)
            await until(stop)(next(pauses))

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=list(self._bus.bootstrap),
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            request_timeout_ms=_TIMEOUT_MS,
            max_request_size=_LARGEST_BYTES,
            **client_security(self._bus.security),
        )

    async def _publish_until(self, stop: asyncio.Event, producer: AIOKafkaProducer) -> None:
        while not stop.is_set():
            if await self.turn(producer) < _CLAIM:  # copies for others: they can wait a moment
                await until(stop)(_IDLE_SECONDS)

    async def turn(self, producer: AIOKafkaProducer) -> int:
        """Publish one claim; returns how many records Kafka took. Raises StoreUnavailable, or
        KafkaError when Kafka took none of them."""
        items = await self._run_blocking(self._claim)
        if not items:
            return 0
        sent = [await self._sent(producer, item) for item in items]
        results = await asyncio.gather(*sent, return_exceptions=True)
        taken = list(_in_order(items, results))
        await self._run_blocking(lambda: self._mark(taken))
        self.published += len(taken)
        self._note_failures(items, results)
        if not taken and isinstance(results[0], BaseException):
            raise results[0]
        return len(taken)

    def _claim(self) -> list[OutboxItem]:
        with self._store.begin() as tx:
            now = self._clock.now()
            tx.stamp(LOOP, now)
            return tx.claim_outbox(_CLAIM, now=now, lease_seconds=_LEASE_SECONDS)

    def _mark(self, taken: Sequence[int]) -> None:
        with self._store.begin() as tx:
            tx.mark_published(taken, self._clock.now())

    @staticmethod
    async def _sent(producer: AIOKafkaProducer, item: OutboxItem) -> "asyncio.Future[Any]":
        headers = [(name, value.encode()) for name, value in item.headers]
        try:
            future: asyncio.Future[Any] = await producer.send(
                item.topic, item.value, key=item.key.encode(), headers=headers
            )
        except KafkaError as error:
            future = asyncio.get_running_loop().create_future()
            future.set_exception(error)
        return future

    def _note_failures(self, items: Iterable[OutboxItem], results: Iterable[object]) -> None:
        for item, result in zip(items, results, strict=True):
            if isinstance(result, BaseException):
                self.failed += 1
                _LOG.error("outbox.refused: %s %s", item.topic, type(result).__name__)

    def _is_here(self) -> None:
        self.connected = True
        _LOG.info("outbox.connected")

    def _is_away(self, error: Exception) -> None:
        if isinstance(error, KafkaError | OSError | StoreUnavailable):
            if self.connected:
                _LOG.warning("outbox.waiting: %s", type(error).__name__)
        else:
            _LOG.error("outbox.failed: %s", described(error))
        self.connected = False


def _in_order(items: Iterable[OutboxItem], results: Iterable[object]) -> Iterable[int]:
    """The ids that are done. After a failure the rest of its key is sent again behind it, so that
    the newest of a key is the last on its topic."""
    broken: set[tuple[str, str]] = set()
    for item, result in zip(items, results, strict=True):
        if isinstance(result, BaseException):
            broken.add((item.topic, item.key))
        elif (item.topic, item.key) not in broken:
            yield item.id


async def _started(producer: AIOKafkaProducer, stop: asyncio.Event) -> bool:
    """Started; False when told to stop meanwhile. A start held up by a lost Kafka is given up."""
    starting = asyncio.ensure_future(producer.start())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait(
            {starting, stopping}, timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if starting.done():
            starting.result()
            return True
        if stop.is_set():
            return False
        raise TimeoutError
    finally:
        starting.cancel()
        stopping.cancel()


async def _stopped(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        _LOG.debug("outbox.stop_failed: %s", type(error).__name__)
