"""The broker inside the process serves an ordinary aiokafka producer and consumer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from triage.proof.mock_broker import MockBroker, MockBrokerUnavailable

TOPIC = "triage.referrals.v1"


def run(work: Callable[[MockBroker], Awaitable[Any]]) -> Any:
    with MockBroker({TOPIC: 4}) as broker:
        return asyncio.run(asyncio.wait_for(work(broker), timeout=30))


async def publish(broker: MockBroker, numbers: range) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, acks="all", enable_idempotence=True
    )
    await producer.start()
    try:
        for n in numbers:
            await producer.send_and_wait(
                TOPIC, b"%d" % n, key=b"case-%d" % (n % 7), headers=[("content-type", b"text")]
            )
    finally:
        await producer.stop()


async def read(broker: MockBroker, expected: int) -> list[Any]:
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=broker.bootstrap,
        group_id="triage",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=1_000,  # the mock keeps a member that left until its session ends
        heartbeat_interval_ms=200,
    )
    await consumer.start()
    records: list[Any] = []
    try:
        while len(records) < expected:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
        await consumer.commit()
    finally:
        await consumer.stop()
    return records


def test_what_is_published_is_read_by_a_group_with_keys_headers_and_order() -> None:
    async def work(broker: MockBroker) -> list[Any]:
        await publish(broker, range(100))
        return await read(broker, 100)

    records = run(work)
    assert sorted(int(r.value) for r in records) == list(range(100))
    assert all(r.headers == (("content-type", b"text"),) for r in records)
    of_one_case = [int(r.value) for r in records if r.key == b"case-3"]
    assert of_one_case == sorted(of_one_case)
    assert len({r.partition for r in records}) > 1


def test_a_group_goes_on_after_what_it_has_committed() -> None:
    async def work(broker: MockBroker) -> list[Any]:
        await publish(broker, range(10))
        await read(broker, 10)
        await publish(broker, range(10, 15))
        return await read(broker, 5)

    assert sorted(int(r.value) for r in run(work)) == list(range(10, 15))


def test_a_broker_that_was_down_keeps_its_port_and_its_records() -> None:
    async def work(broker: MockBroker) -> list[Any]:
        await publish(broker, range(3))
        broker.down()
        with pytest.raises(KafkaError):
            await publish(broker, range(1))
        broker.up()
        return await read(broker, 3)

    assert sorted(int(r.value) for r in run(work)) == [0, 1, 2]


def test_a_stopped_broker_says_so() -> None:
    broker = MockBroker({TOPIC: 1})
    with broker:
        pass
    with pytest.raises(MockBrokerUnavailable, match="does not run"):
        broker.down()
    broker.stop()
