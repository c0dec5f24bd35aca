"""Which routes a person is reached by, in which order and how often; who reaches nobody."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.properties.case_events import HOSPITAL, SICK, START, build
from tests.scenarios.house import ROSTER, ROSTER_TEXT, House
from triage.domain.errors import UnsoundRoster
from triage.domain.events import EventType
from triage.domain.roster.contact import ContactRule
from triage.domain.roster.roster import Person, Roster, Route
from triage.domain.roster.telephone import Provider
from triage.domain.roster_file.reading import read_roster
from triage.domain.tiers import Tier
from triage.workflow.routing import contacts

PHONE = Provider(name="phone", account="env:A", token="env:T", sender="+441632960999")
TEXT = Route(name="text", kind="sms", to="env:N", provider=PHONE)
CALL = Route(name="call", kind="voice", to="env:N", provider=PHONE)
DESK = Route(name="desk", kind="webhook", url="https://desk.example", secret="env:S")


def person(*routes: Route) -> Person:
    return Person(id="reg-a", name="Sample", role="registrar", routes=routes)


def names(tier: Tier | None, *routes: Route) -> list[str]:
    return [contact.route.name for contact in contacts(person(*routes), tier)]


def test_emergent_takes_two_routes_that_no_one_provider_carries() -> None:
    assert names(Tier.EMERGENT, TEXT, CALL, DESK) == ["text", "desk"]
    assert names(Tier.EMERGENT, TEXT, CALL) == ["text", "call"], "two of one are better than one"
    assert names(Tier.URGENT, TEXT, CALL, DESK) == ["text"]


def only(route: Route, *tiers: Tier) -> Route:
    return replace(route, rule=ContactRule(tiers=frozenset(tiers)))


def test_routes_are_chosen_by_tier_and_never_leave_anybody_without() -> None:
    call, text = only(CALL, Tier.EMERGENT), only(TEXT, Tier.URGENT, Tier.PRIORITY)
    assert names(Tier.URGENT, call, text) == ["text"]
    assert names(Tier.EMERGENT, text, call) == ["call", "text"], "a second one, though not for it"
    assert names(Tier.ROUTINE, call, text) == ["call"]
    assert names(None, call, text) == ["call"], "unread messages may be anything"
    assert names(Tier.URGENT) == ["inbox"]


def roster(rules: str, *, extra: str = "") -> Roster:
    """The scenarios' people; the registrar and the coordinator have a second route with rules."""
    second = f', {{ name = "second", kind = "apprise", url = "env:U", {rules} }}]'
    text = ROSTER_TEXT
    for name in ("registrar-a", "coordinator-a"):
        head, _, rest = text.partition(f"[person.{name}]")
        rest = rest.replace("]\n", second + "\n", 1)
        text = f"{head}[person.{name}]{rest}"
    return read_roster(text)


def sent(house: House, route: str, role: str = "registrar") -> list[int]:
    """Minutes after the start at which the route was used."""
    return [
        int((each.at - START).total_seconds() // 60)
        for each in house.sent
        if each.order.route == route
        and each.order.role == role
        and each.order.obligation == "acknowledgement"
    ]


def play(roster: Roster, data: dict[str, object], minutes: int) -> House:
    house = House(roster)
    event = build(0, EventType.REFERRAL_SUBMITTED, HOSPITAL, data, (0, 0, None))
    house.receive([event], START)
    house.pass_time(START + timedelta(minutes=minutes))
    return house


URGENT: dict[str, object] = {"findings": {}}


def test_below_emergent_a_delayed_route_comes_later_and_repeats() -> None:
    house = play(roster('after = "2 min", repeat = 2, every = "3 min"'), URGENT, 20)
    assert sent(house, "inbox") == [0]
    assert sent(house, "second") == [2, 5, 8]


def test_a_later_step_does_not_swallow_a_delay() -> None:
    house = play(roster('after = "40 min"'), URGENT, 44)
    assert sent(house, "inbox") == [0, 30]
    assert sent(house, "second") == [40], "40 minutes after the first page, not after the second"


def test_emergent_waits_for_no_delay_and_still_repeats_for_a_heavy_sleeper() -> None:
    house = play(roster('after = "9 min", repeat = 3, every = "1 min"'), SICK, 4)
    assert sent(house, "inbox") == [0]
    assert sent(house, "second") == [0, 1, 2, 3]
    pages = [each.order.page for each in house.sent]
    assert len(pages) == len(set(pages)), "each repeat is a page of its own"


def test_a_service_that_slept_sends_one_repeat_and_not_all_of_them() -> None:
    house = House(roster('repeat = 9, every = "1 min"'))
    house.is_relay_up = False
    late = play_in(house)
    assert [page for page in late if page[0] == "second" and page[1] == "registrar"] == [
        ("second", "registrar")
    ]


def play_in(house: House) -> list[tuple[str, str]]:
    event = build(0, EventType.REFERRAL_SUBMITTED, HOSPITAL, SICK, (0, 0, None))
    house.receive([event], event.received_at)
    house.pass_time(event.received_at + timedelta(minutes=4))
    house.relay(event.received_at + timedelta(minutes=4))
    return [(each.order.route, each.order.role) for each in house.sent]


def test_a_rung_whose_person_has_no_route_is_skipped_in_the_same_tick() -> None:
    text = ROSTER_TEXT
    for name in ("registrar-a", "coordinator-a"):
        head, _, rest = text.partition(f"[person.{name}]")
        routes = 'routes = [{ name = "inbox", kind = "inbox" }]\n'
        text = f"{head}[person.{name}]{rest.replace(routes, '', 1)}"
    reached = play(read_roster(text), SICK, 0)
    assert "consultant" in {each.order.role for each in reached.sent}
    assert {each.order.role for each in reached.sent} >= {"registrar", "coordinator"}, "at the desk"
    before = play(ROSTER, SICK, 0)
    assert "consultant" not in {each.order.role for each in before.sent}


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ('after = "2 h"', "after: no wait: '2 h'; write '2 min', at most '60 min'"),
        ("repeat = 11", "repeat: no number of repeats: 11; allowed: 0 to 10"),
        ('every = "0 min"', "every: is under a minute"),
        ('tiers = ["emergent"]', "tiers: no list of tiers: ['emergent']; allowed: EMERGENT"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: str, problem: str) -> None:
    with pytest.raises(UnsoundRoster) as caught:
        roster(rule)
    assert f"person.registrar-a.routes[2].{problem}" in caught.value.what
