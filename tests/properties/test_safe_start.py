"""No plan pages its last rung too late to act, for any obligation, tier and time that is left.

The due instant pages too, so the latest safe start of the last rung is one gap before it.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.case_events import CASE, HOSPITAL, SICK, START, build
from tests.scenarios.house import BOOK, ROSTER
from triage.domain.case import Case, Obligation, Run
from triage.domain.events import EventType
from triage.domain.paging import ACKNOWLEDGEMENT, PageOrder
from triage.domain.tiers import Tier
from triage.workflow.fold import fold
from triage.workflow.plan import plan
from triage.workflow.terms import holders

GAP = BOOK.ladders.minimum_gap
NOMINAL = {Tier.EMERGENT: 15, Tier.URGENT: 60, Tier.PRIORITY: 1440, Tier.PALLIATIVE_MDT: 240}
TIMED = sorted(
    {
        (row.name, tier)
        for row in BOOK.deadlines.obligation
        for clock in row.clock
        for tier, stated in clock.tier.items()
        if stated.limits and (row.name != ACKNOWLEDGEMENT or tier in NOMINAL)
    }
)
FIRST = build(0, EventType.REFERRAL_SUBMITTED, HOSPITAL, SICK, (0, 0, None))
WAITING = fold(CASE, [FIRST], BOOK, START, ROSTER)
_left = st.one_of(
    st.timedeltas(timedelta(hours=-3), timedelta(minutes=10)),
    st.timedeltas(timedelta(), timedelta(days=14)),
)


def owing(name: str, tier: Tier, left: timedelta) -> Case:
    """A case that owes this and nothing else, `left` before it is due."""
    nominal = timedelta(minutes=NOMINAL[tier]) if name == ACKNOWLEDGEMENT else left
    owed = Obligation(
        name=name,
        clock=name,
        starts_at=START,
        due_at=START + left,
        nominal=nominal,
        holders=holders(BOOK, name),
        kind="proposal",
        source="P",
        run="e-0",
        run_tag="0123abcd",
    )
    run = Run(name="e-0", tag="0123abcd", started_at=START, tier=tier, cause="new referral")
    return replace(WAITING, tier=tier, obligations=(owed,), run=run, timers=())


def planned(case: Case, until: datetime) -> list[PageOrder]:
    """Every page of the ladder, each seen at the instant at which a sweep would find it."""
    found: dict[str, PageOrder] = {}
    now: datetime | None = START
    while now is not None and now <= until:
        at_work = plan(replace(case, as_of=now), BOOK, ROSTER, now)
        for order in at_work.orders:
            assert order.page in found or order.owed_at == now
            found.setdefault(order.page, order)
        now = at_work.next_due_at
    return list(found.values())


def before_due(pages: list[PageOrder], name: str, tier: Tier) -> list[PageOrder]:
    """The rungs of the ladder, without what its due instant pages and what comes after."""
    if name == ACKNOWLEDGEMENT:
        last = len(BOOK.ladders.acknowledgement[tier].rungs)
    else:
        last = len(BOOK.ladders.obligations[tier].shares)
    return [page for page in pages if page.round == 0 and 0 < page.rung <= last]


@pytest.mark.parametrize(("name", "tier"), TIMED)
@settings(max_examples=25, deadline=None)
@given(left=_left)
def test_the_last_rung_leaves_time_to_act(name: str, tier: Tier, left: timedelta) -> None:
    due = START + left
    pages = planned(owing(name, tier, left), max(due, START) + timedelta(minutes=1))
    safe = max(due - GAP, START)
    rungs = before_due(pages, name, tier)
    assert all(START <= page.owed_at <= safe for page in rungs)
    ordered = sorted(rungs, key=lambda page: page.owed_at)
    assert [page.rung for page in ordered] == sorted(page.rung for page in rungs)
    instants = sorted({page.owed_at for page in rungs})
    assert all(later - earlier >= GAP for earlier, later in pairwise(instants))


@pytest.mark.parametrize(("name", "tier"), TIMED)
@settings(max_examples=25, deadline=None)
@given(left=_left)
def test_everybody_of_the_ladder_is_paged_when_it_is_due(
    name: str, tier: Tier, left: timedelta
) -> None:
    due = max(START + left, START)
    pages = planned(owing(name, tier, left), due)
    reached = {page.role for page in pages}
    if name == ACKNOWLEDGEMENT:
        ladder = BOOK.ladders.acknowledgement[tier]
        whole = {role for rung in ladder.rungs for role in rung.roles}
    else:
        told = [role for role in BOOK.ladders.obligations[tier].due if role != "holder"]
        whole = {*told, *holders(BOOK, name)}
    assert whole <= reached


@pytest.mark.parametrize("tier", [Tier.EMERGENT, Tier.URGENT, Tier.PALLIATIVE_MDT])
@settings(max_examples=50, deadline=None)
@given(left=st.timedeltas(timedelta(), timedelta(hours=8)))
def test_rungs_shrink_with_the_time_that_is_left_and_never_stretch(
    tier: Tier, left: timedelta
) -> None:
    pages = planned(owing(ACKNOWLEDGEMENT, tier, left), START + left + timedelta(minutes=1))
    factor = min(1.0, left / timedelta(minutes=NOMINAL[tier]))
    ladder = BOOK.ladders.acknowledgement[tier].rungs
    for page in before_due(pages, ACKNOWLEDGEMENT, tier):
        nominal = ladder[page.rung - 1].after
        assert nominal is not None
        assert page.owed_at <= START + nominal * factor + GAP * (page.rung - 1)
