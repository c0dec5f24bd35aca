"""The PostgreSQL that tests run against is real, durable, separate for each test, and required."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.local_postgres import LocalPostgres, PostgresNotStarted
from tests.services import NoService, fresh_database, postgres_server, private_postgres

pytestmark = pytest.mark.postgres_real


@pytest.fixture
def own_server() -> Iterator[LocalPostgres]:
    with private_postgres() as server:
        yield server


def _one(url: str, question: str) -> object:
    engine = create_engine(url)
    with engine.begin() as connection:
        answer = connection.execute(text(question)).scalar_one()
    engine.dispose()
    return answer


def _do(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_fresh_database_is_empty_and_durable(fresh_postgres: str) -> None:
    assert fresh_postgres.startswith("postgresql+psycopg://")
    assert _one(fresh_postgres, "SHOW fsync") == "on"
    assert _one(fresh_postgres, "SHOW synchronous_commit") == "on"
    assert _one(fresh_postgres, "SHOW server_encoding") == "UTF8"
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert _one(fresh_postgres, tables) == 0


def test_two_tests_do_not_see_each_other(postgres_url: str) -> None:
    with fresh_database(postgres_url) as one, fresh_database(postgres_url) as other:
        _do(one, "CREATE TABLE note (id int)")
        assert _one(other, "SELECT to_regclass('note') IS NULL") is True


def test_a_database_goes_even_while_a_connection_is_open(postgres_url: str) -> None:
    with fresh_database(postgres_url) as url:
        name = url.rpartition("/")[2]
        left_open = create_engine(url).connect()
        left_open.execute(text("SELECT 1"))
    left_open.invalidate()
    left_open.close()
    gone = f"SELECT count(*) FROM pg_database WHERE datname = '{name}'"
    assert _one(postgres_url, gone) == 0


def test_what_was_committed_survives_a_kill(own_server: LocalPostgres) -> None:
    _do(own_server.url, "CREATE TABLE note (id int)")
    _do(own_server.url, "INSERT INTO note SELECT generate_series(1, 1000)")
    own_server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(own_server.url.replace("+psycopg", ""), connect_timeout=2)
    own_server.start()
    assert _one(own_server.url, "SELECT count(*) FROM note") == 1000


def test_it_stops_while_a_statement_runs_and_comes_back_on_its_port(
    own_server: LocalPostgres,
) -> None:
    port = own_server.port
    plain = own_server.url.replace("+psycopg", "")
    busy = psycopg.connect(plain)
    asked = threading.Event()

    def ask() -> None:
        asked.set()
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT pg_sleep(30)")

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(5)
    own_server.stop()
    thread.join(10)
    assert not thread.is_alive()
    own_server.start()
    assert own_server.port == port
    assert _one(own_server.url, "SELECT 1") == 1


def test_where_no_way_works_it_fails_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_here(*_: object) -> None:
        raise PostgresNotStarted("no binaries on this machine")

    monkeypatch.delenv("TRIAGE_TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr("tests.services.docker_says_no", lambda: "Docker does not answer")
    monkeypatch.setattr("tests.services.wheel_binaries", not_here)
    monkeypatch.setattr("tests.services.system_binaries", not_here)
    with pytest.raises(NoService) as refused, postgres_server():
        pass
    assert "Docker does not answer" in str(refused.value)
    assert str(refused.value).count("no binaries on this machine") == 2


def test_the_environment_names_the_server_first(
    monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setenv("TRIAGE_TEST_DATABASE_URL", postgres_url)
    with postgres_server() as url:
        assert url == postgres_url
