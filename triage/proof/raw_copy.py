"""The baseline `raw`: the service's own consumer, only copying records into one table.

    python -m triage.proof.raw_copy BOOTSTRAP LIBPQ-URL       until SIGTERM

As in the service: one transaction a batch with the positions in it, then the explicit Kafka commit.
Everything that the service does with a record is left out.
"""

import asyncio
import signal
import sys

import psycopg
from aiokafka import ConsumerRebalanceListener, TopicPartition

from triage.consumers.broker import Bus, Records, build_broker, subscribe

_TABLES = """
    CREATE TABLE IF NOT EXISTS bench_raw (
        topic text, part int, pos bigint, key bytea, value bytea, PRIMARY KEY (topic, part, pos));
    CREATE TABLE IF NOT EXISTS bench_raw_position (
        topic text, partition int, next_offset bigint, PRIMARY KEY (topic, partition))
"""
_COPY = """
    INSERT INTO bench_raw
    SELECT * FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bytea[], %s::bytea[])
    ON CONFLICT DO NOTHING
"""
_MOVE = """
    INSERT INTO bench_raw_position VALUES (%s, %s, %s)
    ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset
"""


async def copy(bootstrap: list[str], libpq: str) -> None:
    """Copies until SIGTERM or Ctrl-C."""
    bus = Bus(bootstrap=bootstrap, group="bench-raw")
    broker = build_broker(bus)
    connection = psycopg.connect(libpq)
    with connection.transaction():
        connection.execute(_TABLES)

    async def take(records: Records) -> None:
        await asyncio.to_thread(_write, connection, records)
        ends = {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}
        await subscriber.consumer.commit(ends)

    subscriber = subscribe(broker, bus, take, _Nobody())
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await broker.start()
    try:
        await stop.wait()
    finally:
        await broker.stop()
        connection.close()


class _Nobody(ConsumerRebalanceListener):  # type: ignore[misc]
    """Kafka's own offsets will do: nothing here must survive."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing to seek to."""

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing to give up."""


def _write(connection: psycopg.Connection, records: Records) -> None:
    columns = (
        [r.topic for r in records],
        [r.partition for r in records],
        [r.offset for r in records],
        [r.key for r in records],
        [r.value for r in records],
    )
    ends = {(r.topic, r.partition): r.offset + 1 for r in records}
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_COPY, columns)
        cursor.executemany(_MOVE, [(*place, end) for place, end in ends.items()])


if __name__ == "__main__":
    asyncio.run(copy(sys.argv[1].split(","), sys.argv[2]))
