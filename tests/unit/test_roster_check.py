"""What `triage roster check` finds weak in a roster."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from typer.testing import CliRunner

from triage.cli import app
from triage.domain.roster.check import Finding, check_roster
from triage.domain.roster_file.reading import read_roster

NOW = datetime(2026, 3, 9, 9, tzinfo=UTC)
TWO_ROUTES = """routes = [
  { name = "desk", kind = "webhook", url = "env:D", secret = "env:S", proven_at = "2026-03-01" },
  { name = "sms", kind = "apprise", url = "env:SMS", proven_at = "2026-03-01" },
]"""
SITE = 'version = 1\n[site."centre:NEURO"]\nzone = "Europe/London"\n'


def person(name: str, role: str, routes: str = TWO_ROUTES) -> str:
    return f'[person.{name}]\nname = "Sample"\nrole = "{role}"\n{routes}\n'


def rota(role: str, *people: str, every: str = "1 week") -> str:
    named = ", ".join(f'"{who}"' for who in people)
    return (
        f'[[rota]]\nsite = "centre:NEURO"\nrole = "{role}"\npeople = [{named}]\n'
        f'every = "{every}"\nhandover = "mon 08:00"\nsince = "2026-01-05"\n'
    )


def override(role: str, who: str, starts: str, ends: str) -> str:
    return (
        f'[[override]]\nsite = "centre:NEURO"\nrole = "{role}"\nperson = "{who}"\n'
        f'from = "{starts}"\nto = "{ends}"\nreason = "cover"\n'
    )


def check(*parts: str, desk: bool = True, roles: tuple[str, ...] = ("registrar",)) -> list[Finding]:
    site = SITE + ('desk = "+44 1632 960100"\n' if desk else "")
    return list(
        check_roster(
            read_roster(site + "".join(parts)),
            now=NOW,
            roles=roles,
            may_stop=("registrar", "consultant"),
        )
    )


SOUND = (
    person("reg-a", "registrar"),
    person("reg-b", "registrar"),
    rota("registrar", "reg-a", "reg-b"),
)


def test_a_roster_without_weakness_has_no_findings() -> None:
    assert check(*SOUND) == []


def test_a_role_that_nobody_serves_is_an_error() -> None:
    (gap,) = check(*SOUND, roles=("registrar", "site_manager"))
    assert (gap.level, gap.place) == ("error", "centre:NEURO site_manager")
    assert gap.what == "nobody serves from 2026-03-09 09:00 to 2026-03-23 09:00"


def test_the_hours_between_two_overrides_are_a_gap_with_its_times() -> None:
    found = check(
        *SOUND[:2],
        override("registrar", "reg-a", "2026-03-09T00:00", "2026-03-12T08:00"),
        override("registrar", "reg-b", "2026-03-12T20:00", "2026-04-30T08:00"),
    )
    assert [each.what for each in found if each.level == "error"] == [
        "nobody serves from 2026-03-12 08:00 to 2026-03-12 20:00"
    ]


def test_a_gap_after_the_fourteen_days_is_not_told_yet() -> None:
    ends = (NOW.date() + timedelta(days=15)).isoformat()
    found = check(*SOUND[:2], override("registrar", "reg-a", "2026-03-09T00:00", f"{ends}T08:00"))
    assert not [each for each in found if each.level == "error"]


def test_one_person_alone_is_a_single_point() -> None:
    found = check(person("reg-a", "registrar"), rota("registrar", "reg-a"))
    assert [each.what for each in found] == ["only reg-a serves in these 14 days"]


def test_one_person_in_two_roles_at_once_is_told() -> None:
    found = check(
        *SOUND,
        person("con-a", "consultant"),
        rota("consultant", "reg-a", "con-a"),
        roles=("registrar", "consultant"),
    )
    assert [each.what for each in found] == ["reg-a is also consultant from 2026-03-16 08:00"]


def test_who_cannot_stop_an_emergent_ladder_may_not_hold_a_role_that_should() -> None:
    found = check(
        person("reg-a", "registrar"),
        person("coord-a", "coordinator"),
        rota("registrar", "reg-a", "coord-a"),
    )
    (told,) = found
    assert (told.level, told.what) == (
        "error",
        "coord-a is coordinator and cannot stop an EMERGENT ladder",
    )


def test_fewer_than_two_routes_and_none_at_all_are_told() -> None:
    one = 'routes = [{ name = "inbox", kind = "inbox" }]'
    found = check(
        person("reg-a", "registrar", one),
        person("reg-b", "registrar", "routes = []"),
        rota("registrar", "reg-a", "reg-b"),
    )
    assert [(each.level, each.place) for each in found] == [
        ("error", "person reg-b"),
        ("warning", "person reg-a"),
    ]


def test_a_route_that_was_never_proven_is_told_and_a_future_proof_is_none() -> None:
    tomorrow = (NOW.date() + timedelta(days=1)).isoformat()
    unproven = TWO_ROUTES.replace('secret = "env:S", proven_at = "2026-03-01"', 'secret = "env:S"')
    later = TWO_ROUTES.replace("2026-03-01", tomorrow, 1)
    for routes in (unproven, later):
        (told,) = check(
            person("reg-a", "registrar", routes), SOUND[1], rota("registrar", "reg-a", "reg-b")
        )
        assert told.what == "route desk is not proven"


def test_a_proof_of_over_35_days_ago_is_told() -> None:
    for age, told in ((35, 0), (36, 1)):
        day = (NOW.date() - timedelta(days=age)).isoformat()
        old = TWO_ROUTES.replace("2026-03-01", day, 1)
        found = check(person("reg-a", "registrar", old), SOUND[1], SOUND[2])
        assert [each.what for each in found] == [f"route desk was last proven on {day}"] * told


def test_the_command_exits_with_1_for_any_finding_and_tells_programs_in_json(
    tmp_path: Path,
) -> None:
    file = tmp_path / "roster.toml"
    file.write_text(SITE + person("reg-a", "registrar", "") + rota("registrar", "reg-a"))
    answer = CliRunner().invoke(app, ["roster", "check", str(file), "--json"])
    assert answer.exit_code == 1
    found = json.loads(answer.stdout)["findings"]
    assert {"level", "place", "what", "hint"} == found[0].keys()
    assert "centre:NEURO registrar" in {each["place"] for each in found}


def test_a_secret_in_the_file_is_told_without_showing_it() -> None:
    routes = TWO_ROUTES.replace('env:S"', 'hush-hush"')
    (told,) = check(
        person("reg-a", "registrar", routes), SOUND[1], rota("registrar", "reg-a", "reg-b")
    )
    assert told.what == "route desk has its secret written in the roster file"
    assert "hush" not in told.what + told.hint


def test_a_site_without_a_desk_number_is_told() -> None:
    (told,) = check(*SOUND, desk=False)
    assert (told.place, told.what) == ("site centre:NEURO", "has no desk telephone number")


def test_two_overrides_that_contradict_each_other_are_told() -> None:
    found = check(
        *SOUND,
        override("registrar", "reg-a", "2026-03-12T08:00", "2026-03-13T08:00"),
        override("registrar", "reg-b", "2026-03-12T12:00", "2026-03-12T18:00"),
    )
    assert [each.what for each in found] == [
        "two overrides at once from 2026-03-12 12:00: reg-a, reg-b"
    ]


def test_overrides_that_are_over_are_not_told() -> None:
    assert NOW.date() > date(2026, 3, 1)
    found = check(
        *SOUND,
        override("registrar", "reg-a", "2026-02-12T08:00", "2026-02-13T08:00"),
        override("registrar", "reg-b", "2026-02-12T12:00", "2026-02-12T18:00"),
    )
    assert found == []


def one_carrier(*routes: str) -> list[str]:
    listed = ", ".join(f'{{ {route}, proven_at = "2026-03-01" }}' for route in routes)
    found = check(
        person("reg-a", "registrar", f"routes = [{listed}]"),
        person("reg-b", "registrar"),
        rota("registrar", "reg-a", "reg-b"),
    )
    assert all(each.place == "person reg-a" for each in found)
    return [each.what for each in found]


def test_two_routes_over_one_carrier_are_one_point_of_failure() -> None:
    ntfy = 'name = "{}", kind = "apprise", url = "ntfys://push.example/{}"'
    over = "every route that leaves the desk goes over"
    assert one_carrier(ntfy.format("a", "one"), ntfy.format("b", "two")) == [
        f"{over} apprise ntfys"
    ]
    hook = 'name = "{}", kind = "webhook", url = "https://{}/pages", secret = "env:S"'
    same = (hook.format("a", "pager.example"), hook.format("b", "pager.example"))
    assert one_carrier(*same) == [f"{over} webhook pager.example"]
    other = (hook.format("a", "pager.example"), hook.format("b", "other.example"))
    assert one_carrier(*other) == []


def test_the_inbox_of_the_desk_is_no_second_way() -> None:
    sms = 'name = "sms", kind = "apprise", url = "env:SMS"'
    inbox = 'name = "inbox", kind = "inbox"'
    assert one_carrier(sms, inbox) == ["every route that leaves the desk goes over apprise env:SMS"]
