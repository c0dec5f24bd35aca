"""Importing a roster: what is refused, what changes, what stays."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.test_roster_feeds import calendar, event
from triage.cli import app
from triage.domain.errors import TriageError
from triage.domain.roster_file.reading import read_roster
from triage.rosters.importing import Proposal, RefusedImport, propose

NOW = datetime(2026, 10, 20, 9, tzinfo=UTC)
SITE = "centre:NEURO"
HEAD = f'''version = 1
[site."{SITE}"]
zone = "Europe/London"
[person.reg-a]
name = "Sample One"
role = "registrar"
routes = [{{ name = "inbox", kind = "inbox" }}]
[person.reg-b]
name = "Sample Two"
role = "registrar"
routes = [{{ name = "inbox", kind = "inbox" }}]
'''
ROTA = f'[[rota]]\nsite = "{SITE}"\nrole = "registrar"\npeople = ["reg-a"]\n'
OLD = HEAD + ROTA
COLUMNS = "site,role,person,from,to\n"


def imported(content: str | bytes, kind: str = "csv", old: str = OLD, **more: object) -> Proposal:
    raw = content.encode() if isinstance(content, str) else content
    return propose(raw, kind, old, ("registrar",), now=NOW, **more)  # type: ignore[arg-type]


def holder(text: str, at: datetime) -> str | None:
    person = read_roster(text).on_call(SITE, "registrar", at).person
    return person.id if person else None


def test_shifts_of_a_table_become_overrides_in_the_sites_time() -> None:
    made = imported(COLUMNS + f"{SITE},registrar,reg-b,2026-10-24T20:00,2026-10-25T08:00\n")
    ends = datetime(2026, 10, 25, 8, tzinfo=UTC)
    assert holder(made.text, datetime(2026, 10, 24, 19, tzinfo=UTC)) == "reg-b"
    assert holder(made.text, ends.replace(hour=7, minute=59)) == "reg-b"
    assert holder(made.text, ends) == "reg-a"
    assert made.text.startswith(OLD.rstrip())
    assert '+person = "reg-b"' in made.diff


def test_an_instant_in_the_doubled_hour_stays_the_one_that_was_meant() -> None:
    second = "2026-10-25T01:30:00+00:00"
    made = imported(COLUMNS + f"{SITE},registrar,reg-b,{second},2026-10-25T08:00\n")
    assert holder(made.text, datetime(2026, 10, 25, 1, 29, tzinfo=UTC)) == "reg-a"
    assert holder(made.text, datetime(2026, 10, 25, 1, 30, tzinfo=UTC)) == "reg-b"


def test_importing_again_replaces_what_was_imported_and_nothing_else() -> None:
    first = imported(COLUMNS + f"{SITE},registrar,reg-b,2026-10-24T20:00,2026-10-25T08:00\n")
    second = imported(
        COLUMNS + f"{SITE},registrar,reg-b,2026-10-26T20:00,2026-10-27T08:00\n", old=first.text
    )
    assert second.text.count("[[override]]") == 1
    assert second.text.startswith(OLD.rstrip())
    assert imported(second.text, "toml", old=second.text).diff == ()


def test_a_calendar_is_imported_for_a_post() -> None:
    content = calendar(event("reg-b", ":20261024T200000Z", ":20261025T080000Z"))
    made = imported(content, "ics", post=f"{SITE}.registrar")
    assert holder(made.text, datetime(2026, 10, 24, 20, tzinfo=UTC)) == "reg-b"


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        ("", "csv", "columns missing: site, role, person, from, to"),
        (COLUMNS, "csv", "no shift in it"),
        (
            COLUMNS + f"{SITE},registrar,reg-b,2025-10-24T20:00,2025-10-25T08:00\n",
            "csv",
            "no shift in the next three months",
        ),
        (
            COLUMNS + f"{SITE},registrar,reg-b,2027-10-24T20:00,2027-10-25T08:00\n",
            "csv",
            "no shift in the next three months",
        ),
        (
            COLUMNS + f"{SITE},registrar,reg-x,2026-10-24T20:00,2026-10-25T08:00\n",
            "csv",
            "line 2: unknown site or person: centre:NEURO, reg-x",
        ),
        (
            COLUMNS + f"{SITE},surgeon,reg-b,2026-10-24T20:00,2026-10-25T08:00\n",
            "csv",
            "line 2: override[1].role: unknown role: 'surgeon'",
        ),
        (COLUMNS + f"{SITE},registrar,reg-b,24/10/2026,25/10/2026\n", "csv", "no date with a time"),
        (b"\xff\xfe\x00", "csv", "not UTF-8"),
        ("", "toml", "version: is missing"),
        (HEAD, "toml", "nobody serves in it"),
        (OLD.replace("Europe/London", "Mars/Olympus"), "toml", "unknown zone"),
        (OLD.replace("Europe/London", "UTC"), "toml", "zone of centre:NEURO: UTC, in force"),
        (
            HEAD
            + f'[[override]]\nsite = "{SITE}"\nrole = "registrar"\nperson = "reg-a"\n'
            + 'from = "2025-01-01T00:00"\nto = "2025-12-31T00:00"\n',
            "toml",
            "no shift in the next three months",
        ),
        (
            HEAD
            + f'[[override]]\nsite = "{SITE}"\nrole = "registrar"\nperson = "reg-a"\n'
            + 'from = "2026-10-01T00:00"\nto = "2026-10-24T08:00"\n',
            "toml",
            "nobody serves as registrar at centre:NEURO from 2026-10-24 08:00",
        ),
        (
            HEAD + ROTA.replace("registrar", "consultant"),
            "toml",
            "nobody serves as registrar at centre:NEURO any more",
        ),
        (calendar(), "ics", "post: missing"),
    ],
)
def test_what_would_leave_the_roster_worse_is_refused(
    content: str | bytes, kind: str, said: str
) -> None:
    with pytest.raises(TriageError) as caught:
        imported(content, kind)
    assert said in caught.value.what
    assert caught.value.hint


def test_a_zone_may_change_when_that_is_said_and_an_old_gap_refuses_nothing() -> None:
    assert imported(OLD.replace("Europe/London", "UTC"), "toml", new_zone=True).diff
    ends = 'from = "2026-10-01T00:00"\nto = "2026-10-{day}T08:00"\n'
    hole = HEAD + f'[[override]]\nsite = "{SITE}"\nrole = "registrar"\nperson = "reg-a"\n' + ends
    imported(hole.replace("{day}", "25"), "toml", old=hole.replace("{day}", "24"))


def test_a_calendar_of_no_known_person_is_refused() -> None:
    content = calendar(event("Somebody", ":20261024T200000Z", ":20261025T080000Z"))
    with pytest.raises(TriageError, match="names a person"):
        imported(content, "ics", post=f"{SITE}.registrar")
    with pytest.raises(RefusedImport, match="post: centre:ELSE"):
        imported(content, "ics", post="centre:ELSE.registrar")


def test_the_command_shows_the_difference_and_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, file, bad = (tmp_path / name for name in ("roster.toml", "new.toml", "bad.toml"))
    target.write_text(OLD)
    file.write_text(OLD.replace('people = ["reg-a"]', 'people = ["reg-b"]'))
    bad.write_text(HEAD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("TRIAGE_ROSTER_FILE", str(target))

    def run(*words: str) -> tuple[int, str]:
        answer = CliRunner().invoke(app, ["roster", "import", *words])
        return answer.exit_code, answer.output

    status, said = run("new.toml", "--dry-run")
    assert (status, target.read_text()) == (0, OLD)
    assert '+people = ["reg-b"]' in said
    status, said = run("bad.toml")
    assert (status, target.read_text()) == (1, OLD)
    assert "the roster in force stays" in said
    status, said = run("new.toml")
    assert (status, target.read_text()) == (0, file.read_text())
    assert (tmp_path / "roster.toml.old").read_text() == OLD
    assert run("new.toml") == (0, "no difference\n")
