"""The doctor names each thing that would keep a page from arriving, and what to do about it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from tests.process.receiving import paging_desk
from triage.cli import app
from triage.doctor.examine import examine
from triage.doctor.finding import Check
from triage.doctor.own_audit import audit_checks, heads_check
from triage.doctor.own_database import archive_check, clock_check, durability, loop_checks
from triage.doctor.own_settings import disk_use
from triage.doctor.reach import reached
from triage.escalation.audit_heads import TOPIC, merkle_root
from triage.settings import Settings
from triage.store.records import AuditFindingRow, OutboxRow, WalArchive
from triage.store.schema import upgrade
from triage.store.store import open_store

NOW = datetime(2026, 3, 10, 8, 2, tzinfo=UTC)
ROLES = (
    "registrar consultant coordinator second_consultant site_manager oncology radiology"
    " anaesthetics theatre clinical_director haematology palliative fellow rehabilitation"
).split()


class Clock:
    def now(self) -> datetime:
        return NOW


def roster(address: str) -> str:
    """Two people for each role, each with two proven routes at `address`."""
    text = (
        'version = 1\ndefault_site = "centre:NEURO"\n[site."centre:NEURO"]\n'
        'zone = "Europe/London"\nhours = { days = ["mon"], from = "08:00", to = "17:00" }\n'
        'holidays = []\ndesk = "+44 1632 960100"\n'
    )
    other = address.replace("127.0.0.1", "localhost")  # for the roster another carrier
    for role in ROLES:
        for letter in "ab":
            routes = ", ".join(
                f'{{ name = "{name}", kind = "webhook", url = "http://{host}/{name}",'
                ' secret = "env:DESK_SECRET", proven_at = "2026-03-01" }'
                for name, host in (("desk", address), ("phone", other))
            )
            text += (
                f'[person.{role}-{letter}]\nname = "Sample {role} {letter}"\nrole = "{role}"\n'
                f"routes = [{routes}]\n"
            )
        text += (
            f'[[rota]]\nsite = "centre:NEURO"\nrole = "{role}"\n'
            f'people = ["{role}-a", "{role}-b"]\nevery = "1 week"\nhandover = "mon 08:00"\n'
            'since = "2026-01-05"\n'
        )
    return text


def installation(home: Path, address: str, **changes: str) -> dict[str, str]:
    """An embedded installation in which everything is as it should be."""
    url = f"sqlite:///{home / 'triage.db'}"
    upgrade(url)
    store = open_store(url)
    with store.begin() as tx:
        for loop in ("sweep", "relay", "audit", "watch"):
            tx.stamp(loop, NOW - timedelta(seconds=5))
    store.dispose()
    (home / "roster.toml").write_text(roster(address))
    return {
        "TRIAGE_HOME": str(home),
        "TRIAGE_DATABASE_URL": url,
        "TRIAGE_ROSTER_FILE": str(home / "roster.toml"),
        "TRIAGE_SECRET_KEY": "k" * 32,
        "TRIAGE_PUBLIC_URL": "https://triage.example",
        "TRIAGE_WATCH_ROUTE": f"json://{address}",
        "TRIAGE_CANARY_SECONDS": "300",
        "TRIAGE_DEADMAN_URL": f"http://{address}/ping",
        "DESK_SECRET": "only-for-tests",
    } | changes


def told(environment: Mapping[str, str]) -> list[Check]:
    return list(examine(environment, Clock()))


def bad(found: list[Check]) -> dict[str, str]:
    """Level by name of what is not as it should be, without the policy's draft."""
    return {c.name: c.level for c in found if c.level != "ok" and c.name != "policy"}


def test_a_sound_installation_has_nothing_wrong_and_nothing_is_sent_or_written(
    tmp_path: Path,
) -> None:
    with paging_desk() as desk:
        environment = installation(tmp_path, desk.receiver.address)
        before = (tmp_path / "triage.db").read_bytes()
        found = told(environment)
        assert desk.received == []
    assert bad(found) == {}
    assert {c.name for c in found} >= {"database", "database write", "loop relay", "disk", "kafka"}
    assert (tmp_path / "triage.db").read_bytes() == before
    text = " ".join(c.what + c.hint for c in found)
    assert "only-for-tests" not in text
    assert desk.receiver.address not in text


@pytest.mark.parametrize(
    ("changed", "name", "level", "words"),
    [
        ({"TRIAGE_SECRET_KEY": ""}, "secret key", "wrong", "does not start"),
        ({"TRIAGE_PUBLIC_URL": "triage.example"}, "public url", "wrong", "no web address"),
        ({"TRIAGE_PUBLIC_URL": "http://127.0.0.1:8000"}, "public url", "warning", "this machine"),
        ({"TRIAGE_PUBLIC_URL": "http://triage.example"}, "public url", "warning", "TLS"),
        ({"TRIAGE_WATCH_ROUTE": ""}, "watchman", "warning", "nobody alarms"),
        ({"TRIAGE_WATCH_ROUTE": "file:/srv/x"}, "watchman", "warning", "wakes nobody"),
        ({"TRIAGE_DEADMAN_URL": ""}, "dead-man", "warning", "tells nobody"),
        ({"TRIAGE_CANARY_SECONDS": ""}, "canary", "warning", "whole way"),
        ({"TRIAGE_ROSTER_FILE": ""}, "roster", "wrong", "nobody is on call"),
        ({"DESK_SECRET": ""}, "route registrar-a/desk", "wrong", "env:DESK_SECRET is not set"),
        ({"TRIAGE_KAFKA_BOOTSTRAP": "127.0.0.1:1"}, "kafka", "wrong", ""),
        ({"TRIAGE_DATABASE_URL": "sqlite:////no/such/triage.db"}, "database", "wrong", "not there"),
        (
            {"TRIAGE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
            "database",
            "wrong",
            "cannot take",
        ),
        ({"TRIAGE_DATABASE_URL": "mysql://x/y"}, "database", "wrong", "not supported"),
        ({"TRIAGE_HTTP_PORT": "99999"}, "settings", "wrong", "TRIAGE_HTTP_PORT"),
    ],
)
def test_each_wrong_thing_is_named_with_a_hint(
    tmp_path: Path, changed: dict[str, str], name: str, level: str, words: str
) -> None:
    with paging_desk() as desk:
        found = told(installation(tmp_path, desk.receiver.address, **changed))
    said = [c for c in found if c.name == name and c.level != "ok"]
    assert said, [c for c in found if c.level != "ok"]
    assert said[0].level == level
    assert words in said[0].what
    assert said[0].hint


def test_every_wrong_key_is_told_at_once(tmp_path: Path) -> None:
    found = told({"TRIAGE_HTTP_PORT": "x", "TRIAGE_ROSTER": "y"})
    assert [c.what.partition(":")[0] for c in found] == ["TRIAGE_ROSTER", "TRIAGE_HTTP_PORT"]


def test_an_old_schema_and_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    with paging_desk() as desk:
        environment = installation(tmp_path, desk.receiver.address)
    store = open_store(environment["TRIAGE_DATABASE_URL"])
    with store.begin() as tx:
        tx._connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    store.dispose()
    blocked = tmp_path / "file"
    blocked.touch()
    found = bad(told({**environment, "TRIAGE_HOME": str(blocked)}))
    assert found["database schema"] == "wrong"
    assert found["disk"] == "wrong"


def test_a_gap_in_the_roster_and_a_route_that_nobody_answers_are_wrong(tmp_path: Path) -> None:
    with paging_desk() as desk:
        address = desk.receiver.address
    environment = installation(tmp_path, address)  # nobody listens there any more
    found = told(environment)
    assert bad(found)["route registrar-a/desk"] == "wrong"
    file = tmp_path / "roster.toml"
    file.write_text(
        file.read_text().replace('role = "registrar"\npeople', 'role = "fellow"\npeople')
    )
    gaps = [c for c in told(environment) if c.name == "roster" and c.level == "wrong"]
    assert any("registrar" in c.what for c in gaps)
    file.write_text("version = 7")
    assert bad(told(environment))["roster"] == "wrong"


def test_heads_that_were_not_published_are_told(tmp_path: Path) -> None:
    """A log that is rewritten is found by its published head only."""
    file = tmp_path / "heads.jsonl"
    assert heads_check(file, None).level == "ok"
    assert "nothing published at all" in heads_check(file, NOW).what
    head = ("case", (1, "f" * 64))
    line = {"at": "2026-03-10T08:00:00+00:00", "previous": "", "new": dict([head])}
    line["root"] = merkle_root(dict([head]))  # type: ignore[arg-type]
    file.write_bytes(orjson.dumps(line) + b"\n")
    assert heads_check(file, NOW - timedelta(minutes=3)).level == "ok"
    late = heads_check(file, NOW - timedelta(minutes=1))
    assert late.level == "warning"
    assert "since 2026-03-10 08:00 UTC" in late.what
    file.write_text("{}\n")
    assert heads_check(file, None).level == "wrong"


def test_an_open_loss_and_an_auditor_that_cannot_read_are_wrong(tmp_path: Path) -> None:
    with paging_desk() as desk:
        environment = installation(tmp_path, desk.receiver.address)
        empty = f"sqlite:///{tmp_path / 'another.db'}"
        assert bad(told({**environment, "TRIAGE_AUDIT_DATABASE_URL": empty})) == {
            "audit login": "wrong"
        }
        store = open_store(environment["TRIAGE_DATABASE_URL"])
        row = AuditFindingRow(
            id="1", key="k", kind="page_lost", case_id="c", subject="", detail="", found_at=NOW
        )
        with store.begin() as tx:
            tx.note_findings([row])
        store.dispose()
        assert bad(told(environment)) == {"audit": "wrong"}


def test_heads_that_wait_for_kafka_are_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'triage.db'}"
    upgrade(url)
    store = open_store(url)
    settings = Settings(home=tmp_path, database_url=url, kafka_bootstrap=("127.0.0.1:1",))
    with store.begin() as tx:
        tx.outbox([OutboxRow(topic=TOPIC, key="heads", value=b"")], NOW)
    for minutes, found in ((4, {}), (6, {"audit heads": "warning"})):
        assert bad(list(audit_checks(store, settings, NOW + timedelta(minutes=minutes)))) == found
    store.dispose()


def test_a_policy_that_is_unsound_is_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "book.toml").write_text("title = 1")
    with paging_desk() as desk:
        environment = installation(tmp_path, desk.receiver.address, TRIAGE_POLICY_DIR=str(folder))
        found = told(environment)
    assert [c.level for c in found if c.name == "policy"] == ["wrong"]


@pytest.mark.parametrize(
    ("loop", "level"),
    [("sweep", "wrong"), ("relay", "wrong"), ("consume", "wrong"), ("watch", "warning")],
)
def test_a_loop_that_stands_still_is_told(loop: str, level: str) -> None:
    fresh = dict.fromkeys(("sweep", "relay", "consume", "publish", "audit", "watch"), NOW)
    assert bad(list(loop_checks(fresh, NOW, with_kafka=True))) == {}
    stale = {**fresh, loop: NOW - timedelta(seconds=61)}
    assert bad(list(loop_checks(stale, NOW, with_kafka=True))) == {f"loop {loop}": level}
    del stale[loop]
    assert bad(list(loop_checks(stale, NOW, with_kafka=True))) == {f"loop {loop}": level}


def test_clock_disk_and_durability() -> None:
    assert clock_check(NOW, NOW + timedelta(seconds=2)).level == "ok"
    assert clock_check(NOW, NOW - timedelta(seconds=3)).level == "wrong"
    levels = [disk_use(Path("var"), 100, used).level for used in (84, 85, 95)]
    assert levels == ["ok", "warning", "wrong"]
    assert [c.level for c in durability({"fsync": "off", "synchronous_commit": "off"})] == [
        "wrong",
        "wrong",
    ]
    assert list(durability({"fsync": "on", "synchronous_commit": "remote_apply"})) == []


def test_a_backup_that_stands_still_is_told() -> None:
    early, late = NOW - timedelta(minutes=61), NOW - timedelta(minutes=59)
    for archived_at, failed_at, level, words in (
        (late, early, "ok", "up to 2026-03-10 07:03 UTC"),
        (early, None, "warning", "a restore ends at 2026-03-10 07:01 UTC"),
        (None, None, "warning", "a restore ends at the last full backup"),
        (early, late, "wrong", "a restore ends at 2026-03-10 07:01 UTC"),
        (None, late, "wrong", "not archived any more"),
    ):
        check = archive_check(WalArchive(archived_at=archived_at, failed_at=failed_at), NOW)
        assert (check.level, words in check.what) == (level, True), check


def test_a_provider_that_speaks_no_tls_is_not_reached() -> None:
    with paging_desk() as desk:
        assert reached(f"http://{desk.receiver.address}/x") == ""
        assert "no connection" in (reached(f"https://{desk.receiver.address}/x") or "")
    assert reached("nosuch://x") == "Apprise knows no such service or misses a part of it"
    assert reached("https://") == "the address names no host"


def test_the_command_prints_a_table_and_json_and_tells_by_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TRIAGE_HTTP_PORT", "TRIAGE_ROSTER_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRIAGE_HTTP_PORT", "99999")
    run = CliRunner().invoke(app, ["doctor"])
    assert run.exit_code == 1
    assert "wrong    settings" in run.output
    assert "hint: " in run.output
    as_json = CliRunner().invoke(app, ["doctor", "--json"])
    document = json.loads(as_json.output)
    assert document["wrong"] == 1
    assert document["checks"][0].keys() == {"name", "level", "what", "hint"}
