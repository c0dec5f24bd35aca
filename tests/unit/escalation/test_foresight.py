"""Looking ahead changes when a case is worked out, and nothing that comes of it."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.scenarios.house import ROSTER
from tests.unit.escalation.test_sweep import EMERGENT, OPENED, desk, overdue, receive
from triage.domain.events import CaseId
from triage.domain.paging import Attempt
from triage.domain.roster.roster import default_roster
from triage.escalation.foresight import Foresight
from triage.escalation.sweep import Sweep
from triage.handle import sweep_cases
from triage.recording.foreseeing import still_true
from triage.store import Store, open_store

MANY = 130
BROKEN = "centre:POISON"
NOBODY = default_roster()


class Faulty:
    """A roster with a fault of the program at one destination."""

    def __init__(self) -> None:
        self._roster = default_roster()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._roster, name)

    def site_for(self, destination: str | None) -> Any:
        if destination == BROKEN:
            raise ZeroDivisionError
        return self._roster.site_for(destination)


def a_house(number: int = MANY, roster: Any = None) -> Store:
    store = open_store("sqlite://")
    receive(store, range(number), roster=roster, findings=EMERGENT)
    return store


def everything(store: Store) -> Sequence[object]:
    with store.read() as reader:
        cases = reader.cases()
        pages = sorted(reader.pages(limit=10_000), key=lambda page: page.order.page)
        return [cases, pages, [reader.log(case.case_id) for case in cases]]


def first_due(store: Store) -> Any:
    with store.read() as reader:
        return min(row.next_due_at for row in reader.cases() if row.next_due_at)


def looked_ahead(store: Store, roster: Any = NOBODY) -> Foresight:
    """In the seconds before the cases fall due."""
    foresight = Foresight(store, desk(store, roster))
    while foresight.look(first_due(store) - timedelta(seconds=5), timedelta(seconds=5)):
        pass
    return foresight


def test_a_burst_comes_to_the_same_as_without_looking_ahead() -> None:
    ahead, plain = a_house(), a_house()
    due = first_due(ahead)
    sweep = Sweep(ahead, desk(ahead))
    while sweep.turn(due - timedelta(seconds=5)).looks_ahead:
        pass
    assert sweep.turn(due).pages == Sweep(plain, desk(plain)).turn(due).pages > 0
    assert everything(ahead) == everything(plain)
    assert overdue(ahead, due) == []


def test_of_pages_that_a_burst_no_longer_owes_only_unsent_ones_are_withdrawn() -> None:
    ahead, plain = a_house(), a_house()
    due = first_due(ahead)
    half = MANY // 2
    for store in (ahead, plain):
        _accept(store, half)
        sweep = Sweep(store, desk(store))
        while store is ahead and sweep.turn(due - timedelta(seconds=5)).looks_ahead:
            pass
        sweep.turn(due)
    assert everything(ahead) == everything(plain)
    with ahead.read() as reader:
        pages = reader.pages(limit=10_000)
    settled = [page for page in pages if page.status == "accepted"]
    assert len(settled) == half
    assert all(page.withdrawn is None for page in settled)
    assert any(page.withdrawn for page in pages)


def test_every_case_of_a_burst_is_known_before_and_forgotten_after_its_instant() -> None:
    store = a_house()
    foresight = looked_ahead(store)
    assert len(foresight.known) == MANY
    foresight.look(first_due(store), timedelta())
    assert foresight.known == {}


def test_what_falls_due_meanwhile_does_not_wait_for_a_burst_that_is_far() -> None:
    store = a_house()
    foresight, due = Foresight(store, desk(store)), first_due(store)
    assert not foresight.look(due - timedelta(seconds=20), timedelta(milliseconds=1))
    assert not foresight.look(due - timedelta(seconds=19), -timedelta(milliseconds=1))
    assert foresight.known == {}


def test_as_many_are_worked_out_as_there_is_time_for_before_the_next_is_due() -> None:
    store = a_house()
    foresight, due = Foresight(store, desk(store)), first_due(store)
    known = []
    for gap in (20, 20, 40, 1_000):
        assert foresight.look(due - timedelta(seconds=20), timedelta(milliseconds=gap))
        known.append(len(foresight.known))
    assert known == [5, 10, 20, 70]


def test_of_a_burst_that_is_near_some_are_worked_out_whatever_falls_due() -> None:
    store = a_house()
    foresight, due = Foresight(store, desk(store)), first_due(store)
    assert foresight.look(due - timedelta(seconds=15), -timedelta(seconds=1))
    assert foresight.look(due - timedelta(seconds=15), timedelta())
    assert len(foresight.known) == 20


def test_a_case_that_was_swept_is_not_counted_as_due_again() -> None:
    store = a_house()
    foresight, due = looked_ahead(store), first_due(store)
    swept = list(foresight.known)[:30]
    foresight.forget([*swept, CaseId("never seen")])
    assert foresight.due(due) == MANY - 30


def test_few_cases_are_left_until_they_are_due() -> None:
    assert looked_ahead(a_house(20)).known == {}


def test_a_case_that_changed_meanwhile_is_worked_out_anew() -> None:
    ahead, plain = a_house(), a_house()
    known = looked_ahead(ahead).known
    due = first_due(ahead)
    for store in (ahead, plain):  # the same referrals again, one with other findings
        receive(store, [7], OPENED + timedelta(seconds=30), findings={**EMERGENT, "ais": "A"})
    _sweep(ahead, due, known)
    _sweep(plain, due, {})
    assert everything(ahead) == everything(plain)


def test_under_another_roster_the_people_of_that_one_are_paged() -> None:
    ahead, plain = a_house(roster=ROSTER), a_house(roster=ROSTER)
    known = looked_ahead(ahead, ROSTER).known
    due = first_due(ahead)
    for store, foreseen in ((ahead, known), (plain, {})):
        _sweep(store, due, foreseen, roster=NOBODY)
    assert len(known) == MANY
    assert everything(ahead) == everything(plain)
    with ahead.read() as reader:
        orders = [page.order for page in reader.pages(limit=10_000)]
    assert {order.person is None for order in orders if order.rung > 1} == {True}


def test_a_later_step_that_is_due_as_well_is_not_left_for_the_next_turn() -> None:
    ahead, plain = a_house(), a_house()
    known = looked_ahead(ahead).known
    late = first_due(ahead) + timedelta(hours=1)
    _sweep(ahead, late, known)
    _sweep(plain, late, {})
    assert everything(ahead) == everything(plain)
    assert overdue(ahead, late) == []


def test_a_page_that_is_there_already_is_not_noted_as_ordered_again() -> None:
    ahead, plain = a_house(), a_house()
    known = looked_ahead(ahead).known
    due = first_due(ahead)
    there = [each.entry.orders[0] for each in list(known.values())[:3]]
    for store, foreseen in ((ahead, known), (plain, {})):
        with store.begin() as tx:
            tx.order_pages(there, OPENED)
        _sweep(store, due, foreseen)
    assert everything(ahead) == everything(plain)


def test_a_fault_of_ours_is_met_when_the_case_is_due_and_holds_up_no_other(caplog: Any) -> None:
    store = a_house()
    receive(store, range(500, 510), destination=BROKEN, findings=EMERGENT)
    due = first_due(store)
    told = Counter[str]()
    sweep = Sweep(store, desk(store, Faulty()), failed=lambda part: told.update([part]))
    for _ in range(20):
        sweep.turn(due - timedelta(seconds=5))
    result = sweep.turn(due)
    assert (result.cases, len(result.failed)) == (MANY, 10)
    assert "sweep.foresight_failed" in caplog.text
    assert told["sweep_foresight"] > 0
    assert told["sweep_case"] == 10


def _accept(store: Store, number: int) -> None:
    with store.begin() as tx:
        claimed = tx.claim_pages(OPENED, number, lease_seconds=30)
        tx.finish_attempts(
            [
                Attempt(
                    page=each.order.page,
                    route=each.order.route,
                    attempt=each.attempt,
                    outcome="accepted",
                    provider_word=None,
                    at=OPENED,
                )
                for each in claimed
            ]
        )


def _sweep(store: Store, now: Any, known: Any, roster: Any = NOBODY) -> None:
    ours = desk(store, roster)
    with store.begin() as tx:
        due = tx.claim_due(now, 1000)
        sweep_cases(tx, list(due), ours, now=now, ready=still_true(known, due, ours, now))
