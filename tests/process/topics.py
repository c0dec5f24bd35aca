"""What stands on the topics, read by one who only looks on, and where the consumers are."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka import KafkaAdminClient

GROUP = "triage"


def everything(bootstrap: str, topic: str) -> list[Any]:
    """All records of a topic (aiokafka's), partition by partition, up to its end of this moment."""

    async def read() -> list[Any]:
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        await consumer.start()
        try:
            await consumer._client.force_metadata_update()
            parts = [TopicPartition(topic, number) for number in await _parts(consumer, topic)]
            consumer.assign(parts)
            await consumer.seek_to_beginning(*parts)
            ends = await consumer.end_offsets(parts)
            found: list[Any] = []
            for part in parts:
                while await consumer.position(part) < ends[part]:
                    batches = await consumer.getmany(part, timeout_ms=2_000)
                    found += [record for batch in batches.values() for record in batch]
            return found
        finally:
            await consumer.stop()

    return asyncio.run(read())


async def _parts(consumer: Any, topic: str) -> Iterable[int]:
    await consumer.topics()
    return sorted(consumer.partitions_for_topic(topic) or ())


def send(bootstrap: str, topic: str, key: bytes, *values: bytes | None) -> None:
    """Records with one key, so on one partition, in this order."""

    async def produce() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=4 << 20)
        await producer.start()
        try:
            for value in values:
                await producer.send_and_wait(topic, value, key=key)
        finally:
            await producer.stop()

    asyncio.run(produce())


def committed(bootstrap: str) -> dict[tuple[str, int], int]:
    """The group's committed offsets."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    try:
        found = admin.list_group_offsets({GROUP: None})[GROUP]
    finally:
        admin.close()
    return {(place.topic, place.partition): at.offset for place, at in found.items()}
