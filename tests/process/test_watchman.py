"""The watchman as a process, under its own login, while what it watches is killed."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from tests.process.installation import ROOT, Installation, eventually
from tests.services import fresh_database, private_postgres

pytestmark = [pytest.mark.postgres_real, pytest.mark.timeout(400)]
GRANTS = ROOT / "infra" / "postgres" / "watchman.sql"
LOGIN, PASSWORD = "triage_watch", "only-for-tests"


def as_watchman(owner_url: str) -> str:
    """Make the login by the shipped script, and its address."""
    with psycopg.connect(_plain(owner_url), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (LOGIN,)).fetchone():
            connection.execute(f"DROP OWNED BY {LOGIN}")
            connection.execute(f"DROP ROLE {LOGIN}")
        connection.execute(GRANTS.read_text().replace(":password", f"'{PASSWORD}'"))
    return make_url(owner_url).set(username=LOGIN, password=PASSWORD).render_as_string(False)


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(False)


def installed(home: Path, database: str) -> Installation:
    made = Installation(home=home, database=database, kafka="")
    made.prepare()
    made.more = {
        "TRIAGE_WATCH_DATABASE_URL": as_watchman(database),
        "TRIAGE_WATCH_ROUTE": f"file:{home / 'alarms.jsonl'}",
    }
    return made


def alarms(home: Path) -> list[list[str]]:
    path = home / "alarms.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [[each["key"] for each in alarm["troubles"]] for alarm in found]


@pytest.fixture
def installation(postgres_url: str, tmp_path: Path) -> Iterator[Installation]:
    with fresh_database(postgres_url) as database:
        made = installed(tmp_path, database)
        yield made
        with psycopg.connect(_plain(database), autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {LOGIN}")
            connection.execute(f"DROP ROLE {LOGIN}")


def test_a_sweep_that_is_killed_is_told_in_a_minute_and_told_again_when_it_is_back(
    installation: Installation,
) -> None:
    home = installation.home
    with (
        installation.running("notify"),
        installation.running("watch") as watch,
        installation.running("escalate") as escalate,
    ):
        escalate.wait_until_ready()
        watch.wait_until_ready()
        eventually("the watchman's stamp", lambda: "watchman" in str(escalate.health()))
        eventually("health", lambda: escalate.component("watchman").get("state") == "well")
        escalate.kill()
        died = time.monotonic()
        eventually("the alarm", lambda: alarms(home), seconds=90)
        took = time.monotonic() - died
        assert alarms(home) == [["sweep"]]  # an idle relay turns, and nothing is said of it
        assert 55 <= took <= 70
        with installation.running("escalate"):
            eventually("the all-clear", lambda: len(alarms(home)) == 2)
        assert alarms(home)[1] == []
        status, seconds = watch.stop()
        assert status == 0
        assert seconds < 5
        assert "Error" not in watch.said


def test_a_database_that_is_killed_is_told_within_a_minute(tmp_path: Path) -> None:
    with private_postgres() as server:
        made = installed(tmp_path, server.url)
        with made.running("watch") as watch:
            watch.wait_until_ready()
            with psycopg.connect(_plain(server.url), autocommit=True) as connection:
                for loop in ("sweep", "relay"):
                    connection.execute("INSERT INTO loop_progress VALUES (%s, now())", (loop,))
            time.sleep(5)  # looks at a healthy service first
            assert alarms(tmp_path) == []
            server.kill()
            died = time.monotonic()
            eventually("the alarm", lambda: alarms(tmp_path), seconds=90)
            assert time.monotonic() - died <= 60
            assert alarms(tmp_path) == [["database"]]


def test_its_login_reads_no_patient_and_forges_no_stamp(installation: Installation) -> None:
    login = _plain(installation.more["TRIAGE_WATCH_DATABASE_URL"])
    with psycopg.connect(_plain(installation.database), autocommit=True) as owner:
        owner.execute("INSERT INTO loop_progress VALUES ('sweep', '2026-03-10T08:00:00Z')")
    for forbidden in (
        "SELECT document FROM cases",
        "SELECT raw FROM journal",
        "SELECT order_document FROM page",
        "DELETE FROM loop_progress",
        "INSERT INTO loop_progress VALUES ('relay', now())",
        "INSERT INTO loop_progress VALUES ('sweep', now())"
        " ON CONFLICT (loop) DO UPDATE SET at = excluded.at",
    ):
        with (
            psycopg.connect(login, autocommit=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(forbidden)
    with psycopg.connect(login, autocommit=True) as connection:
        changed = connection.execute("UPDATE loop_progress SET at = now() WHERE loop = 'sweep'")
        assert changed.rowcount == 0
