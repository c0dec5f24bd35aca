"""Batches to their end on SQLite: every record in the journal or in quarantine, whatever fails."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from sqlalchemy import text

from tests.running_door import REGISTRY, referral
from tests.unit.consumers.bus import NOW, P0, P1, Hands, record
from triage.books import load_books
from triage.consumers.batches import Batches, Room
from triage.consumers.seats import Seats
from triage.consumers.status import DoorStatus
from triage.consumers.topics import QUARANTINE, REFERRALS
from triage.domain.errors import StoreUnavailable
from triage.domain.roster.roster import default_roster
from triage.intake.registry import Registry
from triage.recording.ledger import Desk
from triage.store import Store, StoreBusy, open_store


class Clock:
    def now(self) -> Any:
        return NOW


class Roster:
    """A roster with a fault of the program at one destination."""

    def __init__(self) -> None:
        self._roster = default_roster()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._roster, name)

    def site_for(self, destination: str | None) -> Any:
        if destination == "centre:POISON":
            raise ZeroDivisionError("Sample Patient 9990000018")
        return self._roster.site_for(destination)


@dataclass
class Bench:
    """One consumer's batches, with the database's failures laid out beforehand."""

    failures: list[Exception] = field(default_factory=list)
    registry: Callable[[], Registry] = lambda: REGISTRY
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store: Store = open_store("sqlite://")
        books = load_books(None)
        books.keep(self.store)
        self.status = DoorStatus(connected=True, waiting_for=None)
        self.closing = asyncio.Event()
        self.hands = Hands(P0, P1)
        room = Room(
            store=self.store,
            desk=Desk(books, Roster(), True),  # type: ignore[arg-type]
            clock=Clock(),
            registry=lambda: self.registry(),
            run_blocking=self._run,
            topics=(REFERRALS,),
        )
        self.batches = Batches(
            room=room,
            seats=Seats(room.positions),
            status=self.status,
            closing=self.closing,
            pause=self._pause,
            consumer=lambda: self.hands,  # type: ignore[arg-type,return-value]
        )

    async def _run(self, work: Callable[[], Any], /) -> Any:
        if self.failures:
            raise self.failures.pop(0)
        return work()

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def take(self, *records: ConsumerRecord) -> None:
        asyncio.run(self.batches.take(records))

    def journal(self) -> set[bytes]:
        with self.store.read() as reader:
            cases = [row.case_id for row in reader.cases()]
            return {entry.raw for case in cases for entry in reader.journalled(case)}

    def quarantine(self) -> dict[bytes, str]:
        with self.store.read() as reader:
            return {item.raw: item.reason for item in reader.quarantine()}

    def positions(self) -> dict[tuple[str, int], int]:
        with self.store.read() as reader:
            return dict(reader.positions())

    def owed(self) -> list[tuple[str, bytes, dict[str, str]]]:
        with self.store.begin() as tx:
            items = tx.claim_outbox(100, now=NOW)
        return [(item.topic, item.value, dict(item.headers)) for item in items]


def values(*numbers: int, **data: Any) -> list[bytes]:
    return [referral(number, **data)[1] for number in numbers]


def test_a_batch_is_stored_and_its_position_moves_with_it() -> None:
    bench, sent = Bench(), values(1, 2, 3)
    bench.take(*(record(offset, value) for offset, value in enumerate(sent)))
    assert bench.journal() == set(sent)
    assert bench.positions() == {(REFERRALS, 0): 3}
    assert bench.hands.committed == {P0: 3}
    assert (bench.status.processed, bench.status.last_batch_at) == (3, NOW)


def test_what_cannot_be_read_is_quarantined_and_owed_to_its_topic() -> None:
    bench, (good,) = Bench(), values(1)
    bench.take(record(0, b"MSH|^~\\&|"), record(1, good), record(2, None))
    assert bench.journal() == {good}
    assert set(bench.quarantine()) == {b"MSH|^~\\&|", b""}
    told = [(value, headers) for topic, value, headers in bench.owed() if topic == QUARANTINE]
    assert sorted(told, key=str) == [
        (b"", {"x-error": "record: not an event", "x-origin": f"{REFERRALS}/0/2"}),
        (
            b"MSH|^~\\&|",
            {"x-error": "record: not one JSON value", "x-origin": f"{REFERRALS}/0/0"},
        ),
    ]
    assert bench.positions() == {(REFERRALS, 0): 3}


def test_a_record_that_our_own_fault_stops_is_alone_in_quarantine_after_three_tries() -> None:
    bench, sent = Bench(), values(*range(20))
    (poison,) = values(99, destination="centre:POISON")
    sent[7:7] = [poison]
    bench.take(*(record(offset, value) for offset, value in enumerate(sent)))
    assert bench.journal() == set(sent) - {poison}
    assert list(bench.quarantine()) == [poison]
    assert "ZeroDivisionError at test_batches.py" in bench.quarantine()[poison]
    assert "Sample" not in bench.quarantine()[poison]
    assert len(bench.pauses) == 3
    assert bench.status.unhandled == 1
    assert bench.positions() == {(REFERRALS, 0): 21}


def test_while_the_database_is_away_the_batch_waits_longer_each_time() -> None:
    away: list[Exception] = [StoreUnavailable("away") for _ in range(9)]
    bench, sent = Bench(failures=away), values(1)
    bench.take(record(0, sent[0]))
    assert bench.journal() == set(sent)
    assert len(bench.pauses) == 9
    assert all(0.1 <= seconds <= 5.0 for seconds in bench.pauses)
    assert bench.pauses[-1] >= 2.5
    assert bench.status.waiting_for is None


def test_a_busy_database_is_tried_again_soon() -> None:
    bench, sent = Bench(failures=[StoreBusy("lock"), StoreBusy("lock")]), values(1)
    bench.take(record(0, sent[0]))
    assert bench.journal() == set(sent)
    assert sum(bench.pauses) < 0.1


def test_a_closing_consumer_lets_go_of_what_it_could_not_store() -> None:
    bench = Bench(failures=[StoreUnavailable("away")] * 100)

    async def close_while_waiting(seconds: float) -> None:
        bench.closing.set()

    bench.batches.pause = close_while_waiting
    bench.take(record(0, values(1)[0]))
    assert bench.journal() == set()
    assert bench.positions() == {}


def test_a_partition_that_another_stored_is_left_out_and_sought_again() -> None:
    bench, sent = Bench(), values(1, 2)
    bench.take(record(0, sent[0]), record(0, sent[1], partition=P1))
    with bench.store.begin() as tx:
        tx.move_position(REFERRALS, 0, 1, 50)  # another consumer got there first
    later = values(3, 4)
    bench.take(record(1, later[0]), record(1, later[1], partition=P1))
    assert bench.journal() == {*sent, later[1]}
    assert bench.hands.reads_from[P0] == 50
    assert bench.positions() == {(REFERRALS, 0): 50, (REFERRALS, 1): 2}
    assert bench.status.fenced == 1


@pytest.mark.parametrize(
    ("lost", "goes_on"),
    [("UPDATE kafka_position SET next_offset = 1", 1), ("DELETE FROM kafka_position", 0)],
)
def test_a_database_that_lost_its_last_commits_is_read_again(lost: str, goes_on: int) -> None:
    bench, sent = Bench(), values(1, 2, 3)
    bench.take(*(record(offset, value) for offset, value in enumerate(sent)))
    with bench.store._engine.begin() as connection:
        connection.execute(text(lost))  # failed over to a standby that was behind
    bench.take(record(3, values(4)[0]))
    assert bench.hands.reads_from[P0] == goes_on
    assert bench.status.fenced == 1
    assert bench.journal() == set(sent)  # nothing behind the hole until it is read


def test_after_a_fault_outside_the_store_the_batch_is_sought_again() -> None:
    bench, sent = Bench(), values(1)
    bench.take(record(0, sent[0]))

    def broken() -> Registry:
        raise KeyError("Sample Patient")

    bench.registry = broken
    bench.take(record(1, values(2)[0]))
    assert bench.hands.reads_from == {P0: 1, P1: 0}
    bench.registry = lambda: REGISTRY
    bench.take(record(1, values(2)[0]))
    assert len(bench.journal()) == 2


def test_nothing_of_a_patient_is_in_the_log(caplog: Any) -> None:
    bench = Bench(failures=[StoreUnavailable("away"), StoreBusy("lock")])
    patient = {"name": {"family": "Sample"}, "identifiers": ["9990000018"]}
    (poison,) = values(1, destination="centre:POISON", patient=patient)
    bench.take(record(0, poison), record(1, b'{"family": "Sample", "nhs": 9990000018'))
    assert caplog.records
    assert "Sample" not in caplog.text
    assert "9990000018" not in caplog.text
