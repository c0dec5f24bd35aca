"""Who gets a page when the roster has changed since it was ordered, and on which route."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes_notify import START, FakeClock, order
from triage.domain.roster.roster import NAMED_IN_HAND_OVER, OWNER_OF_CASE, TAKES_OVER, Roster
from triage.domain.roster_file.reading import read_roster
from triage.notify.apprise_route import AppriseRoute
from triage.notify.directory import Directory
from triage.notify.inbox import InboxRoute
from triage.notify.resolve import resolve_order
from triage.notify.webhook import WebhookRoute, webhook_client

FILE = """
version = 1
[site."centre:NEURO"]
zone = "Europe/London"
[person.reg-a]
name = "Sample Registrar"
role = "registrar"
routes = [
  { name = "desk", kind = "webhook", url = "https://desk.example/p", secret = "env:S" },
  { name = "sms", kind = "apprise", url = "env:SMS_A" },
]
[person.reg-b]
name = "Sample Two"
role = "registrar"
routes = [
  { name = "push", kind = "apprise", url = "env:PUSH_B" },
  { name = "sms", kind = "apprise", url = "env:SMS_B" },
]
[person.reg-c]
name = "Sample Three"
role = "registrar"
[[rota]]
site = "centre:NEURO"
role = "registrar"
people = ["reg-a"]
"""


def swapped_to(person: str) -> Roster:
    return read_roster(
        FILE
        + f'[[override]]\nsite = "centre:NEURO"\nrole = "registrar"\nperson = "{person}"\n'
        + 'from = "2026-03-10T08:00"\nto = "2026-03-10T20:00"\nreason = "swap"\n'
    )


def test_an_unchanged_roster_changes_nothing() -> None:
    ordered = order(chosen_by="rota registrar at centre:NEURO")
    assert resolve_order(ordered, read_roster(FILE), START) == ordered


def test_who_took_over_since_gets_the_page_under_its_key() -> None:
    sent = resolve_order(order(route="sms", kind="apprise"), swapped_to("reg-b"), START)
    assert (sent.person, sent.name, sent.route) == ("reg-b", "Sample Two", "sms")
    assert sent.chosen_by == "override (swap) until 2026-03-10 20:00"
    assert sent.page == order(route="sms").page


def test_who_serves_by_another_rule_by_now_is_told_so() -> None:
    sent = resolve_order(order(chosen_by="rota registrar"), swapped_to("reg-a"), START)
    assert (sent.person, sent.chosen_by) == ("reg-a", "override (swap) until 2026-03-10 20:00")


def test_two_routes_stay_two_when_the_other_person_names_them_otherwise() -> None:
    first = resolve_order(order(route="desk"), swapped_to("reg-b"), START)
    second = resolve_order(order(route="sms", kind="apprise"), swapped_to("reg-b"), START)
    assert [(each.route, each.route_kind) for each in (first, second)] == [
        ("push", "apprise"),
        ("sms", "apprise"),
    ]


def test_whoever_has_no_route_is_paged_at_the_desk() -> None:
    sent = resolve_order(order(), swapped_to("reg-c"), START)
    assert (sent.person, sent.route, sent.route_kind) == ("reg-c", "inbox", "inbox")


@pytest.mark.parametrize(
    "rule", [OWNER_OF_CASE, NAMED_IN_HAND_OVER, f"{TAKES_OVER}: rota registrar at centre:NEURO"]
)
def test_who_is_meant_in_person_is_paged_whoever_is_on_call(rule: str) -> None:
    meant = order(chosen_by=rule)
    assert resolve_order(meant, swapped_to("reg-b"), START) == meant


def test_a_person_off_duty_is_paged_rather_than_nobody() -> None:
    nobody = replace(read_roster(FILE), rotas=())
    assert resolve_order(order(), nobody, START) == order()


def test_a_page_for_nobody_finds_who_is_there_now() -> None:
    gap = order(route="inbox", kind="inbox", person=None, name=None, chosen_by="nobody on the rota")
    sent = resolve_order(gap, read_roster(FILE), START)
    assert (sent.person, sent.route, sent.route_kind) == ("reg-a", "desk", "webhook")


def test_a_person_who_left_the_roster_is_paged_at_the_desk() -> None:
    owned = order(chosen_by=OWNER_OF_CASE, person="reg-gone")
    assert resolve_order(owned, read_roster(FILE), START).route_kind == "inbox"


def test_a_route_that_is_gone_gives_way_to_the_person_s_first() -> None:
    sent = resolve_order(order(route="fax"), read_roster(FILE), START)
    assert (sent.route, sent.route_kind) == ("desk", "webhook")


def test_the_directory_gives_each_route_its_kind_and_its_own_lane(tmp_path: Path) -> None:
    async def run() -> None:
        inbox = InboxRoute(tmp_path / "inbox.jsonl", asyncio.to_thread)
        async with webhook_client() as client:
            directory = Directory(
                roster=lambda: read_roster(FILE),
                inbox=inbox,
                client=client,
                clock=FakeClock(datetime(2026, 3, 10, tzinfo=UTC)),
                environment={},
            )
            desk = directory.connect(order())
            sms = directory.connect(order(route="sms", kind="apprise"))
            other_sms = directory.connect(order(route="sms", kind="apprise", person="reg-b"))
            assert isinstance(desk.route, WebhookRoute)
            assert isinstance(sms.route, AppriseRoute)
            assert len({desk.lane, sms.lane, other_sms.lane, directory.desk().lane}) == 4
            assert directory.connect(order(route="sms", kind="apprise")).route is sms.route
            for unknown in (order(person=None), order(person="x"), order(route="fax")):
                assert directory.connect(unknown).route is inbox

    asyncio.run(run())
