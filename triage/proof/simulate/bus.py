"""The bus of a simulation: partitions in order, and a consumer with the calls that we use."""

import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka import ConsumerRecord, TopicPartition

from triage.consumers.topics import INBOUND
from triage.proof.simulate.story import Message

MOST_RECORDS = 500


@dataclass(slots=True)
class Bus:
    """Keeps every record; one key is always in one partition."""

    partitions: int
    logs: dict[TopicPartition, list[ConsumerRecord]] = field(default_factory=dict)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    is_away: bool = False
    back_at: datetime | None = None  # when it last came back

    def set_away(self, is_away: bool, now: datetime) -> None:
        """An outage begins or ends."""
        if self.is_away and not is_away:
            self.back_at = now
        self.is_away = is_away

    def __post_init__(self) -> None:
        for topic in INBOUND:
            for number in range(self.partitions):
                self.logs[TopicPartition(topic, number)] = []

    def append(self, message: Message, now: datetime) -> ConsumerRecord:
        """Take a record; its broker time is now, in milliseconds."""
        partition = TopicPartition(message.topic, zlib.crc32(message.key) % self.partitions)
        log = self.logs[partition]
        record = ConsumerRecord(
            topic=partition.topic,
            partition=partition.partition,
            offset=len(log),
            timestamp=int(now.timestamp() * 1000),
            timestamp_type=1,
            key=message.key,
            value=message.value,
            checksum=None,
            serialized_key_size=len(message.key),
            serialized_value_size=len(message.value or b""),
            headers=message.headers,
        )
        log.append(record)
        return record


class BusConsumer:
    """What our door asks of an `AIOKafkaConsumer`: where it stands, and what is there."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._next: dict[TopicPartition, int] = {}

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that are ours."""
        return frozenset(self._next)

    def assign(self, partitions: Collection[TopicPartition]) -> None:
        """The group has given us these, from where Kafka thinks that we were."""
        kept = {each: at for each, at in self._next.items() if each in partitions}
        self._next = {
            each: kept.get(each, self._bus.committed.get(each, 0)) for each in sorted(partitions)
        }

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on at this offset."""
        if partition in self._next:
            self._next[partition] = offset

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """For Kafka's own lag figures."""
        self._bus.committed |= offsets

    @property
    def has_more(self) -> bool:
        """Whether `fetch` would bring anything."""
        if self._bus.is_away:
            return False
        return any(at < len(self._bus.logs[each]) for each, at in self._next.items())

    def fetch(self) -> tuple[ConsumerRecord, ...]:
        """Up to 500 records, partition by partition; they count as read."""
        found: list[ConsumerRecord] = []
        for partition, at in self._next.items():
            more = self._bus.logs[partition][at : at + MOST_RECORDS - len(found)]
            found += more
            self._next[partition] = at + len(more)
        return tuple(found)
