"""Test pages: sent before a shift, never taken for a real page, proof only from their person."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.test_roster_check import SITE, person, rota
from tests.web_house import NOW, House, build_house
from triage.cli import app
from triage.domain.paging import Attempt, PageId, PageOrder, page_document
from triage.domain.roster.roster import Roster
from triage.domain.roster_file.reading import read_roster
from triage.escalation.roster_watch import RosterWatch
from triage.notify.resolve import resolve_order
from triage.notify.text import page_text
from triage.rosters.keeper import RosterKeeper
from triage.rosters.sources import put_together, read_kept
from triage.rosters.testing import unanswered
from triage.store import open_store

WEEK = timedelta(days=7)
ROUTES = """routes = [
  { name = "desk", kind = "webhook", url = "https://desk.example/a", secret = "env:S" },
  { name = "sms", kind = "apprise", url = "env:SMS" },
  { name = "inbox", kind = "inbox" },
]"""


def roster(routes: str = ROUTES) -> Roster:
    """NOW is Tuesday 09:02 in London; hand-over to reg-b is next Monday."""
    return read_roster(
        SITE
        + person("reg-a", "registrar", routes)
        + person("reg-b", "registrar", routes)
        + rota("registrar", "reg-a", "reg-b")
    )


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = build_house(tmp_path)
    house.desk.roster = roster()
    return house


def watch(house: House, every: timedelta = WEEK) -> RosterWatch:
    return RosterWatch(house.store, house.desk, house.instruments, secret="s", test_every=every)


def orders(house: House) -> list[PageOrder]:
    with house.store.read() as reader:
        return sorted((row.order for row in reader.pages()), key=lambda each: each.route)


def take(house: House, *pages: str, outcome: str = "accepted", at: datetime = NOW) -> None:
    """The provider's answer to each page."""
    with house.store.begin() as tx:
        claimed = {each.order.page: each for each in tx.claim_pages(at, 50, 10)}
        tx.finish_attempts(
            [
                Attempt(
                    page=PageId(page),
                    route=claimed[PageId(page)].order.route,
                    attempt=claimed[PageId(page)].attempt,
                    outcome=outcome,
                    provider_word=None,
                    at=at,
                    retry_at=None if outcome == "accepted" else at + timedelta(seconds=1),
                )
                for page in pages
            ]
        )


def proven(house: House, at: datetime = NOW) -> dict[tuple[str, str], object]:
    with house.store.read() as reader:
        made = put_together(house.desk.roster, read_kept(reader, at), at)
    return {
        (who.id, route.name): route.proven_at
        for who in made.people.values()
        for route in who.routes
        if route.proven_at
    }


def test_each_route_of_who_serves_next_is_tested_once_in_seven_days(house: House) -> None:
    watching = watch(house)
    watching.turn(NOW)
    first = orders(house)
    assert len({each.person for each in first}) == 1
    assert [each.route for each in first] == ["desk", "sms"]
    for later in (timedelta(hours=1), timedelta(days=2), WEEK - timedelta(minutes=1)):
        watching.turn(NOW + later)
    mine = [each for each in orders(house) if each.person == first[0].person]
    assert len(mine) == 2
    watching.turn(NOW + 2 * WEEK)
    assert len([each for each in orders(house) if each.person == first[0].person]) == 4


def test_two_processes_order_one_page_a_route(house: House) -> None:
    for _ in range(2):
        watch(house).turn(NOW)
    assert len(orders(house)) == 2


def test_nobody_is_woken_and_zero_days_means_never(house: House) -> None:
    for at in (NOW.replace(hour=3), datetime(2026, 3, 14, 12, tzinfo=UTC)):
        watch(house).turn(at)
    watch(house, timedelta()).turn(NOW)
    assert orders(house) == []


def test_a_test_page_says_so_everywhere_and_stays_with_its_person_and_route(house: House) -> None:
    watch(house).turn(NOW)
    order = orders(house)[1]
    document = page_document(order, attempt=1, possibly_doubled=False, url="u", sent_at=None)
    assert document["drill"] is True
    assert (document["case"], document["tier"]) == (None, None)
    assert page_text(document).title == "TEST, not a patient: confirm that this test reached you"
    sent = resolve_order(order, house.desk.roster, NOW + timedelta(days=30))
    assert (sent.person, sent.route) == (order.person, "sms")


def test_its_own_person_proves_the_route_and_nobody_else_does(house: House) -> None:
    house.desk.roster = roster()
    watch(house).turn(NOW)
    order = orders(house)[0]
    assert order.person is not None
    other = "reg-b" if order.person == "reg-a" else "reg-a"
    take(house, order.page)
    client, path = house.client(), f"/api/pages/{order.page}/acknowledge"
    said = client.post(path, json={}, headers=house.as_(other)).json()
    assert (said["effect"], proven(house)) == (False, {})
    assert "only the person" in said["reason"]
    said = client.post(path, json={}, headers=house.as_(order.person)).json()
    assert said["effect"] is True
    assert proven(house) == {(order.person, order.route): NOW.date()}
    again = client.post(path, json={}, headers=house.as_(order.person)).json()
    assert (again["effect"], again["reason"]) == (False, "confirmed before")


def test_what_its_route_did_not_take_proves_nothing_and_is_given_up_after_a_day(
    house: House,
) -> None:
    watch(house).turn(NOW)
    order = orders(house)[0]
    assert order.person is not None
    take(house, order.page, outcome="failed")
    said = house.client().post(
        f"/api/pages/{order.page}/acknowledge", json={}, headers=house.as_(order.person)
    )
    assert said.json()["effect"] is False
    assert proven(house) == {}
    for after, suppress in ((timedelta(hours=23), None), (timedelta(hours=24), "not confirmed")):
        watch(house).turn(NOW + after)
        with house.store.begin() as tx:
            (claim,) = [
                each
                for each in tx.claim_pages(NOW + after, 50, 10)
                if each.order.page == order.page
            ]
        assert claim.suppress == suppress


def test_a_proof_ends_with_the_address_that_was_proven(house: House) -> None:
    watch(house).turn(NOW)
    order = orders(house)[0]
    assert order.person is not None
    take(house, order.page)
    house.client().post(
        f"/api/pages/{order.page}/acknowledge", json={}, headers=house.as_(order.person)
    )
    house.desk.roster = roster(ROUTES.replace("desk.example/a", "desk.example/b"))
    assert proven(house) == {}
    watch(house).turn(NOW + timedelta(days=1))
    assert len([each for each in orders(house) if each.route == "desk"]) == 2


def test_it_is_not_in_the_inbox_but_its_link_opens_it(house: House) -> None:
    watch(house).turn(NOW)
    order = orders(house)[0]
    client = house.client()
    client.post("/login", data={"token": house.token("reg-a"), "next": "/"})
    assert order.page not in client.get("/inbox").text
    shown = client.get(f"/p/{order.page}").text
    assert "Confirm that this test reached you" in shown or "confirm that this test" in shown
    assert "TEST" in shown


def test_a_test_that_nobody_confirmed_in_a_day_is_an_error_of_the_check(house: House) -> None:
    watch(house).turn(NOW)
    for after, count in ((timedelta(hours=23), 0), (timedelta(hours=24), 2)):
        with house.store.read() as reader:
            found = unanswered(house.desk.roster, read_kept(reader, NOW).tests, NOW + after)
        assert len(found) == count
    assert found[0].level == "error"
    assert "the test page of 2026-03-10 was not confirmed" in found[0].what


def told(house: House) -> list[tuple[str, str]]:
    return [
        (each.role, each.reason_class)
        for each in orders(house)
        if each.obligation == "route_unconfirmed"
    ]


def test_a_test_that_nobody_confirmed_is_told_once_to_the_coordinator_and_on_the_board(
    house: House,
) -> None:
    keeper = RosterKeeper(house.desk, house.store, None)
    watch(house).turn(NOW)
    who = orders(house)[0].person
    for after in (timedelta(hours=23), timedelta(hours=24), timedelta(hours=25)):
        watch(house).turn(NOW + after)
        keeper.look(NOW + after)
        assert bool(told(house)) is bool(house.desk.notices) is (after >= timedelta(hours=24))
    words = f"roster: {who} did not confirm the test page over {{}}"
    assert told(house) == [("coordinator", words.format(route)) for route in ("desk", "sms")]
    assert house.desk.notices == tuple(
        f"{who} may not be reached: the test page over {route} of 2026-03-10 was not confirmed."
        for route in ("desk", "sms")
    )


def test_of_the_coordinators_own_route_the_site_manager_is_told(house: House) -> None:
    house.desk.roster = read_roster(
        SITE + person("co-a", "coordinator", ROUTES) + rota("coordinator", "co-a")
    )
    for after in (timedelta(), timedelta(hours=24)):
        watch(house).turn(NOW + after)
    assert {role for role, _ in told(house)} == {"site_manager"}


def test_the_terminal_sends_a_test_and_its_person_confirms_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "roster.toml"
    file.write_text(SITE + person("reg-a", "registrar", ROUTES) + rota("registrar", "reg-a"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path))
    monkeypatch.setenv("TRIAGE_ROSTER_FILE", str(file))
    run = CliRunner()
    for count in (2, 0):
        said = run.invoke(app, ["roster", "test", "reg-a"])
        assert said.output == f"ordered: {count} test pages, one a route and day\n"
    store = open_store(f"sqlite:///{tmp_path / 'triage.db'}")
    with store.begin() as tx:
        order = tx.reads.pages()[0].order
        page = order.page
        sent = Attempt(
            page=page, route=order.route, attempt=1, outcome="accepted", provider_word=None, at=NOW
        )
        tx.finish_attempts([sent])
    assert run.invoke(app, ["ack", page, "--by", "reg-a"]).output == "recorded\n"
    again = run.invoke(app, ["ack", page, "--by", "reg-a"])
    assert (again.exit_code, again.output) == (1, "no effect: confirmed before\n")
    assert run.invoke(app, ["roster", "test", "reg-x"]).exit_code != 0
