"""Who is on call, and where a referral goes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from triage.domain.roster.roster import (
    DEFAULT_WIDEN,
    Override,
    Person,
    Roster,
    Rota,
    Route,
    Site,
    default_roster,
)
from triage.domain.roster.shifts import shifts

NEURO = "centre:NEURO"
LONDON = ZoneInfo("Europe/London")


def person(name: str, role: str = "registrar") -> Person:
    return Person(id=name, name=f"Sample {name}", role=role)


def site(name: str = NEURO, zone: ZoneInfo = LONDON) -> Site:
    return Site(id=name, zone=zone)


def weekly(
    *people: str, handover: tuple[int, time] = (0, time(8)), since: date = date(2026, 1, 5)
) -> Rota:
    return Rota(
        site=NEURO,
        role="registrar",
        people=people,
        every=timedelta(weeks=1),
        handover=handover,
        since=since,
    )


def roster(
    *rotas: Rota, overrides: tuple[Override, ...] = (), sites: tuple[Site, ...] = ()
) -> Roster:
    people = {name: person(name) for name in ("reg-a", "reg-b", "reg-c")}
    return Roster(
        sites={each.id: each for each in sites or (site(),)},
        people=people,
        rotas=rotas,
        overrides=overrides,
        widen={},
        default_site=NEURO,
        version="test",
    )


def holder(made: Roster, at: str) -> str | None:
    served = made.on_call(NEURO, "registrar", datetime.fromisoformat(at)).person
    return served.id if served else None


def override(who: str, starts: str, ends: str) -> Override:
    return Override(
        site=NEURO,
        role="registrar",
        person=who,
        starts=datetime.fromisoformat(starts),
        ends=datetime.fromisoformat(ends),
        reason="swap",
    )


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-05T08:00+00:00", "reg-a"),
        ("2026-01-12T07:59:59+00:00", "reg-a"),
        ("2026-01-12T08:00+00:00", "reg-b"),  # the hand-over belongs to who takes over
        ("2026-01-19T08:00+00:00", "reg-c"),
        ("2026-01-26T08:00+00:00", "reg-a"),
        ("2026-01-05T07:00+00:00", "reg-c"),  # before the first turn: counted backwards
        ("2026-04-06T06:59:59+00:00", "reg-a"),  # summer time: 08:00 in London is 07:00 UTC
        ("2026-04-06T07:00+00:00", "reg-b"),
    ],
)
def test_people_take_turns_from_hand_over_to_hand_over(at: str, expected: str) -> None:
    assert holder(roster(weekly("reg-a", "reg-b", "reg-c")), at) == expected


def test_a_page_can_say_whose_turn_it_was_and_why() -> None:
    made = roster(
        weekly("reg-a", "reg-b"),
        overrides=(override("reg-c", "2026-03-12T08:00+00:00", "2026-03-13T08:00+00:00"),),
    )
    at = datetime(2026, 3, 11, tzinfo=UTC)
    assert made.on_call(NEURO, "registrar", at).chosen_by == (
        "rota registrar at centre:NEURO, turn of 2026-03-09"
    )
    later = datetime(2026, 3, 12, 12, tzinfo=UTC)
    assert made.on_call(NEURO, "registrar", later).chosen_by == (
        "override (swap) until 2026-03-13 08:00"
    )
    nobody = made.on_call(NEURO, "anaesthetics", at)
    assert nobody.person is None
    assert nobody.chosen_by == "nobody on the rota for anaesthetics at centre:NEURO"


def test_without_turns_the_first_person_always_serves() -> None:
    made = roster(Rota(site=NEURO, role="registrar", people=("reg-b", "reg-a")))
    assert {holder(made, f"2026-{month:02}-01T03:00+00:00") for month in range(1, 13)} == {"reg-b"}


def test_an_override_begins_at_its_start_and_is_over_at_its_end() -> None:
    made = roster(
        weekly("reg-a"),
        overrides=(override("reg-b", "2026-03-12T08:00+00:00", "2026-03-13T08:00+00:00"),),
    )
    assert holder(made, "2026-03-12T07:59:59+00:00") == "reg-a"
    assert holder(made, "2026-03-12T08:00+00:00") == "reg-b"
    assert holder(made, "2026-03-13T07:59:59+00:00") == "reg-b"
    assert holder(made, "2026-03-13T08:00+00:00") == "reg-a"


def test_of_two_overrides_the_one_that_began_last_serves() -> None:
    made = roster(
        weekly("reg-a"),
        overrides=(
            override("reg-c", "2026-03-12T12:00+00:00", "2026-03-12T18:00+00:00"),
            override("reg-b", "2026-03-12T08:00+00:00", "2026-03-13T08:00+00:00"),
        ),
    )
    assert holder(made, "2026-03-12T13:00+00:00") == "reg-c"
    assert holder(made, "2026-03-12T18:00+00:00") == "reg-b"


def test_an_override_serves_where_there_is_no_rota() -> None:
    made = roster(
        overrides=(override("reg-b", "2026-03-12T08:00+00:00", "2026-03-13T08:00+00:00"),)
    )
    assert holder(made, "2026-03-12T09:00+00:00") == "reg-b"
    assert holder(made, "2026-03-14T09:00+00:00") is None


def test_a_new_rota_takes_over_on_the_day_it_begins() -> None:
    made = roster(weekly("reg-c", since=date(2026, 6, 1)), weekly("reg-a"))
    assert holder(made, "2026-06-01T06:59:59+00:00") == "reg-a"
    assert holder(made, "2026-06-01T07:00:00+00:00") == "reg-c"


def test_a_rota_that_begins_later_serves_before_when_there_is_no_other() -> None:
    made = roster(weekly("reg-a", "reg-b", since=date(2026, 6, 1)))
    assert holder(made, "2026-05-25T12:00+00:00") == "reg-b"


def test_hand_over_in_the_missing_hour_is_the_instant_the_clocks_jump() -> None:
    made = roster(weekly("reg-a", "reg-b", handover=(6, time(1, 30)), since=date(2026, 3, 22)))
    assert holder(made, "2026-03-29T00:59:59+00:00") == "reg-a"
    assert holder(made, "2026-03-29T01:00:00+00:00") == "reg-b"


def test_hand_over_in_the_doubled_hour_is_its_first_occurrence() -> None:
    made = roster(weekly("reg-a", "reg-b", handover=(6, time(1, 30)), since=date(2026, 10, 18)))
    assert holder(made, "2026-10-25T00:29:59+00:00") == "reg-a"
    assert holder(made, "2026-10-25T00:30:00+00:00") == "reg-b"
    assert holder(made, "2026-10-25T01:10:00+00:00") == "reg-b"  # 01:10 on the wall once more


def test_shifts_of_twelve_hours_change_at_the_same_wall_time_all_year() -> None:
    rota = Rota(
        site=NEURO,
        role="registrar",
        people=("reg-a", "reg-b"),
        every=timedelta(hours=12),
        handover=(0, time(8)),
        since=date(2026, 1, 5),
    )
    start = datetime(2026, 3, 28, 8, tzinfo=UTC)
    found = shifts(roster(rota), NEURO, "registrar", start=start, end=start + timedelta(hours=36))
    walls = [shift.starts.astimezone(LONDON).strftime("%d %H:%M") for shift in found]
    assert walls == ["28 08:00", "28 20:00", "29 08:00", "29 20:00"]
    assert [shift.ends - shift.starts for shift in found[:2]] == [
        timedelta(hours=12),
        timedelta(hours=11),
    ]


def test_shifts_follow_each_other_and_show_the_gap() -> None:
    made = roster(
        overrides=(override("reg-b", "2026-03-12T08:00+00:00", "2026-03-13T08:00+00:00"),)
    )
    start = datetime(2026, 3, 12, tzinfo=UTC)
    found = shifts(made, NEURO, "registrar", start=start, end=start + timedelta(days=2))
    assert [(shift.starts.hour, shift.on_call.person is None) for shift in found] == [
        (0, True),
        (8, False),
        (8, True),
    ]
    assert found[0].starts == start
    assert found[-1].ends == start + timedelta(days=2)


def test_a_referral_goes_to_the_site_it_names() -> None:
    made = roster(sites=(site(), site("centre:OTHER")))
    assert made.site_for("centre:OTHER") == ("centre:OTHER", None)
    assert made.site_for(" Centre:other ") == ("centre:OTHER", None)


def test_a_referral_that_names_no_site_goes_to_the_default_desk_and_is_noticed() -> None:
    two = roster(sites=(site(), site("centre:OTHER")))
    assert two.site_for(None) == (NEURO, "destination_missing")
    assert two.site_for("  ") == (NEURO, "destination_missing")
    assert two.site_for("centre:ELSEWHERE") == (NEURO, "destination_unknown")
    assert roster().site_for(None) == (NEURO, None)
    assert roster().site_for("centre:ELSEWHERE") == (NEURO, "destination_unknown")


def test_the_circle_widens_by_default_to_oncology_and_the_director() -> None:
    assert roster().widen_roles(NEURO) == DEFAULT_WIDEN == ("oncology", "clinical_director")


def test_without_a_roster_file_there_is_a_desk_and_nobody_on_call() -> None:
    made = default_roster()
    where, notice = made.site_for(None)
    assert (where, notice) == ("centre:LOCAL", None)
    assert made.on_call(where, "registrar", datetime(2026, 3, 9, tzinfo=UTC)).person is None


def test_addresses_and_secrets_of_routes_are_not_printed() -> None:
    route = Route(name="sms", kind="apprise", url="sms://token@number", secret="hush")
    shown = repr(Person(id="reg-a", name="Sample", role="registrar", routes=(route,)))
    assert "token" not in shown
    assert "hush" not in shown


def test_a_site_without_working_days_is_refused() -> None:
    with pytest.raises(ValueError, match="no working day"):
        Site(id=NEURO, zone=LONDON, days=frozenset())
