"""From real Kafka into real PostgreSQL: every record ends in exactly one place, whatever fails."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from kafka import KafkaAdminClient
from kafka import TopicPartition as AdminPartition
from sqlalchemy import text

from tests.kafka_traffic import consume, produce
from tests.running_door import House, act, drain, eventually, referral, running
from tests.services import remake_topics
from triage.consumers.topics import ACTIONS, CASES, PAGES, QUARANTINE, REFERRALS
from triage.domain.roster.roster import Roster, default_roster
from triage.store import Store, open_store

pytestmark = [pytest.mark.kafka_real, pytest.mark.postgres_real]

UNPUBLISHED = "outbox WHERE published_at IS NULL"
ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "tests" / "unit" / "intake" / "events.jsonl"


@pytest.fixture
def store(migrated_postgres: str) -> Iterator[Store]:
    opened = open_store(migrated_postgres)
    yield opened
    opened.dispose()


@pytest.fixture
def house(kafka_fresh: str, store: Store) -> House:
    return House(store, kafka_fresh)


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with store._engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def count(store: Store, table: str) -> int:
    return int(rows(store, f"SELECT count(*) FROM {table}")[0][0])


def stored_positions(store: Store) -> dict[tuple[str, int], int]:
    with store.read() as reader:
        return dict(reader.positions())


def test_one_message_of_every_kind_reaches_the_journal_and_its_case(house: House) -> None:
    lines = EXAMPLES.read_bytes().splitlines()
    sides = {b"hospital": REFERRALS, b"centre": ACTIONS}
    sent = 0
    for line in lines:
        source = orjson.loads(line)["source"].partition(":")[0].encode()
        if source in sides:
            produce(house.bootstrap, sides[source], [(b"hospital:RX1/2026-004711", line)])
            sent += 1
    status = drain(house, sent)
    assert (status.quarantined, status.duplicates, status.unhandled) == (0, 0, 0)
    journal = rows(house.store, "SELECT door, raw FROM journal")
    assert len(journal) == sent
    assert {bytes(raw) for _, raw in journal} <= set(lines)
    with house.store.read() as reader:
        case = reader.case("BF2T-5B1F-ZGDY")
    assert case is not None
    assert case.referral == "hospital:RX1/2026-004711"
    assert sum(stored_positions(house.store).values()) == sent


def test_what_cannot_be_read_is_kept_told_and_holds_nothing_up(house: House) -> None:
    large = orjson.dumps({"data": "x" * 1_040_000})
    bad = [b"MSH|^~\\&|", b"", b"null", b"[" * 5_000, b'{"id":"1","id":"2"}', b"\xff\xfe", large]
    good = [referral(number) for number in range(20)]
    for place, raw in enumerate(bad):
        produce(house.bootstrap, REFERRALS, [good[place], (b"hospital:RX1", raw)])
    odd = [("x-\u00fc", b"\xff\xfe"), ("reply_to", CASES.encode()), ("correlation_id", b"\xff")]
    produce(house.bootstrap, REFERRALS, good[len(bad) :], headers=odd)
    produce(house.bootstrap, REFERRALS, [(b"hospital:RX1", None)])  # type: ignore[list-item]
    door, publisher = house.door(), house.publisher()

    async def until_published() -> None:
        await eventually(lambda: door.status().processed >= 28, door.status)
        await eventually(lambda: publisher.published > 0 and count(house.store, UNPUBLISHED) == 0)

    asyncio.run(running([door, publisher], until_published))
    assert count(house.store, "journal") == len(good)
    with house.store.read() as reader:
        kept = reader.quarantine()
    assert sorted(item.raw for item in kept) == sorted([*bad, b""])
    assert all(item.source and item.source.startswith(f"{REFERRALS}/") for item in kept)
    told = consume(house.bootstrap, QUARANTINE, len(bad) + 1, group="looks-on")
    assert sorted(value or b"" for _, value in told) == sorted([*bad, b""])
    assert len(consume(house.bootstrap, CASES, len(good), group="looks-on")) == len(good)


def test_an_act_on_the_hospitals_topic_has_no_effect_and_is_kept(house: House) -> None:
    produce(house.bootstrap, REFERRALS, [referral(1, findings={"walking": "cannot"})])
    closing = act(1, "case.closed.v1", reason="died", by={"name": "Sample", "role": "consultant"})
    produce(house.bootstrap, REFERRALS, [closing])
    drain(house, 2)
    assert rows(house.store, "SELECT effect FROM journal WHERE type = 'case.closed.v1'") == [
        (False,)
    ]
    assert rows(house.store, "SELECT state FROM cases") != [("closed",)]


def test_the_same_records_twice_are_counted_and_have_one_effect(house: House) -> None:
    records = [referral(number) for number in range(300)]
    produce(house.bootstrap, REFERRALS, records)
    produce(house.bootstrap, REFERRALS, records)
    status = drain(house, 600)
    assert status.duplicates == 300
    assert count(house.store, "journal") == count(house.store, "cases") == 300


def test_a_poisoned_record_goes_to_quarantine_alone(house: House) -> None:
    house.roster = _Faulty(default_roster())  # type: ignore[assignment]
    house.__post_init__()
    records = [referral(number) for number in range(150)]
    records.insert(70, referral(999, destination="centre:POISON"))
    produce(house.bootstrap, REFERRALS, records)
    status = drain(house, 151)
    assert (status.unhandled, status.quarantined) == (1, 1)
    assert count(house.store, "journal") == 150
    with house.store.read() as reader:
        (item,) = reader.quarantine()
    assert item.raw == records[70][1]
    assert item.source == "hospital:RX1"
    assert "could not be handled: ZeroDivisionError" in item.reason


class _Faulty:
    """A roster with a fault of the program in it, at one destination."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._roster, name)

    def site_for(self, destination: str | None) -> Any:
        if destination == "centre:POISON":
            return 1 / 0
        return self._roster.site_for(destination)


def test_without_the_database_positions_stand_still_and_nothing_is_lost(house: House) -> None:
    produce(house.bootstrap, REFERRALS, [referral(number) for number in range(50)])
    house.way.is_cut = True
    door = house.door()

    async def outage() -> None:
        await eventually(lambda: house.way.refused >= 4, door.status)
        assert door.status().waiting_for == "database"
        assert stored_positions(house.store) == {}
        house.way.is_cut = False
        await eventually(lambda: door.status().processed >= 50, door.status)
        house.way.is_cut = True
        produced = asyncio.to_thread(
            produce, house.bootstrap, REFERRALS, [referral(number) for number in range(50, 90)]
        )
        await produced
        await eventually(lambda: door.status().waiting_for == "database", door.status)
        house.way.is_cut = False
        await eventually(lambda: door.status().processed >= 90, door.status)

    asyncio.run(running([door], outage))
    assert door.status().waiting_for is None
    assert count(house.store, "journal") == 90


def test_it_goes_on_where_the_database_says_whatever_kafka_has_committed(house: House) -> None:
    produce(house.bootstrap, REFERRALS, [referral(number) for number in range(100)])
    asyncio.run(_commit_to_the_end(house))
    drain(house, 100)
    assert count(house.store, "journal") == 100


async def _commit_to_the_end(house: House) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=house.bootstrap, group_id=house.group, enable_auto_commit=False
    )
    await consumer.start()
    parts = [TopicPartition(REFERRALS, number) for number in range(4)]
    consumer.assign(parts)
    await consumer.commit(await consumer.end_offsets(parts))
    await consumer.stop()


def test_records_that_kafka_deleted_unread_are_counted_and_the_rest_is_read(house: House) -> None:
    key = b"hospital:RX1/2026-000001"
    early = [(key, referral(number)[1]) for number in range(10)]
    late = [(key, referral(number)[1]) for number in range(10, 30)]
    produce(house.bootstrap, REFERRALS, early)
    drain(house, 10)
    produce(house.bootstrap, REFERRALS, late)
    ((_, partition),) = stored_positions(house.store)
    admin = KafkaAdminClient(bootstrap_servers=house.bootstrap)
    admin.delete_records({AdminPartition(REFERRALS, partition): 25})
    admin.close()
    status = drain(house, 5)
    assert status.lost == 15
    assert count(house.store, "journal") == 15


def test_a_log_that_ends_before_our_position_is_read_again_from_its_beginning(
    house: House,
) -> None:
    with house.store.begin() as tx:
        for partition in range(4):
            tx.move_position(REFERRALS, partition, 0, 10_000)
    produce(house.bootstrap, REFERRALS, [referral(number) for number in range(40)])
    drain(house, 40)
    assert count(house.store, "journal") == 40


def test_two_consumers_share_the_partitions_and_take_over_from_one_another(house: House) -> None:
    total = 4_000
    records = [referral(number) for number in range(total)]
    produce(house.bootstrap, REFERRALS, records[: total // 2])
    other = House(house.store, house.bootstrap)

    async def both() -> None:
        stay, leave = house.door(), other.door()
        end, quit_early = asyncio.Event(), asyncio.Event()
        staying = asyncio.create_task(stay.run(end))
        for _ in range(3):
            quit_early.clear()
            leaving = asyncio.create_task(leave.run(quit_early))
            await eventually(lambda: leave.status().connected, leave.status)
            quit_early.set()
            await leaving
        await asyncio.to_thread(produce, house.bootstrap, REFERRALS, records[total // 2 :])
        await eventually(lambda: count(house.store, "journal") >= total, stay.status)
        end.set()
        await staying

    asyncio.run(both())
    assert count(house.store, "journal") == count(house.store, "cases") == total
    assert sum(stored_positions(house.store).values()) == total


def test_topics_that_are_made_after_our_start_are_found(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    admin = KafkaAdminClient(bootstrap_servers=house.bootstrap)
    admin.delete_topics([ACTIONS, REFERRALS])
    admin.close()
    door = house.door()

    async def late() -> None:
        await eventually(lambda: "kafka.lost" in caplog.text, door.status)
        assert not door.status().connected
        await asyncio.to_thread(remake_topics, house.bootstrap)
        await asyncio.to_thread(produce, house.bootstrap, REFERRALS, [referral(1)])
        await eventually(lambda: door.status().processed == 1, door.status)
        await eventually(lambda: door.status().connected, door.status)

    asyncio.run(running([door], late))


def test_a_session_that_the_broker_finds_too_short_is_made_longer(house: House) -> None:
    produce(house.bootstrap, REFERRALS, [referral(1)])
    hasty = House(house.store, house.bootstrap, session_seconds=0.5)
    assert drain(hasty, 1).processed == 1


def test_lag_and_connection_are_told_and_the_loop_leaves_its_mark(house: House) -> None:
    produce(house.bootstrap, REFERRALS, [referral(number) for number in range(10)])
    door = house.door()

    async def look() -> None:
        await eventually(lambda: door.status().lag == 0 and door.status().processed == 10)

    asyncio.run(running([door], look))
    assert door.status().connected
    with house.store.read() as reader:
        assert "consume" in reader.progress()


def test_what_is_owed_to_the_bus_is_published_in_order_and_marked(house: House) -> None:
    produce(house.bootstrap, REFERRALS, [referral(1, findings={"walking": "cannot"})])
    drain(house, 1)
    produce(house.bootstrap, REFERRALS, [referral(2)])
    drain(house, 1)
    owed = rows(house.store, "SELECT topic FROM outbox ORDER BY id")
    publisher = house.publisher()

    async def until_sent() -> None:
        await eventually(lambda: publisher.published >= len(owed))

    asyncio.run(running([publisher], until_sent))
    cases = [topic for (topic,) in owed if topic == CASES]
    found = consume(house.bootstrap, CASES, len(cases), group="looks-on")
    assert {key for key, _ in found} == {
        case.encode() for (case,) in rows(house.store, "SELECT case_id FROM cases")
    }
    assert all(orjson.loads(value)["tier"] for _, value in found)
    assert {topic for (topic,) in owed} <= {CASES, PAGES}
    assert rows(house.store, "SELECT count(*) FROM outbox WHERE published_at IS NULL") == [(0,)]


def test_two_processes_killed_in_turn_lose_nothing_and_do_nothing_twice(
    house: House, migrated_postgres: str
) -> None:
    total, kills = 3_000, 4
    command = [sys.executable, "-m", "tests.consumer_process", house.bootstrap, migrated_postgres]

    def started() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=ROOT)

    async def turns(processes: list[subprocess.Popen[bytes]]) -> None:
        for turn in range(kills):
            part = range(turn * total // kills, (turn + 1) * total // kills)
            await asyncio.to_thread(
                produce, house.bootstrap, REFERRALS, [referral(number) for number in part]
            )
            seen = count(house.store, "journal")
            await eventually(lambda seen=seen: count(house.store, "journal") > seen)
            victim = processes[turn % 2]
            victim.kill()
            victim.wait()
            processes[turn % 2] = started()
        await eventually(
            lambda: count(house.store, "journal") >= total, lambda: count(house.store, "journal")
        )

    processes = [started(), started()]
    try:
        asyncio.run(turns(processes))
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert count(house.store, "journal") == count(house.store, "cases") == total
    assert sum(stored_positions(house.store).values()) == total
