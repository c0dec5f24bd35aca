"""The outbox: what Kafka refuses stays owed, and the newest of a key is the last on its topic."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from triage.consumers.broker import Bus
from triage.consumers.publisher import OutboxPublisher
from triage.consumers.topics import CASES
from triage.store import Store, open_store
from triage.store.records import OutboxRow

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


class Topic:
    """Stands where Kafka stands: `refuses` says which values it does not take, and how."""

    def __init__(self, refuses: Callable[[bytes], Exception | None]) -> None:
        self.refuses = refuses
        self.records: list[tuple[bytes, bytes]] = []

    async def send(
        self, topic: str, value: bytes, *, key: bytes, headers: Any
    ) -> "asyncio.Future[Any]":
        error = self.refuses(value)
        if isinstance(error, MessageSizeTooLargeError):
            raise error
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if error:
            future.set_exception(error)
        else:
            self.records.append((key, value))
            future.set_result(None)
        return future


async def _at_once(work: Callable[[], Any], /) -> Any:
    return work()


def owing(*rows: tuple[str, bytes]) -> tuple[Store, OutboxPublisher, Clock]:
    store, clock = open_store("sqlite://"), Clock()
    with store.begin() as tx:
        tx.outbox([OutboxRow(topic=CASES, key=key, value=value) for key, value in rows], NOW)
    bus = Bus(bootstrap=["127.0.0.1:1"])
    return store, OutboxPublisher(bus, store=store, clock=clock, run_blocking=_at_once), clock


def turn(publisher: OutboxPublisher, topic: Topic) -> int:
    return asyncio.run(publisher.turn(topic))  # type: ignore[arg-type]


def test_everything_owed_goes_out_in_order_once() -> None:
    _, publisher, _ = owing(("A", b"1"), ("B", b"2"), ("A", b"3"))
    topic = Topic(lambda value: None)
    assert turn(publisher, topic) == 3
    assert turn(publisher, topic) == 0
    assert topic.records == [(b"A", b"1"), (b"B", b"2"), (b"A", b"3")]


def test_after_a_refusal_the_rest_of_its_key_is_sent_again_behind_it() -> None:
    _, publisher, clock = owing(("A", b"old"), ("B", b"other"), ("A", b"new"))
    topic = Topic(lambda value: KafkaConnectionError() if value == b"old" else None)
    assert turn(publisher, topic) == 1
    topic.refuses = lambda value: None
    clock.at += timedelta(seconds=31)  # past the lease
    assert turn(publisher, topic) == 2
    assert [value for key, value in topic.records if key == b"A"][-1] == b"new"
    assert publisher.failed == 1


def test_a_record_that_is_too_large_holds_up_no_other_key(caplog: Any) -> None:
    _, publisher, _ = owing(("A", b"x" * 9), ("B", b"fits"))
    too_large = MessageSizeTooLargeError()
    topic = Topic(lambda value: too_large if len(value) > 8 else None)
    assert turn(publisher, topic) == 1
    assert topic.records == [(b"B", b"fits")]
    assert f"outbox.refused: {CASES} MessageSizeTooLargeError" in caplog.text


def test_when_nothing_is_taken_the_rows_stay_and_the_caller_hears_of_it() -> None:
    _, publisher, clock = owing(("A", b"1"), ("B", b"2"))
    with pytest.raises(KafkaConnectionError):
        turn(publisher, Topic(lambda value: KafkaConnectionError()))
    clock.at += timedelta(seconds=31)
    back = Topic(lambda value: None)
    assert turn(publisher, back) == 2
