"""Reading a roster file: what a sound one means, and what is said of an unsound one."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from triage.domain.errors import UnsoundRoster
from triage.domain.roster.roster import Roster
from triage.domain.roster_file.reading import read_roster

SOUND = """
version = 1
default_site = "centre:NEURO"

[site."centre:NEURO"]
zone = "Europe/London"
hours = { days = ["mon", "tue", "wed", "thu", "fri"], from = "08:00", to = "17:00" }
holidays = ["2026-04-03", 2026-04-06]
desk = "+44 1632 960100"

[person.reg-a]
name = "Sample Registrar"
role = "registrar"
[[person.reg-a.routes]]
name = "desk"
kind = "webhook"
url = "https://desk.example/pages"
secret = "env:DESK_SECRET"
proven_at = "2026-03-01"
[[person.reg-a.routes]]
name = "sms"
kind = "apprise"
url = "file:/run/secrets/sms-url"

[person.reg-b]
name = "Sample Registrar Two"
role = "registrar"
routes = [{ name = "inbox", kind = "inbox" }]

[[rota]]
site = "centre:NEURO"
role = "registrar"
people = ["reg-a", "reg-b"]
every = "1 week"
handover = "mon 08:00"
since = "2026-01-05"

[[override]]
site = "centre:NEURO"
role = "registrar"
person = "reg-b"
from = "2026-07-12T08:00"
to = "2026-07-13T08:00"
reason = "swap"

[widen]
"centre:NEURO" = ["oncology"]
"""


def changed(old: str, new: str) -> str:
    assert old in SOUND
    return SOUND.replace(old, new)


def problems(text: str) -> list[str]:
    with pytest.raises(UnsoundRoster) as caught:
        read_roster(text)
    assert caught.value.hint
    return caught.value.what.splitlines()


def test_every_part_of_a_sound_file_is_read() -> None:
    made = read_roster(SOUND)
    site = made.sites["centre:NEURO"]
    assert (site.zone.key, site.days) == ("Europe/London", frozenset(range(5)))
    assert (site.opens, site.closes, site.desk) == (time(8), time(17), "+44 1632 960100")
    assert site.holidays == {date(2026, 4, 3), date(2026, 4, 6)}
    desk, sms = made.people["reg-a"].routes
    assert (desk.name, desk.kind, desk.secret) == ("desk", "webhook", "env:DESK_SECRET")
    assert (desk.proven_at, sms.url) == (date(2026, 3, 1), "file:/run/secrets/sms-url")
    (rota,) = made.rotas
    assert (rota.every, rota.handover) == (timedelta(weeks=1), (0, time(8)))
    assert made.widen_roles("centre:NEURO") == ("oncology",)


def test_times_of_an_override_are_those_of_the_site() -> None:
    (override,) = read_roster(SOUND).overrides
    assert override.starts == datetime(2026, 7, 12, 7, tzinfo=UTC)  # summer time
    native = read_roster(changed('from = "2026-07-12T08:00"', "from = 2026-07-12T08:00:00"))
    assert native.overrides[0].starts == override.starts
    exact = read_roster(changed('from = "2026-07-12T08:00"', 'from = "2026-07-12T08:00:00+00:00"'))
    assert exact.overrides[0].starts == datetime(2026, 7, 12, 8, tzinfo=UTC)


def test_another_text_is_another_version() -> None:
    assert read_roster(SOUND).version == read_roster(SOUND).version
    assert read_roster(SOUND).version != read_roster(changed("960100", "960101")).version


def test_hours_and_holidays_have_defaults() -> None:
    made = read_roster('version = 1\n[site."centre:ONE"]\nzone = "UTC"\n')
    site = made.sites["centre:ONE"]
    assert (site.opens, site.closes, site.days) == (time(8), time(17), frozenset(range(5)))
    assert made.default_site == "centre:ONE"


def test_midnight_closes_the_day() -> None:
    made = read_roster(changed('to = "17:00"', 'to = "24:00"'))
    assert made.sites["centre:NEURO"].closes == time(0)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("version = 1", "version = 2", "version: unknown version"),
        ("version = 1", "", "version: is missing"),
        (
            '"Europe/London"',
            '"Europe/Londn"',
            "site.centre:NEURO.zone: unknown zone: 'Europe/Londn'",
        ),
        ('zone = "Europe/London"', "", "site.centre:NEURO.zone: is missing"),
        ('from = "08:00"', 'from = "8am"', "site.centre:NEURO.hours.from: no time of day: '8am'"),
        ('to = "17:00"', 'to = "07:00"', "site.centre:NEURO.hours.to: is not after 'from'"),
        ('["mon", "tue"', '["monday", "tue"', "site.centre:NEURO.hours.days: no list of weekdays"),
        ('"2026-04-03"', '"2026-04-33"', "site.centre:NEURO.holidays: no date: '2026-04-33'"),
        ("desk =", "desc =", "site.centre:NEURO.desc: unknown key; allowed: desk, holidays"),
        ("[widen]", "[wide]", "wide: unknown key"),
        (
            'role = "registrar"\nroutes',
            'role = "surgeon"\nroutes',
            "person.reg-b.role: unknown role",
        ),
        ('kind = "webhook"', 'kind = "fax"', "routes[1].kind: unknown kind of route: 'fax'"),
        ('secret = "env:DESK_SECRET"', "", "person.reg-a.routes[1].secret: is missing"),
        ('url = "https://desk', 'url = "ftp://desk', "person.reg-a.routes[1].url: is no address"),
        ('name = "sms"', 'name = "desk"', "person.reg-a.routes: two of them have one name"),
        ('name = "sms"', 'name = "desk-inbox"', "routes[2].name: is kept for the inbox"),
        ('["reg-a", "reg-b"]', '["reg-a", "reg-x"]', "rota[1].people: unknown person: 'reg-x'"),
        ('["reg-a", "reg-b"]', "[]", "rota[1].people: names nobody"),
        ('"1 week"', '"1 moon"', "rota[1].every: no length of a turn: '1 moon'"),
        ('"1 week"', '"0 weeks"', "rota[1].every: no length of a turn: '0 weeks'"),
        ('handover = "mon 08:00"', "", "rota[1].every: turns cannot be counted"),
        ('"mon 08:00"', '"mo 08:00"', "rota[1].handover: no hand-over: 'mo 08:00'"),
        ('since = "2026-01-05"', 'since = "0001-01-05"', "rota[1].since: no year of any use"),
        ('to = "2026-07-13T08:00"', 'to = "2026-07-12T08:00"', "override[1].to: is not after"),
        ('to = "2026-07-13T08:00"', 'to = "tomorrow"', "override[1].to: no date with a time"),
        ('"centre:NEURO" = ["oncology"]', '"centre:X" = ["oncology"]', "widen.centre:X: unknown"),
        ('= ["oncology"]', '= ["onkology"]', "widen.centre:NEURO: unknown role: 'onkology'"),
        ('default_site = "centre:NEURO"', 'default_site = "centre:X"', "default_site: is no site"),
        ("[person.reg-b]", '[person."reg b"]', "person.reg b: is no id: 'reg b'"),
    ],
)
def test_a_problem_is_told_with_its_place(old: str, new: str, told: str) -> None:
    assert any(told in line for line in problems(changed(old, new)))


def test_all_problems_are_told_at_once() -> None:
    text = (
        changed('"Europe/London"', '"nowhere"').replace("1 week", "soon").replace("oncology", "x")
    )
    assert len(problems(text)) == 3


def test_what_is_not_toml_is_told_with_its_line() -> None:
    (told,) = problems("version = 1\nsite = [")
    assert told.startswith("roster: not TOML:")


def test_a_file_without_a_site_is_refused() -> None:
    assert any(line.startswith("site: is missing") for line in problems("version = 1"))


def test_of_two_sites_one_must_be_the_default_desk() -> None:
    text = changed('default_site = "centre:NEURO"', "") + '[site."centre:B"]\nzone = "UTC"\n'
    assert problems(text) == ["default_site: is missing"]


@pytest.mark.parametrize("key", ["site", "person", "rota", "override", "widen"])
@pytest.mark.parametrize("value", ["1", '"x"', "[1]", "[[1]]", "{ x = 1 }", "{ x = [{}] }"])
def test_a_wrong_shape_is_told_and_never_breaks_the_reader(key: str, value: str) -> None:
    assert problems(f"version = 1\n{key} = {value}\n")


def test_a_secret_is_never_repeated_in_a_problem() -> None:
    text = changed('secret = "env:DESK_SECRET"', "secret = 1").replace(
        "file:/run/secrets/sms-url", "hush-hush"
    )
    told = "\n".join(problems(text))
    assert "routes[2].url: is no address" in told
    assert "hush-hush" not in told


def test_roster_type_is_what_the_service_uses() -> None:
    assert isinstance(read_roster(SOUND), Roster)


PHONE = """
[provider.phone]
account = "env:ACCOUNT"
token = "env:TOKEN"
from = "+44 (1632) 960-999"
"""
TEXT = 'routes = [{ name = "text", kind = "sms", to = "+44 1632 960201" }]'
WITH_TEXT = changed('routes = [{ name = "inbox", kind = "inbox" }]', TEXT)


def test_a_telephone_is_reached_by_the_only_provider() -> None:
    (route,) = read_roster(WITH_TEXT + PHONE).people["reg-b"].routes
    assert (route.kind, route.to) == ("sms", "+441632960201")
    assert route.provider is not None
    assert (route.provider.name, route.provider.sender) == ("phone", "+441632960999")
    assert route.provider.url == "https://api.twilio.com"
    assert "960201" not in repr(route)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (WITH_TEXT, "person.reg-b.routes[1].provider: is no provider of this file: None; there"),
        (
            WITH_TEXT.replace("+44 1632 960201", "960201") + PHONE,
            "person.reg-b.routes[1].to: is no number: write '+' and country code",
        ),
        (
            WITH_TEXT.replace(', to = "+44 1632 960201"', "") + PHONE,
            "person.reg-b.routes[1].to: is missing: write the number",
        ),
        (
            WITH_TEXT + PHONE.replace("env:TOKEN", "a-token-in-clear"),
            "provider.phone.token: is a secret: write where it is kept",
        ),
        (WITH_TEXT + PHONE.replace("account", "acount"), "provider.phone.account: is missing"),
    ],
)
def test_what_is_wrong_with_a_telephone_is_said_without_showing_it(text: str, problem: str) -> None:
    found = problems(text)
    assert found[0].startswith(problem)
    assert "960201" not in "".join(found)
    assert "a-token-in-clear" not in "".join(found)
