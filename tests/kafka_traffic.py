"""Records into and out of a real Kafka, for tests that look at the broker rather than at us."""

import asyncio
from collections.abc import Sequence

from aiokafka import (  # type: ignore[import-untyped]
    AIOKafkaConsumer,
    AIOKafkaProducer,
    TopicPartition,
)

Record = tuple[bytes | None, bytes]
Headers = Sequence[tuple[str, bytes]]


def produce(
    bootstrap: str,
    topic: str,
    records: Sequence[Record],
    *,
    headers: Headers = (),
    timestamp_ms: int | None = None,
    compression: str | None = None,
) -> None:
    async def send() -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            max_request_size=50_000_000,
            compression_type=compression,
        )
        await producer.start()
        try:
            sent = [
                await producer.send(
                    topic, value, key=key, headers=list(headers), timestamp_ms=timestamp_ms
                )
                for key, value in records
            ]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    asyncio.run(send())


def consume(bootstrap: str, topic: str, count: int, *, group: str) -> list[Record]:
    """Reads `count` records as a member of the group, commits exactly those, and leaves."""

    async def read() -> list[Record]:
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            got = [await asyncio.wait_for(consumer.getone(), 30) for _ in range(count)]
            ends = {TopicPartition(r.topic, r.partition): r.offset + 1 for r in got}
            await consumer.commit(ends)
            return [(r.key, r.value) for r in got]
        finally:
            await consumer.stop()

    return asyncio.run(read())


def numbered(count: int) -> list[Record]:
    return [(f"hospital:RX1/{i % 7}".encode(), f"record {i}".encode()) for i in range(count)]
