"""A consumer's hands without a broker: where it reads next, and what it was told to commit."""

from collections.abc import Mapping
from datetime import UTC, datetime

from aiokafka import ConsumerRecord, TopicPartition

from triage.consumers.topics import REFERRALS

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
P0, P1 = TopicPartition(REFERRALS, 0), TopicPartition(REFERRALS, 1)


class Hands:
    """As much of an AIOKafkaConsumer as seats and batches touch."""

    def __init__(self, *assigned: TopicPartition) -> None:
        self.assigned = set(assigned)
        self.reads_from: dict[TopicPartition, int] = {}
        self.committed: dict[TopicPartition, int] = {}

    def assignment(self) -> set[TopicPartition]:
        return set(self.assigned)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        assert partition in self.assigned
        self.reads_from[partition] = offset

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.committed.update(offsets)


def record(
    offset: int, value: bytes | None, *, key: bytes = b"k", partition: TopicPartition = P0
) -> ConsumerRecord:
    at = int(NOW.timestamp() * 1000)
    size = len(value or b"")
    return ConsumerRecord(
        partition.topic, partition.partition, offset, at, 1, key, value, None, 1, size, ()
    )
