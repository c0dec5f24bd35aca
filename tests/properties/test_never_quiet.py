"""An EMERGENT case that nobody owns pages for ever: no gap is longer than the ladder's round."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.case_events import CASE, CENTRE, HOSPITAL, REFERRAL, SICK, START, build
from tests.scenarios.house import BOOK, ROSTER, House
from tests.scenarios.script import person
from triage.domain.events import Event, EventType
from triage.domain.paging import ACKNOWLEDGEMENT, PageOrder
from triage.domain.tiers import Tier
from triage.workflow.fold import fold
from triage.workflow.plan import plan

SILENCE = timedelta(hours=72)
LADDER = BOOK.ladders.acknowledgement[Tier.EMERGENT]
assert LADDER.rounds is not None
ROUND = LADDER.rounds.every.length
FIRST = build(0, EventType.REFERRAL_SUBMITTED, HOSPITAL, SICK, (0, 0, None))
STILL = {"findings": {"walking": "cannot"}}
WIDEST = {
    "registrar", "coordinator", "consultant", "second_consultant", "site_manager", "oncology",
    "clinical_director",
}  # fmt: skip


def longest_gap(instants: list[datetime], end: datetime, since: datetime = START) -> timedelta:
    """The longest time without a page from `since` (the first receipt) to `end`."""
    points = sorted({since, *(at for at in instants if since <= at <= end), end})
    return max((later - earlier for earlier, later in pairwise(points)), default=timedelta())


def test_72_hours_of_silence_by_plan_alone() -> None:
    orders: dict[str, PageOrder] = {}
    now, end = START, START + SILENCE
    while now <= end:
        planned = plan(fold(CASE, [FIRST], BOOK, now, ROSTER), BOOK, ROSTER, now)
        orders |= {
            order.page: order for order in planned.orders if order.obligation == ACKNOWLEDGEMENT
        }
        assert planned.next_due_at is not None
        now = planned.next_due_at
    assert longest_gap([order.owed_at for order in orders.values()], end) <= ROUND
    late = [order for order in orders.values() if order.owed_at > START + timedelta(hours=71)]
    assert {order.role for order in late} == WIDEST


def test_72_hours_of_silence_through_the_store_and_the_sweep() -> None:
    house = House()
    house.receive([FIRST], START)
    end = START + SILENCE
    house.pass_time(end)
    ladder = [each for each in house.sent if each.order.obligation == ACKNOWLEDGEMENT]
    assert longest_gap([each.at for each in ladder], end) <= ROUND
    assert all(each.at == each.order.owed_at for each in ladder)
    pages = [each.order.page for each in house.sent]
    assert len(pages) == len(set(pages))
    after_widening = [each for each in ladder if each.at >= START + timedelta(minutes=35)]
    by_instant: dict[datetime, set[str]] = {}
    for each in after_widening:
        by_instant.setdefault(each.at, set()).add(each.order.role)
    assert all(roles == WIDEST for roles in by_instant.values())


_MINUTES = st.integers(1, 8 * 60)
_ANSWERS = st.sampled_from(
    [("coordinator", "coming"), ("coordinator", "decline"), ("registrar", "decline"),
     ("consultant", "decline"), ("oncology", "coming"), ("nobody", "coming"),
     ("site manager", "coming")]
)  # fmt: skip


@st.composite
def noise(draw: st.DrawFn) -> list[tuple[int, str, object]]:
    """What happens to a case without giving it an owner or closing it, by minute."""
    kinds = st.sampled_from(["answer", "again", "still", "cancel", "milestone", "declined", "late"])
    found = [(draw(_MINUTES), draw(kinds), draw(_ANSWERS)) for _ in range(draw(st.integers(1, 8)))]
    return sorted(found, key=lambda each: each[0])


def _event(number: int, minute: int, kind: str, answer: object, house: House) -> Event:
    at = (minute, minute, None)
    if kind == "again":
        return replace(FIRST, received_at=START + timedelta(minutes=minute))
    if kind == "cancel":
        return build(number, EventType.REFERRAL_CANCELLED, HOSPITAL, {"reason": "sent twice"}, at)
    if kind == "milestone":
        data = {"milestone": "steroid_given"}
        return build(number, EventType.MILESTONE_REACHED, HOSPITAL, data, at)
    if kind == "declined":
        data = {"reason": "declined", "by": person("consultant"), "plan": "Radiotherapy there."}
        return build(number, EventType.CASE_CLOSED, CENTRE, data, at)
    if kind == "answer":
        who, word = answer  # type: ignore[misc]
        ladder = [each for each in house.sent if each.order.obligation == ACKNOWLEDGEMENT]
        said = {"page": ladder[-1].order.page, "by": person(who), "answer": word}
        return build(number, EventType.PAGE_ACKNOWLEDGED, CENTRE, said, at)
    earlier = minute if kind == "still" else minute - 600
    return build(number, EventType.NEURO_EXAMINED, HOSPITAL, STILL, (earlier, minute, None))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(noise())
def test_nothing_but_an_owner_makes_it_quiet(happens: list[tuple[int, str, object]]) -> None:
    """Messages, repeats, cancellations, refusals and answers of people who may not stop it."""
    house = House()
    house.receive([FIRST], START)
    for number, (minute, kind, answer) in enumerate(happens, start=1):
        now = START + timedelta(minutes=minute)
        house.pass_time(now)
        house.receive([_event(number, minute, kind, answer, house)], now)
    end = START + timedelta(hours=9)
    house.pass_time(end)
    document = house.document(CASE)
    assert document is not None
    assert (document["tier"], document["owner"]) == ("EMERGENT", None)
    assert document["referral"] == REFERRAL
    paged = [each.at for each in house.sent if each.order.obligation == ACKNOWLEDGEMENT]
    assert longest_gap(paged, end) <= ROUND
