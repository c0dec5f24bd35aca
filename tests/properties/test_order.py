"""Whatever the order in which one case's events are met, the case is the same (invariant 4)."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.case_events import (
    CASE,
    CENTRE,
    HOSPITAL,
    ORDERS,
    START,
    WINDOW,
    build,
    case_logs,
    deliveries,
)
from tests.scenarios.house import BOOK, ROSTER, House
from tests.scenarios.script import person
from triage.domain.events import Event, EventType
from triage.domain.tiers import Tier
from triage.workflow.document import case_document
from triage.workflow.fold import fold, follow, further, in_receipt_order, seen_at
from triage.workflow.plan import plan

NOW = START + WINDOW
_LATER = st.sampled_from([0, 7, 21, 60, 150])  # minutes after the last receipt
_NOT_COMPARED = ("version", "head", "as_of")
_slow = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_quick = settings(_slow, max_examples=150)


def _case_after(house: House) -> dict[str, Any]:
    """The case as it stands at NOW, without what may differ."""
    house.evaluate(CASE, NOW)
    document = house.document(CASE) or {}
    return {key: value for key, value in document.items() if key not in _NOT_COMPARED}


def _in_order(events: list[Event], until: timedelta = WINDOW) -> House:
    """Every event handled at its own receipt, the sweep awake all the time."""
    house = House()
    for event in in_receipt_order(events):
        house.pass_time(event.received_at)
        house.receive([event], event.received_at)
    house.pass_time(START + until)
    return house


@_slow
@given(st.data())
def test_any_order_and_duplication_gives_the_same_case(data: st.DataObject) -> None:
    events = data.draw(case_logs())
    expected = _case_after(_in_order(events))
    house = House()
    for batch in data.draw(deliveries(events)):
        house.receive(batch, NOW)
    assert _case_after(house) == expected


@_quick
@given(st.data())
def test_fold_of_any_permutation_and_duplication(data: st.DataObject) -> None:
    events = data.draw(case_logs())
    later = NOW + timedelta(days=data.draw(st.integers(0, 20)))
    expected = fold(CASE, events, BOOK, later, ROSTER)
    shuffled = [event for batch in data.draw(deliveries(events)) for event in batch]
    assert fold(CASE, shuffled, BOOK, later, ROSTER) == expected


@_slow
@given(case_logs(), _LATER)
def test_the_stored_log_gives_the_stored_case(events: list[Event], minutes: int) -> None:
    house = _in_order(events, WINDOW + timedelta(minutes=minutes))
    document = house.document(CASE)
    assert document is not None
    as_of = house.folded_at(CASE)
    case = fold(CASE, house.log(CASE), BOOK, as_of, ROSTER)
    due = plan(case, BOOK, ROSTER, as_of).next_due_at
    again = case_document(case, version=document["version"], head=document["head"], next_due_at=due)
    assert house.as_stored(again) == document


def _fell_to(before: Tier, after: Tier, event: Event) -> bool:
    """Whether this fall is one of the two that the policy allows."""
    role = event.data.get("by", {}).get("role")
    if event.type is EventType.TIER_SET:
        return role in ("consultant", "fellow") and bool(event.data.get("reason"))
    return event.type is EventType.TREATMENT_DECIDED and after is Tier.PALLIATIVE_MDT


@_quick
@given(case_logs())
def test_the_tier_falls_only_by_a_named_senior(events: list[Event]) -> None:
    ordered = list(in_receipt_order(events))
    before: Tier | None = None
    for count in range(1, len(ordered) + 1):
        at = ordered[count - 1].received_at
        case = fold(CASE, ordered[:count], BOOK, at, ROSTER)
        if case.state == "unopened":
            continue
        if before is not None and case.tier.rank < before.rank:
            assert _fell_to(before, case.tier, ordered[count - 1])
        before = case.tier


@_quick
@given(st.data())
def test_worse_or_unknown_in_the_last_report_never_lowers(data: st.DataObject) -> None:
    events = data.draw(case_logs())
    field = data.draw(st.sampled_from(sorted(ORDERS)))
    steps = ORDERS[field]
    place = data.draw(st.integers(0, len(steps) - 2))
    worse = data.draw(st.sampled_from(steps[place + 1 :] + (["unknown"] if place == 0 else [])))
    others = {"ais": "D", "walking": "aided", "bladder": "normal", "sins": 5, "escc": "1a"}

    def tier(value: Any) -> Tier:
        last = build(
            99,
            EventType.NEURO_EXAMINED,
            HOSPITAL,
            {"findings": {**others, field: value}},
            (41, 41, None),
        )
        at = START + timedelta(minutes=41)
        return fold(CASE, [*events, last], BOOK, at, ROSTER).tier

    assert tier(worse).rank >= tier(steps[place]).rank


@_slow
@given(case_logs(), _LATER)
def test_who_waits_has_a_next_due_instant(events: list[Event], minutes: int) -> None:
    house = _in_order(events, WINDOW + timedelta(minutes=minutes))
    case = house.document(CASE) or {}
    is_open = case["state"] not in ("closed", "unopened")
    treated = {"surgery_end", "radiotherapy_started"} & case["milestones"].keys()
    if is_open and case["owner"] is None and not treated:
        assert case["next_due_at"] is not None


@_slow
@given(case_logs(), _LATER)
def test_sweeping_again_orders_nothing(events: list[Event], minutes: int) -> None:
    house = _in_order(events, WINDOW + timedelta(minutes=minutes))
    now = START + WINDOW + timedelta(minutes=minutes)
    house.evaluate(CASE, now)
    assert house.evaluate(CASE, now) == 0


@_slow
@given(case_logs(), _LATER)
def test_a_late_sweep_orders_nothing_that_a_timely_one_would_not(
    events: list[Event], minutes: int
) -> None:
    until = WINDOW + timedelta(minutes=minutes)
    timely = _in_order(events, until)
    late = House()
    late.receive(events, NOW)
    if any(change["rules"] in (["TIMER_60"], ["D7"]) for change in _history(timely)):
        return  # a timer found late starts its run when it is found
    late.evaluate(CASE, START + until)
    timely.evaluate(CASE, START + until)
    assert {each.order.page for each in late.sent} <= {each.order.page for each in timely.sent}


def _history(house: House) -> list[dict[str, Any]]:
    return list((house.document(CASE) or {}).get("tier_history", ()))


@_slow
@given(case_logs(), _LATER)
def test_what_was_not_sent_in_time_is_sent_only_if_still_owed(
    events: list[Event], minutes: int
) -> None:
    house = House(is_relay_up=False)
    for event in in_receipt_order(events):
        house.pass_time(event.received_at)
        house.receive([event], event.received_at)
    now = START + WINDOW + timedelta(minutes=minutes)
    house.pass_time(now)
    house.evaluate(CASE, now)
    house.relay(now)
    owed = plan(fold(CASE, house.log(CASE), BOOK, now, ROSTER), BOOK, ROSTER, now).orders
    assert {each.order.page for each in house.sent} == {order.page for order in owed}


@_slow
@given(case_logs())
def test_after_closing_nothing_but_a_review_is_paged(events: list[Event]) -> None:
    house = _in_order(events)
    closing = build(
        200,
        EventType.CASE_CLOSED,
        CENTRE,
        {"reason": "watch", "by": person("consultant"), "plan": "Clinic."},
        (40, 40, None),
    )
    house.receive([closing], NOW)
    if (house.document(CASE) or {})["state"] != "closed":
        return
    before = len(house.sent)
    house.pass_time(NOW + timedelta(days=3))
    assert house.sent[before:] == []
    assert house.document(CASE)["next_due_at"] is None  # type: ignore[index]


@_quick
@given(st.data())
def test_a_fold_that_goes_on_comes_to_what_the_whole_log_gives(data: st.DataObject) -> None:
    """Piece by piece, in whatever order and however often each event comes; looked at between."""
    events = data.draw(case_logs())
    ordered = list(in_receipt_order(events))
    pieces = data.draw(st.one_of(deliveries(events), st.just([[event] for event in ordered])))
    followed, known = follow(CASE, [], BOOK, ROSTER), list[Event]()
    for piece in pieces:
        followed = further(followed, piece)
        known += piece
        if not known:
            continue
        last = max(event.received_at for event in known)
        for at in (last, last + timedelta(hours=data.draw(st.integers(0, 200))), last):
            assert seen_at(followed, at) == fold(CASE, known, BOOK, at, ROSTER)
