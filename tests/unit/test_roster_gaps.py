"""Gaps are told a day ahead: to the coordinator, on the board, as a metric."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.web_house import CENTRE, NOW, House, SetClock, build_house
from triage.domain.paging import page_document
from triage.domain.roster.gaps import gap_words, gaps, seconds_without
from triage.domain.roster.roster import Roster
from triage.domain.roster_file.reading import read_roster
from triage.escalation.roster_watch import RosterWatch
from triage.notify.text import page_text
from triage.rosters.keeper import RosterKeeper

ROUTES = 'routes = [{ name = "inbox", kind = "inbox" }]'
DAY = timedelta(days=1)


def text(
    *overrides: tuple[str, str, str], coordinator: bool = True, zone: str = "Europe/Berlin"
) -> str:
    """A roster whose registrars serve by overrides only: (person, from, to) in local time."""
    people = (("coord-a", "coordinator"), ("reg-a", "registrar"), ("reg-b", "registrar"))
    made = f'version = 1\n[site."{CENTRE}"]\nzone = "{zone}"\ndesk = "1"\n'
    for who, role in people:
        made += f'[person.{who}]\nname = "Sample {who}"\nrole = "{role}"\n{ROUTES}\n'
    made += '[person.reg-c]\nname = "Sample reg-c"\nrole = "registrar"\n'
    if coordinator:
        made += f'[[rota]]\nsite = "{CENTRE}"\nrole = "coordinator"\npeople = ["coord-a"]\n'
    for who, starts, ends in overrides:
        made += (
            f'[[override]]\nsite = "{CENTRE}"\nrole = "registrar"\nperson = "{who}"\n'
            f'from = "{starts}"\nto = "{ends}"\nreason = "rota"\n'
        )
    return made


def with_a_hole() -> Roster:
    """Nobody from 20:00 to 23:00 tonight (19:00 to 22:00 UTC)."""
    return read_roster(
        text(
            ("reg-a", "2026-03-01T08:00", "2026-03-10T20:00"),
            ("reg-b", "2026-03-10T23:00", "2026-06-01T08:00"),
        )
    )


@pytest.fixture
def house(tmp_path: Path) -> House:
    return build_house(tmp_path)


def watch(house: House, made: Roster) -> RosterWatch:
    house.desk.roster = made
    return RosterWatch(house.store, house.desk, house.instruments)


def test_a_gap_within_the_day_is_found_with_its_times() -> None:
    (gap,) = gaps(with_a_hole(), ["registrar"], now=NOW, within=DAY)
    assert (gap.starts, gap.ends) == (
        datetime(2026, 3, 10, 19, tzinfo=UTC),
        datetime(2026, 3, 10, 22, tzinfo=UTC),
    )
    assert gap_words(gap, with_a_hole()) == (
        "nobody serves as registrar at centre:NEURO from 2026-03-10 20:00 to 2026-03-10 23:00"
    )
    assert seconds_without(gap, now=NOW, within=DAY) == 3 * 3600


def test_a_gap_is_told_from_the_instant_at_which_it_is_a_day_away_until_it_is_over() -> None:
    def found(at: datetime) -> int:
        return len(gaps(with_a_hole(), ["registrar"], now=at, within=DAY))

    starts, ends = datetime(2026, 3, 10, 19, tzinfo=UTC), datetime(2026, 3, 10, 22, tzinfo=UTC)
    tick = timedelta(seconds=1)
    assert [found(at) for at in (starts - DAY, starts - DAY + tick, ends - tick, ends)] == [
        0,
        1,
        1,
        0,
    ]


def test_a_person_who_cannot_be_reached_is_a_gap_and_a_role_that_is_never_served_is_none() -> None:
    made = read_roster(text(("reg-c", "2026-03-01T08:00", "2026-06-01T08:00")))
    (gap,) = gaps(made, ["registrar", "site_manager"], now=NOW, within=DAY)
    assert gap.person == "reg-c"
    assert gap_words(gap, made).startswith("reg-c, who has no route, serves as registrar")


def test_the_coordinator_is_paged_once_and_again_two_hours_before(house: House) -> None:
    watching = watch(house, with_a_hole())
    at = datetime(2026, 3, 9, 19, 0, 1, tzinfo=UTC)
    assert [watching.turn(at), watching.turn(at + timedelta(hours=5))] == [1, 0]
    assert watching.turn(datetime(2026, 3, 10, 17, tzinfo=UTC)) == 1
    assert watching.turn(datetime(2026, 3, 10, 18, tzinfo=UTC)) == 0
    with house.store.read() as reader:
        orders = [row.order for row in reader.pages()]
    assert {(each.person, each.case, each.obligation) for each in orders} == {
        ("coord-a", None, "roster_gap")
    }
    document = page_document(orders[0], attempt=1, possibly_doubled=False, url="u", sent_at=None)
    shown = page_text(document)
    assert shown.title == "Roster: name somebody: triage roster cover, or correct the roster"
    assert "nobody serves as registrar at centre:NEURO from 2026-03-10 20:00" in shown.body


def test_a_gap_of_the_coordinator_is_told_to_the_site_manager(house: House) -> None:
    made = text(("reg-a", "2026-03-01T08:00", "2026-06-01T08:00"), coordinator=False)
    made += (
        f'[[override]]\nsite = "{CENTRE}"\nrole = "coordinator"\nperson = "coord-a"\n'
        'from = "2026-03-01T08:00"\nto = "2026-03-10T20:00"\nreason = "rota"\n'
        f'[[rota]]\nsite = "{CENTRE}"\nrole = "site_manager"\npeople = ["reg-b"]\n'
    )
    assert watch(house, read_roster(made)).turn(NOW) == 1
    with house.store.read() as reader:
        (page,) = reader.pages()
    assert (page.order.role, page.order.person) == ("site_manager", "reg-b")


def test_a_roster_without_gap_pages_nobody_and_the_metric_falls_to_zero(house: House) -> None:
    watching = watch(house, with_a_hole())
    watching.turn(NOW)
    assert b'triage_roster_gap_seconds{role="registrar"} 10800.0' in house.instruments.exposition()
    house.desk.roster = read_roster(text(("reg-a", "2026-03-01T08:00", "2026-06-01T08:00")))
    assert watching.turn(NOW) == 0
    assert b'triage_roster_gap_seconds{role="registrar"} 0.0' in house.instruments.exposition()


def test_the_page_is_in_the_inbox_until_somebody_has_seen_it(house: House) -> None:
    watch(house, with_a_hole()).turn(NOW)
    with house.store.read() as reader:
        (page,) = [row.order.page for row in reader.pages()]
    client, path = house.client(), f"/api/pages/{page}/acknowledge"
    assert client.post(path, json={}, headers=house.as_("hospital:RX1")).status_code == 404
    said = client.post(path, json={}, headers=house.as_("coord-a"))
    assert (said.status_code, said.json()["effect"]) == (202, True)
    again = client.post(path, json={}, headers=house.as_("coord-a"))
    assert again.json() == {"page": page, "effect": False, "reason": "seen before"}
    with house.store.read() as reader:
        assert reader.pages()[0].withdrawn == "seen by a coordinator"


def test_the_board_says_so_and_a_screen_for_anybody_does_not(tmp_path: Path) -> None:
    house = build_house(tmp_path, is_demo=True)
    file = tmp_path / "roster.toml"
    file.write_text(text(("reg-a", "2026-03-01T08:00", "2026-03-10T20:00")))
    keeper = RosterKeeper(house.desk, house.store, file)
    keeper._stamp = None
    keeper.look(NOW)
    client = house.client()
    client.get("/")
    assert (
        "nobody serves as registrar at centre:NEURO from 2026-03-10 20:00" in client.get("/").text
    )


def test_a_changed_file_counts_at_the_next_look_and_a_broken_one_keeps_the_old(
    house: House, tmp_path: Path
) -> None:
    file, clock = tmp_path / "roster.toml", SetClock()
    file.write_text(text(("reg-a", "2026-03-01T08:00", "2026-06-01T08:00")))
    house.desk.roster = read_roster(file.read_text())
    keeper = RosterKeeper(house.desk, house.store, file)

    def holder() -> str | None:
        clock.advance(seconds=2)
        keeper.look(clock.now())
        person = house.desk.roster.on_call(CENTRE, "registrar", clock.now()).person
        return person.id if person else None

    assert holder() == "reg-a"
    file.write_text(text(("reg-b", "2026-03-01T08:00", "2026-06-01T08:00")))
    assert holder() == "reg-b"
    file.write_text('version = 1\n[site."centre:NEURO"]\nzone = "Mars/Olympus"\n')
    assert holder() == "reg-b"
    assert keeper.problem is not None
    assert "unknown zone: 'Mars/Olympus'" in keeper.problem
    assert any("cannot be used" in each for each in house.desk.notices)
    file.unlink()
    assert holder() == "reg-b"
    file.write_text(text(("reg-a", "2026-03-01T08:00", "2026-06-01T08:00"), zone="Europe/Paris"))
    assert holder() == "reg-a"
    assert keeper.problem is None
    assert house.desk.notices == ()
