"""Kafka away at the start, away later, or with a consumer that died: it goes on by itself."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from tests.running_door import House, eventually, referral, running
from triage.consumers.topics import ACTIONS, CASES, PAGES, QUARANTINE, REFERRALS
from triage.proof.mock_broker import MockBroker
from triage.store import open_store

TOPICS = {REFERRALS: 4, ACTIONS: 4, CASES: 1, PAGES: 1, QUARANTINE: 1}


@pytest.fixture
def broker() -> Iterator[MockBroker]:
    with MockBroker(TOPICS) as started:
        yield started


@pytest.fixture
def house(broker: MockBroker) -> House:
    return House(open_store("sqlite://"), broker.bootstrap, session_seconds=1.0)


async def publish(broker: MockBroker, numbers: range) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        for number in numbers:
            key, value = referral(number)
            await producer.send_and_wait(REFERRALS, value, key=key)
    finally:
        await producer.stop()


def cases(house: House) -> int:
    with house.store.read() as reader:
        return len(reader.cases())


def test_kafka_may_come_later_than_we_do(
    house: House, broker: MockBroker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.down()
    door = house.door()

    async def late() -> None:
        await eventually(lambda: "kafka.lost: KafkaConnectionError" in caplog.text)
        assert door.status().waiting_for == "Kafka"
        assert not door.status().connected
        broker.up()
        await publish(broker, range(10))
        await eventually(lambda: door.status().processed == 10, door.status)
        await eventually(lambda: door.status().connected, door.status)

    asyncio.run(running([door], late))
    assert cases(house) == 10


def test_while_kafka_is_away_it_says_so_once_and_then_goes_on(
    house: House, broker: MockBroker, caplog: pytest.LogCaptureFixture
) -> None:
    door, publisher = house.door(), house.publisher()

    async def outage() -> None:
        await publish(broker, range(5))
        await eventually(lambda: publisher.published >= 5, door.status)
        broker.down()
        await eventually(lambda: not door.status().connected, door.status)
        assert door.status().waiting_for == "Kafka"
        broker.up()
        await publish(broker, range(5, 12))
        await eventually(lambda: door.status().processed >= 12, door.status)
        await eventually(lambda: publisher.published >= 12, lambda: publisher.failed)

    caplog.set_level("INFO", logger="triage")
    asyncio.run(running([door, publisher], outage))
    assert cases(house) == 12
    said = [each.getMessage() for each in caplog.records]
    assert sum(text.startswith("kafka.lost") for text in said) == 1


def test_a_stop_while_kafka_is_away_is_quick(house: House, broker: MockBroker) -> None:
    broker.down()
    door, publisher = house.door(), house.publisher()

    async def stopped_soon() -> float:
        await running([door, publisher], lambda: asyncio.sleep(0.5))
        return 0.0

    asyncio.run(asyncio.wait_for(stopped_soon(), 10))


def test_a_consumer_whose_coordinator_died_is_replaced(house: House, broker: MockBroker) -> None:
    door = house.door()

    async def death() -> None:
        await publish(broker, range(5))
        await eventually(lambda: door.status().processed >= 5, door.status)
        task: Any = _coordination(door)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await eventually(lambda: door.status().restarts == 1, door.status)
        await publish(broker, range(5, 10))
        await eventually(lambda: door.status().processed >= 10, door.status)

    asyncio.run(running([door], death))
    assert cases(house) == 10


def _coordination(door: Any) -> Any:
    """The task inside aiokafka that is the first to die; the test fails if it is not there."""
    found = [
        task
        for task in asyncio.all_tasks()
        if "_coordination_routine" in getattr(task.get_coro(), "__qualname__", "")
    ]
    assert len(found) == 1, door.status()
    return found[0]
