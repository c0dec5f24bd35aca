"""A burst is swept by two hands at once on a real PostgreSQL, and comes to the same as by one."""

import gc
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event

from tests.unit.escalation.test_foresight import BROKEN, Faulty, everything, first_due
from tests.unit.escalation.test_sweep import EMERGENT, OPENED, desk, overdue, receive
from triage.escalation.sweep import CLAIM, Sweep
from triage.store import Store, open_store

pytestmark = pytest.mark.postgres_real
MANY = 6 * CLAIM
LOT = 2 * CLAIM + 50


@pytest.fixture
def store(migrated_postgres: str) -> Iterator[Store]:
    opened = open_store(migrated_postgres, role="sweep")
    yield opened
    opened.dispose()


@pytest.fixture
def hands(store: Store) -> set[str]:
    """The threads that have had a connection."""
    seen: set[str] = set()
    event.listen(store._engine, "checkout", lambda *_: seen.add(threading.current_thread().name))
    return seen


def test_a_burst_swept_by_two_hands_pages_each_case_once_and_as_one_hand_would(
    store: Store, hands: set[str]
) -> None:
    plain = open_store("sqlite://")
    for house in (store, plain):
        receive(house, range(MANY), findings=EMERGENT)
    due = first_due(plain)
    sweep = Sweep(store, desk(store))
    while sweep.turn(due - timedelta(seconds=5)).looks_ahead:
        pass
    hands.clear()
    swept, alone = sweep.turn(due), Sweep(plain, desk(plain)).turn(due)
    assert len([name for name in hands if name.startswith("sweep")]) == 2
    assert (swept.cases, swept.failed) == (MANY, ())
    assert swept.pages == alone.pages > 0
    assert everything(store) == everything(plain)


def test_in_a_burst_nobody_looks_for_garbage_and_afterwards_as_before(store: Store) -> None:
    receive(store, range(MANY), findings=EMERGENT)
    due, sweep, looks = first_due(store), Sweep(store, desk(store)), list[bool]()
    while sweep.turn(due - timedelta(seconds=5)).looks_ahead:
        pass
    event.listen(store._engine, "commit", lambda _: looks.append(gc.isenabled()))
    sweep.turn(due)
    assert looks[: MANY // CLAIM] == [False] * (MANY // CLAIM)
    assert gc.isenabled()


class At:
    """A clock that stands."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


@pytest.mark.parametrize(("clock", "swept"), [(0.6, 2), (0.9, 3), (3600, 3)])
def test_what_falls_due_while_a_burst_is_swept_is_swept_with_it_and_nothing_early(
    store: Store, clock: float, swept: int
) -> None:
    for lot, after in enumerate((0, 0.5, 0.8, 1.5)):
        received = OPENED + timedelta(seconds=after)
        receive(store, range(lot * LOT, (lot + 1) * LOT), received, findings=EMERGENT)
    due = first_due(store)
    present = due + timedelta(seconds=clock)
    sweep = Sweep(store, desk(store), At(present))
    looking = Sweep(store, desk(store))
    sweep._foresight = looking._foresight  # as it would have been looked before
    while looking.turn(due - timedelta(seconds=5)).looks_ahead:
        pass
    assert sweep.turn(due).cases == swept * LOT
    with store.read() as reader:
        pages = reader.pages(limit=10_000)
    assert max(page.order.owed_at for page in pages) <= min(present, due + timedelta(seconds=1))


class Stepping:
    """Stands at `first` for three hands' asking, then at `then`; notes who asked."""

    def __init__(self, first: datetime, then: datetime) -> None:
        self._first, self._then = first, then
        self.asked: list[str] = []

    def now(self) -> datetime:
        self.asked.append(threading.current_thread().name)
        return self._first if len(self.asked) <= 3 else self._then


def test_a_hand_that_found_few_stays_for_what_falls_due_next(store: Store) -> None:
    for lot, after in ((range(LOT), 0), (range(LOT, LOT + MANY), 0.6)):
        receive(store, lot, OPENED + timedelta(seconds=after), findings=EMERGENT)
    due = first_due(store)
    clock = Stepping(due, due + timedelta(seconds=0.7))
    sweep = Sweep(store, desk(store), clock)
    looking = Sweep(store, desk(store))
    sweep._foresight = looking._foresight
    while looking.turn(due - timedelta(seconds=5)).looks_ahead:
        pass
    assert sweep.turn(due).cases == LOT + MANY
    assert len({name for name in clock.asked[3:] if name.startswith("sweep")}) == 2


def test_a_fault_of_ours_in_a_burst_holds_up_no_other_and_is_told_once(store: Store) -> None:
    receive(store, range(MANY), findings=EMERGENT)
    receive(store, range(MANY, MANY + 10), destination=BROKEN, findings=EMERGENT)
    due = first_due(store)
    sweep = Sweep(store, desk(store, Faulty()))
    for _ in range(MANY // 5):
        sweep.turn(due - timedelta(seconds=5))
    result = sweep.turn(due)
    assert (result.cases, len(result.failed)) == (MANY, 10)
    assert sorted(overdue(store, due)) == sorted(result.failed)
