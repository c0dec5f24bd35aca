"""The second model of a case, and production, are of one mind on seeded logs."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.second_opinion.case import Said, second_opinion
from tests.second_opinion.case_compare import differing, first_parting
from tests.second_opinion.case_corrections import CorrectingMaker
from tests.second_opinion.case_hands import HandingMaker
from tests.second_opinion.case_join_logs import JoinMaker
from tests.second_opinion.case_logs import LogMaker
from tests.second_opinion.case_production import Production, said_by
from tests.second_opinion.case_rest import RestMaker
from tests.second_opinion.case_roster import SITE
from tests.second_opinion.case_shift_logs import ShiftMaker
from tests.second_opinion.case_site_logs import SOUTH, SiteMaker
from tests.second_opinion.case_ties import TieMaker
from triage.domain.case import Case
from triage.domain.events import OURS, Actor, EventType
from triage.domain.paging import PageOrder
from triage.domain.tiers import Tier
from triage.policies.load import load_policy_book
from triage.policies.shipped import shipped_texts

SEED = int(os.environ.get("TRIAGE_SECOND_MODEL_SEED", "1"))
LOGS = int(os.environ.get("TRIAGE_SECOND_MODEL_LOGS", "150"))
PARTS = 10
# Of each mend that no scenario shows, a log that parted the two before it.
DIFFERED = (
    30186,  # a round from before its clock's start
)
FAMILIES = (HandingMaker, CorrectingMaker, RestMaker, TieMaker, ShiftMaker, SiteMaker)
FELLOW = Actor(name="Sample Fellow", role="fellow")


@pytest.mark.parametrize("part", range(PARTS))
def test_both_models_say_the_same_of_seeded_logs(part: int) -> None:
    partings = [
        found
        for seed in range(SEED + part, SEED + LOGS, PARTS)
        if (found := first_parting(seed)) is not None
    ]
    texts = "\n\n".join(each.text for each in partings[:3])
    assert not partings, f"{len(partings)} logs differ\n{texts}"


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("make", FAMILIES)
def test_both_models_say_the_same_of_logs_of_one_kind(make: type[LogMaker], part: int) -> None:
    partings = [
        found
        for seed in range(SEED + part, SEED + LOGS // 3, PARTS)
        if (found := first_parting(seed, make=make)) is not None
    ]
    texts = "\n\n".join(each.text for each in partings[:3])
    assert not partings, f"{len(partings)} logs differ\n{texts}"


def test_cases_do_change_hands_in_these_logs() -> None:
    """By every kind of act, and back: else the test above would compare what never happens."""
    seen = set[str]()
    for seed in range(1, 60):
        maker, production = HandingMaker(seed), Production()
        event = maker.first()
        for _ in range(maker.length):
            production.take(event)
            case, _ = production.at(event.received_at)
            held, answer = case.acknowledgement, str(event.data.get("answer", ""))
            if held is not None and held.event == event.id:
                seen.add(f"{event.type.value} {answer}".strip())
            elif answer == "hand_back" and case.verdicts[event.key].effect:
                seen.add(answer)
            event = maker.next_event(production.ordered)
    acts = {"page.acknowledged.v1 coming", "page.acknowledged.v1 hand_over", "hand_back"}
    assert seen >= {*acts, "handover.offered.v1", "handover.accepted.v1"}


def test_corrections_do_count_in_these_logs() -> None:
    """Moved, withdrawn, refused, come before what they correct; and a treatment that was none."""
    seen = set[str]()
    for seed in range(1, 60):
        maker, production = CorrectingMaker(seed), Production()
        event, treated = maker.first(), False
        for _ in range(maker.length):
            production.take(event)
            case, _ = production.at(event.received_at)
            if event.type is EventType.MILESTONE_CORRECTED:
                verdict = case.verdicts[event.key]
                seen.add("warned" if verdict.warnings else "counts" if verdict.effect else "not")
                seen |= {"waits again"} if treated and case.treated_at is None else set()
            treated = case.treated_at is not None
            seen |= {
                "moved" for each in case.milestones.values() if each.was not in (None, each.at)
            }
            event = maker.next_event(production.ordered)
    assert seen == {"warned", "counts", "not", "moved", "waits again"}


def test_shifts_do_end_in_these_logs() -> None:
    """Somebody is asked to take over, and where nobody does everybody is called."""
    seen = set[str]()
    for seed in range(1, 40):
        maker = ShiftMaker(seed)
        production, event = Production(file=maker.roster), maker.first()
        for _ in range(maker.length):
            production.take(event)
            case, orders = production.at(event.received_at)
            seen |= {each.asked for each in orders if "hand-over" in each.asked}
            if case.run is not None and case.run.name.startswith("shift-end:"):
                seen.add("everybody is called")
            event = maker.next_event(production.ordered)
    assert seen >= {"accept the hand-over", "everybody is called"}


def test_cases_are_sent_on_in_these_logs() -> None:
    """Before anybody answers and while somebody owns them, there and back."""
    seen = set[str]()
    for seed in range(1, 100):
        maker = SiteMaker(seed)
        production, event, place = Production(file=maker.roster), maker.first(), ""
        for _ in range(maker.length):
            production.take(event)
            case, orders = production.at(event.received_at)
            before, place = place, production.roster.site_for(case.destination)[0]
            if before not in ("", place):
                seen.add(f"to {place} {'owned' if case.owner else 'waiting'}")
            if case.leaving is not None and case.leaving.is_sent_on:
                seen |= {each.asked for each in orders if each.site == SOUTH}
            if case.run is not None and "sent on" in case.run.cause:
                seen.add("everybody is called")
            event = maker.next_event(production.ordered)
    assert seen >= {f"to {site} {how}" for site in (SOUTH, SITE) for how in ("owned", "waiting")}
    assert seen >= {"offer the hand-over", "accept the hand-over", "everybody is called"}


def test_every_type_that_others_may_send_is_in_these_logs() -> None:
    """All but what our own relay and sweep write."""
    seen = set[EventType]()
    for make in (LogMaker, *FAMILIES, JoinMaker):
        for seed in range(1, 100):
            maker = make(seed)
            made = [maker.first()]
            made += [maker.next_event(["C.acknowledgement.run.1.1"]) for _ in range(maker.length)]
            seen |= {event.type for event in made}
    assert seen == {*EventType} - {*OURS, EventType.PAGE_RECEIPT}


@pytest.mark.parametrize("seed", DIFFERED)
def test_logs_that_differed_once_do_not(seed: int) -> None:
    found = first_parting(seed)
    assert found is None, found.text


Answer = tuple[Case, tuple[PageOrder, ...]]


def _due_moved(case: Case) -> Case:
    later = [replace(each, due_at=each.due_at + timedelta(hours=1)) for each in case.obligations]
    return replace(case, obligations=tuple(later))


PLANTED: dict[str, tuple[str, Callable[[Case], Case]]] = {
    "a lower tier": ("tier", lambda case: replace(case, tier=Tier.ROUTINE)),
    "not held": ("is_held", lambda case: replace(case, is_held=not case.is_held)),
    "another rule": ("rules", lambda case: replace(case, rules=("E9",))),
    "an invented owner": (
        "owner",
        lambda case: replace(case, owner=FELLOW),
    ),
    "deadlines moved": ("open_by", _due_moved),
    "a later acknowledgement": ("acknowledgement", _due_moved),
    "a breach forgotten": ("missed", lambda case: replace(case, obligations=())),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_fault_planted_in_what_production_says_is_seen(fault: str) -> None:
    name, plant = PLANTED[fault]
    case, orders, said = _unanswered()
    assert differing(said_by(case, orders), said) == []
    assert name in differing(said_by(plant(case), orders), said)


def test_a_page_that_production_drops_is_seen() -> None:
    case, orders, said = _unanswered()
    for number in range(len(orders)):
        left = (*orders[:number], *orders[number + 1 :])
        if orders[number].obligation != "review":
            assert differing(said_by(case, left), said) == ["pages"]


def _unanswered() -> tuple[Case, tuple[PageOrder, ...], Said]:
    """An EMERGENT case that nobody has answered for two hours."""
    event = LogMaker(1).emergent()
    production = Production()
    production.take(event)
    now = event.received_at + timedelta(hours=2)
    case, orders = production.at(now)
    assert case.tier is Tier.EMERGENT
    return case, orders, second_opinion([event], now, production.pages.get)


@pytest.mark.parametrize(
    ("file", "stated", "instead"),
    [
        ("deadlines", 'limits = [{ within = "15 min"', 'limits = [{ within = "16 min"'),
        ("ladders", 'after = "5 min"', 'after = "6 min"'),
        ("ladders", 'cap = "15 min"', 'cap = "20 min"'),
        ("timers", 'after = "60 min"', 'after = "61 min"'),
        ("authority", 'ladder = ["registrar"', 'ladder = ["coordinator", "registrar"'),
    ],
)
def test_a_book_with_another_number_is_seen(file: str, stated: str, instead: str) -> None:
    texts = dict(shipped_texts())
    changed = texts[f"{file}.toml"].replace(stated, instead)
    assert changed != texts[f"{file}.toml"]
    book = load_policy_book({**texts, f"{file}.toml": changed})
    assert any(first_parting(seed, book) for seed in range(1, 101))
