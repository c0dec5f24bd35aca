"""The sweep on SQLite: what is due is looked at, and one broken case holds up no other."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.running_door import REGISTRY, referral
from triage.books import load_books
from triage.domain.events import CaseId
from triage.domain.roster.roster import default_roster
from triage.escalation.sweep import CLAIM, Sweep
from triage.handle import Incoming, handle
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.intake.unreadable import Unreadable, quarantine_item
from triage.metrics.instruments import Instruments
from triage.recording.ledger import Desk
from triage.store import Store, open_store

OPENED = datetime(2026, 3, 10, 8, 1, tzinfo=UTC)
LATER = OPENED + timedelta(days=2)
HOSPITALS = Door(name="kafka", admits="hospital", registry=REGISTRY)
EMERGENT = {"ais": "B", "walking": "cannot", "trend": "worsening", "escc": "3"}


@pytest.fixture
def store() -> Store:
    return open_store("sqlite://")


def desk(store: Store, roster: Any = None) -> Desk:
    books = load_books(None)
    books.keep(store)
    return Desk(books, roster or default_roster(), True)


def receive(
    store: Store,
    numbers: Sequence[int],
    at: datetime = OPENED,
    roster: Any = None,
    **data: Any,
) -> None:
    incoming: list[Incoming] = []
    for number in numbers:
        (found,) = decode(
            referral(number, **data)[1],
            headers={},
            door=HOSPITALS,
            received_at=at,
            sent_at=None,
            origin=f"test/{number}",
        )
        assert isinstance(found, Incoming)
        incoming.append(found)
    ours = desk(store, roster)
    with store.begin() as tx:
        handle(tx, incoming, ours, now=at)


def pages(store: Store) -> int:
    with store.read() as reader:
        return len(reader.pages(limit=10_000))


def overdue(store: Store, now: datetime) -> list[CaseId]:
    with store.read() as reader:
        return [row.case_id for row in reader.cases() if row.next_due_at and row.next_due_at <= now]


def test_a_case_that_nobody_answers_is_paged_further_and_has_a_next_instant(store: Store) -> None:
    receive(store, [1], findings=EMERGENT)
    before = pages(store)
    result = Sweep(store, desk(store)).turn(OPENED + timedelta(minutes=20))
    assert (result.cases, result.failed) == (1, ())
    assert result.pages == pages(store) - before > 0
    assert result.next_in is not None
    assert overdue(store, OPENED + timedelta(minutes=20)) == []


def test_nothing_due_changes_nothing_but_leaves_its_mark(store: Store) -> None:
    receive(store, [1])
    before = pages(store)
    result = Sweep(store, desk(store)).turn(OPENED)
    assert (result.cases, result.pages, pages(store)) == (0, 0, before)
    with store.read() as reader:
        assert reader.progress()["sweep"] == OPENED


def test_without_a_case_nothing_is_waited_for(store: Store) -> None:
    assert Sweep(store, desk(store)).turn(OPENED).next_in is None


def test_more_cases_than_one_claim_takes_are_all_swept(store: Store) -> None:
    receive(store, range(CLAIM * 2 + 30))
    result = Sweep(store, desk(store)).turn(LATER)
    assert result.cases == CLAIM * 2 + 30
    assert overdue(store, LATER) == []


def test_a_second_sweep_at_the_same_instant_orders_nothing_more(store: Store) -> None:
    receive(store, range(5), findings=EMERGENT)
    Sweep(store, desk(store)).turn(LATER)
    before = pages(store)
    assert Sweep(store, desk(store)).turn(LATER).pages == 0
    assert pages(store) == before


class Faulty:
    """A roster with a fault of the program at one destination, for as long as `is_broken`."""

    def __init__(self) -> None:
        self._roster = default_roster()
        self.is_broken = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._roster, name)

    def site_for(self, destination: str | None) -> Any:
        if self.is_broken and destination == "centre:POISON":
            raise ZeroDivisionError("Sample Patient 9990000018")
        return self._roster.site_for(destination)


def test_broken_cases_hold_up_no_other_and_come_again(store: Store, caplog: Any) -> None:
    receive(store, range(40))
    receive(store, range(100, 100 + CLAIM + 7), destination="centre:POISON", findings=EMERGENT)
    receive(store, range(1_000, 1_040))
    roster = Faulty()
    sweep = Sweep(store, desk(store, roster))
    result = sweep.turn(LATER)
    assert len(result.failed) == CLAIM + 7
    assert result.cases == 80
    assert sorted(overdue(store, LATER)) == sorted(result.failed)
    assert "ZeroDivisionError at test_sweep.py" in caplog.text
    assert "Sample" not in caplog.text
    roster.is_broken = False
    assert sweep.turn(LATER + timedelta(seconds=9)).failed == ()
    assert sorted(overdue(store, LATER)) == sorted(result.failed)
    mended = sweep.turn(LATER + timedelta(seconds=10))
    assert set(result.failed) & set(overdue(store, LATER)) == set()
    assert mended.failed == ()


def test_unread_records_are_paged_for(store: Store) -> None:
    (found,) = decode(
        b"MSH|", headers={}, door=HOSPITALS, received_at=OPENED, sent_at=None, origin="t/0/1"
    )
    assert isinstance(found, Unreadable)
    with store.begin() as tx:
        tx.quarantine([quarantine_item(found)])
    result = Sweep(store, desk(store)).turn(OPENED)
    assert result.pages == pages(store) > 0


class WithoutBookForUnread:
    """Books with a fault of the program where no case is asked about."""

    def __init__(self, books: Any) -> None:
        self.pinned = books.pinned

    @property
    def current(self) -> Any:
        raise ZeroDivisionError("Sample Patient 9990000018")


def test_a_fault_in_unread_records_keeps_neither_the_turns_mark_nor_the_next_instant(
    store: Store, caplog: Any
) -> None:
    receive(store, [1], findings=EMERGENT)
    (found,) = decode(
        b"MSH|", headers={}, door=HOSPITALS, received_at=OPENED, sent_at=None, origin="t/0/1"
    )
    assert isinstance(found, Unreadable)
    with store.begin() as tx:
        tx.quarantine([quarantine_item(found)])
    faulty = desk(store)
    faulty.books = WithoutBookForUnread(faulty.books)
    now = OPENED + timedelta(minutes=20)
    instruments = Instruments(version="test")
    result = Sweep(store, faulty, failed=instruments.loop_failed).turn(now)
    assert result.cases == 1
    assert result.next_in is not None
    counted, label = instruments.registry.get_sample_value, {"loop": "sweep_unread"}
    assert counted("triage_loop_failures_total", label) == 1
    assert "ZeroDivisionError at test_sweep.py" in caplog.text
    assert "Sample" not in caplog.text
    with store.read() as reader:
        assert reader.progress() == {"sweep": now}
