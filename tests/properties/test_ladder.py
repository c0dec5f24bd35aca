"""Ladders are planned back from their due instant, whatever time is left (policy 4.1)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.case_events import CASE, CENTRE, HOSPITAL, MILD, SICK, START, build
from tests.scenarios.house import BOOK, House, Sent
from tests.scenarios.script import person
from triage.domain.events import Event, EventType
from triage.domain.instants import parse_instant
from triage.domain.tiers import Tier
from triage.workflow.ladder import rungs, scale

MINUTE = timedelta(minutes=1)
WORSE = {"findings": {"ais": "C", "walking": "cannot"}}
_examples = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A promise ends at the latest when the senior opinion is due, an hour after receipt.
_NOT_NEAR_AN_HOUR = st.one_of(st.integers(0, 50), st.integers(60, 120))
_OFFSETS = [
    [(rung.after, rung.roles) for rung in ladder.rungs]
    for ladder in BOOK.ladders.acknowledgement.values()
    if ladder.rungs and all(rung.after is not None for rung in ladder.rungs)
]


@given(
    st.sampled_from(_OFFSETS),
    st.timedeltas(timedelta(), timedelta(hours=3)),
    st.timedeltas(MINUTE, timedelta(hours=3)),
)
def test_rungs_are_a_minute_apart_and_start_with_the_run(
    offsets: list[Any], left: timedelta, nominal: timedelta
) -> None:
    factor = scale(START, START + left, nominal)
    assert 0 <= factor <= 1
    steps = rungs(START, offsets, factor, MINUTE)
    assert steps[0].at == START
    assert all(later.at - earlier.at >= MINUTE for earlier, later in pairwise(steps))
    planned = zip(steps, offsets, strict=True)
    assert all(
        step.at <= START + offset + number * MINUTE
        for number, (step, (offset, _)) in enumerate(planned)
    )


def _worse_after(minutes: int, *, sent_minutes_earlier: int = 0) -> list[Event]:
    """A mild case at 0 that gets EMERGENT after some minutes."""
    return [
        build(0, EventType.REFERRAL_SUBMITTED, HOSPITAL, MILD, (-5, 0, -sent_minutes_earlier)),
        build(1, EventType.NEURO_EXAMINED, HOSPITAL, WORSE, (minutes, minutes, None)),
    ]


def _played(events: list[Event], hours: int = 4) -> House:
    house = House()
    for event in events:
        house.pass_time(event.received_at)
        house.receive([event], event.received_at)
    house.pass_time(START + timedelta(hours=hours))
    return house


def _ladder(house: House, run: str) -> list[Sent]:
    return [
        each
        for each in house.sent
        if each.order.run == run and each.order.obligation == "acknowledgement"
    ]


def _instant(text: str) -> datetime:
    instant = parse_instant(text)
    assert instant is not None
    return instant


@_examples
@given(st.integers(0, 180), st.integers(0, 90))
def test_no_rung_of_a_raised_ladder_falls_after_its_due_instant(
    minutes: int, sent_minutes_earlier: int
) -> None:
    house = _played(_worse_after(minutes, sent_minutes_earlier=sent_minutes_earlier))
    pages = _ladder(house, "e-1")
    started = START + timedelta(minutes=minutes)
    due = pages[0].order.due_at
    assert due is not None
    ladder = sorted({each.at for each in pages if each.order.round == 0})
    assert pages[0].at == started
    assert all(at <= max(due, started) for at in ladder)
    assert all(later - earlier >= MINUTE for earlier, later in pairwise(ladder))


@_examples
@given(st.integers(0, 180))
def test_the_rungs_of_one_ladder_page_each_role_once(minutes: int) -> None:
    pages = _ladder(_played(_worse_after(minutes)), "e-1")
    first = [each.order.role for each in pages if each.order.round == 0]
    assert len(first) == len(set(first))
    assert len({(each.at, each.order.role) for each in pages}) == len(pages)


@_examples
@given(st.integers(0, 180))
def test_everybody_of_the_ladder_is_paged_by_its_due_instant(minutes: int) -> None:
    house = _played(_worse_after(minutes))
    pages = _ladder(house, "e-1")
    due = pages[0].order.due_at
    assert due is not None
    latest = max(due, START + timedelta(minutes=minutes))
    reached = {each.order.role for each in pages if each.at <= latest}
    whole = {
        role for rung in BOOK.ladders.acknowledgement[Tier.EMERGENT].rungs for role in rung.roles
    }
    assert whole <= reached


def _dues(house: House, obligation: str) -> Iterator[tuple[datetime, datetime, bool]]:
    """Start, due instant and whether it was met, in the order of the starts."""
    document = house.document(CASE)
    assert document is not None
    found = [
        (_instant(each["starts_at"]), _instant(each["due_at"]), each["met_at"] is not None)
        for each in document["obligations"]
        if each["name"] == obligation
    ]
    yield from sorted(found)


_RESTARTED = ("acknowledgement", "senior_opinion", "oncology_contacted")


@_examples
@given(st.sampled_from(_RESTARTED), st.lists(st.integers(1, 200), min_size=1, max_size=4))
def test_a_restarted_deadline_is_never_later_than_the_unmet_one(
    obligation: str, minutes: list[int]
) -> None:
    """The case is looked at before and after each event that may restart its clocks."""
    house = House()
    first = build(0, EventType.REFERRAL_SUBMITTED, HOSPITAL, MILD, (-5, 0, None))
    house.receive([first], START)
    changes = [WORSE, {"findings": {"bladder": "altered"}}, SICK, {"findings": {"ais": "A"}}]
    for number, at in enumerate(sorted(minutes)):
        now = START + timedelta(minutes=at)
        house.pass_time(now)
        before = list(_dues(house, obligation))
        event = build(
            number + 1, EventType.NEURO_EXAMINED, HOSPITAL, changes[number], (at, at, None)
        )
        house.receive([event], now)
        after = list(_dues(house, obligation))
        assert not before[-1][2]
        assert after[-1][1] <= before[-1][1]


@_examples
@given(_NOT_NEAR_AN_HOUR, st.sampled_from(["registrar", "fellow", "consultant"]))
def test_an_owned_case_is_not_paged_until_the_promise_ends(minutes: int, role: str) -> None:
    house = House()
    sick = build(0, EventType.REFERRAL_SUBMITTED, HOSPITAL, SICK, (-5, 0, None))
    house.receive([sick], START)
    house.pass_time(START + timedelta(minutes=minutes))
    paged = [each for each in _ladder(house, "e-0") if each.order.role == "registrar"]
    answer = build(
        1,
        EventType.PAGE_ACKNOWLEDGED,
        CENTRE,
        {"page": paged[-1].order.page, "by": person(role), "answer": "coming", "minutes": 10},
        (minutes, minutes, None),
    )
    house.receive([answer], START + timedelta(minutes=minutes))
    before = len(_ladder(house, "e-0"))
    house.pass_time(START + timedelta(minutes=minutes + 9))
    assert len(_ladder(house, "e-0")) == before
    document = house.document(CASE)
    assert document is not None
    assert document["owner"]["role"] == role
    house.pass_time(START + timedelta(minutes=minutes + 10))
    assert house.document(CASE)["owner"] is None  # type: ignore[index]
