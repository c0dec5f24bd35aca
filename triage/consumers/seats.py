"""Where each partition goes on: at the position in our database, whatever Kafka has committed."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from triage.consumers.records import Spans
from triage.domain.errors import StoreUnavailable

_LOG = logging.getLogger(__name__)

Positions = Mapping[tuple[str, int], int]


@dataclass(slots=True)
class Seats:
    """The next offset of each partition that this consumer holds, as far as it knows.

    `read_positions` gives the stored rows; it raises StoreUnavailable. `lost` counts records that
    Kafka deleted before we read them, `cut_back` partitions whose log ends before our position.
    """

    read_positions: Callable[[], Awaitable[Positions]]
    next: dict[TopicPartition, int] = field(default_factory=dict)
    lost: int = 0
    _fresh: set[TopicPartition] = field(default_factory=set)
    _doubted: dict[TopicPartition, tuple[int, int]] = field(default_factory=dict)
    _cut_back: dict[TopicPartition, int] = field(default_factory=dict)

    @property
    def cut_back(self) -> frozenset[TopicPartition]:
        """Partitions that are read again from their beginning, without a position of ours."""
        return frozenset(self._cut_back)

    def lag(self, ends: Mapping[TopicPartition, int]) -> int | None:
        """Records up to these ends that are not in the database; None while a seat is missing."""
        if ends.keys() - self.next.keys():
            return None
        return sum(max(0, end - self.next[partition]) for partition, end in ends.items())

    def forget(self) -> None:
        """The assignment changed: nothing is known until it has been read again."""
        self.next.clear()
        self._doubted.clear()
        self._cut_back.clear()

    async def seat(
        self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
    ) -> None:
        """Seek these partitions to their stored positions; to their beginning without one."""
        rows = await self.read_positions()
        for partition in consumer.assignment().intersection(partitions):
            position = rows.get((partition.topic, partition.partition))
            self._fresh.discard(partition)
            if position is None:
                self._fresh.add(partition)
            self.next[partition] = position or 0
            consumer.seek(partition, position or 0)

    async def admit(self, consumer: AIOKafkaConsumer, found: Spans) -> frozenset[TopicPartition]:
        """Those partitions of a batch that begin where we stopped. Others are sought again, once;
        when Kafka then gives the same, the log itself has changed, and it is taken as it is."""
        unknown = found.keys() - self.next.keys()
        if unknown:
            await self.seat(consumer, unknown)
        return frozenset(
            partition
            for partition, (first, _) in found.items()
            if self._admits(consumer, partition, first)
        )

    def _admits(self, consumer: AIOKafkaConsumer, partition: TopicPartition, first: int) -> bool:
        wanted = self.next.get(partition)
        if wanted is None:
            return False  # taken from us meanwhile
        if first == wanted or (first > wanted and partition in self._fresh):
            return True
        if self._doubted.pop(partition, None) == (wanted, first):
            self._accept(partition, wanted, first)
            return True
        self._doubted[partition] = (wanted, first)
        if partition in consumer.assignment():
            consumer.seek(partition, wanted)
        return False

    def _accept(self, partition: TopicPartition, wanted: int, first: int) -> None:
        where = f"{partition.topic}/{partition.partition}"
        if first > wanted:
            self.lost += first - wanted
            _LOG.error("kafka.gap: %s: offsets %d to %d are gone", where, wanted, first - 1)
        else:
            self._cut_back[partition] = wanted
            _LOG.error("kafka.log_cut_back: %s: goes on at %d, ours %d", where, first, wanted)

    def moved(self, found: Spans) -> None:
        """These offsets are in the database."""
        for partition, (_, after) in found.items():
            if partition in self.next:
                self.next[partition] = after
            self._fresh.discard(partition)
            if after >= self._cut_back.get(partition, after + 1):
                del self._cut_back[partition]


class AtAssignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """Seeks what was assigned. Where the database is away, the first batch sees to it instead."""

    def __init__(self, seats: Seats, consumer: Callable[[], AIOKafkaConsumer | None]) -> None:
        self._seats, self._consumer = seats, consumer

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:  # noqa: ARG002
        """Nothing to finish: a batch in hand is fenced by its positions."""
        self._seats.forget()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Go on where the database says."""
        self._seats.forget()
        consumer = self._consumer()
        if consumer is None:
            return
        try:
            await self._seats.seat(consumer, assigned)
        except StoreUnavailable as error:
            _LOG.warning("kafka.seat_waits: %s", error.what)
