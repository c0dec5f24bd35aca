"""Calendars out: what a calendar program reads is what the roster says, and by a link only that."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from tests.unit.test_roster import NEURO, roster, weekly
from tests.unit.test_roster_changes import ROSTER
from tests.web_house import NOW, build_house
from triage.cli import app
from triage.rosters.ical_out import calendar_of, calendar_path

AT = datetime(2026, 3, 20, 9, tzinfo=UTC)
BASE = roster(weekly("reg-a", "reg-b"))


def events(content: bytes) -> list[tuple[str, datetime, datetime]]:
    return [
        (str(each["summary"]), each["dtstart"].dt, each["dtend"].dt)
        for each in Calendar.from_ical(content).walk("VEVENT")
    ]


def test_a_persons_calendar_has_their_shifts_and_no_other_over_the_night_of_the_change() -> None:
    found = events(calendar_of(BASE, now=AT, person="reg-a"))
    holder = [
        made.person.id
        for _, start, _ in found
        if (made := BASE.on_call(NEURO, "registrar", start)) and made.person
    ]
    assert set(holder) == {"reg-a"}
    assert {summary for summary, _, _ in found} == {"On call: registrar at centre:NEURO"}
    spring = [start for _, start, _ in found if start.month in (3, 4)]
    walls = {f"{start.hour:02}:{start.minute:02}" for start in spring[1:]}
    assert walls == {"07:00"}  # 08:00 in London once the clocks have changed


def test_a_posts_calendar_leaves_no_stretch_out_and_shows_who() -> None:
    found = events(calendar_of(BASE, now=AT, post=(NEURO, "registrar")))
    assert found[0][1] == AT
    assert all(one[2] == two[1] for one, two in pairwise(found))
    assert {summary for summary, _, _ in found} == {
        "registrar at centre:NEURO: Sample reg-a (reg-a)",
        "registrar at centre:NEURO: Sample reg-b (reg-b)",
    }


def test_the_same_shift_keeps_its_name_from_one_reading_to_the_next() -> None:
    def names(at: datetime) -> list[str]:
        content = calendar_of(BASE, now=at, person="reg-a")
        return [str(each["uid"]) for each in Calendar.from_ical(content).walk("VEVENT")]

    later = names(AT.replace(hour=20))
    assert set(names(AT)[:-1]) <= set(later)
    assert len(set(later)) == len(later)


def test_a_link_opens_one_calendar_and_nothing_else(tmp_path: Path) -> None:
    house = build_house(tmp_path)
    client, secret = house.client(), "only-for-tests-" * 3
    good = calendar_path(secret, "reg-a")
    answer = client.get(good)
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/calendar; charset=utf-8",
    )
    assert events(answer.content)[0][1] == NOW.replace(microsecond=0)
    post = client.get(calendar_path(secret, "centre:NEURO.registrar"))
    assert "registrar at centre:NEURO: Sample Registrar (reg-a)" in post.text.replace("\r\n ", "")
    for path in (
        good.replace("reg-a", "con-a"),
        good[:-1],
        "/roster/reg-a.ics",
        calendar_path(secret, "nobody"),
        calendar_path("another-secret-" * 3, "reg-a"),
    ):
        assert client.get(path).status_code == 404, path
    assert client.post(good).status_code == 405
    assert (
        client.get("/api/roster", headers={"Authorization": f"Bearer {good[-32:]}"}).status_code
        == 401
    )


def test_the_terminal_writes_a_file_for_each_post_and_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "roster.toml").write_text(ROSTER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("TRIAGE_ROSTER_FILE", str(tmp_path / "roster.toml"))
    monkeypatch.setenv("TRIAGE_SECRET_KEY", "s" * 32)
    done = CliRunner().invoke(app, ["roster", "export", "--ical", "--to", "out"])
    assert done.exit_code == 0, done.output
    (file,) = (tmp_path / "out").iterdir()
    assert file.name == "centre_NEURO-registrar.ics"
    assert events(file.read_bytes())
    mine = CliRunner().invoke(app, ["roster", "export", "--ical", "--person", "reg-a"])
    assert mine.stdout_bytes.startswith(b"BEGIN:VCALENDAR")
    said = CliRunner().invoke(app, ["roster", "link", "reg-a"]).stdout.strip()
    assert said == "http://127.0.0.1:8000" + calendar_path("s" * 32, "reg-a")
    assert CliRunner().invoke(app, ["roster", "link", "reg-x"]).exit_code != 0
    assert not (tmp_path / "var").exists()  # looking makes no database
