"""Each service of docker-compose.yml as a plain process: its own command, environment and health
check, against real Kafka and PostgreSQL. What a container engine would do, without one."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from triage.proof.kafka_node import free_ports

pytestmark = [pytest.mark.kafka_real, pytest.mark.postgres_real]

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
OURS = {n: s for n, s in COMPOSE["services"].items() if s["image"].startswith("triage:")}
JOBS = [name for name, s in OURS.items() if s["command"][0] != "run"]
ROLES = [name for name, s in OURS.items() if s["command"][0] == "run"]
HEALTHY_SECONDS = 150
STOP_SECONDS = 15


def environment(name: str, places: Mapping[str, str]) -> dict[str, str]:
    """The service's own variables, every one; only the places are those of this machine."""
    named = OURS[name]["environment"]
    assert places.keys() <= named.keys()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGE_")}
    return {**kept, **{key: str(value) for key, value in named.items()}, **places}


def places(postgres: str, kafka: str, home: Path) -> dict[str, str]:
    return {
        "TRIAGE_HOME": str(home),
        "TRIAGE_DATABASE_URL": postgres,
        "TRIAGE_KAFKA_BOOTSTRAP": kafka,
        "TRIAGE_ROSTER_FILE": str(ROOT / "triage/proof/demo_roster.toml"),
        "TRIAGE_SECRET_KEY": secrets.token_hex(32),
        "TRIAGE_HTTP_HOST": "127.0.0.1",
        "TRIAGE_HTTP_PORT": str(free_ports(1)[0]),
        "TRIAGE_PUBLIC_URL": "http://127.0.0.1:8000",
        "TRIAGE_WATCH_ROUTE": f"file:{home / 'watchman.jsonl'}",
        "TRIAGE_WATCH_SECRET": "",
        "TRIAGE_DEADMAN_URL": "",
    }


def triage(name: str) -> list[str]:
    return [sys.executable, "-m", "triage", *OURS[name]["command"]]


def run_job(name: str, given: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        triage(name),
        env=environment(name, given),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HEALTHY_SECONDS,
        check=False,
    )


@contextmanager
def running(name: str, given: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            triage(name),
            env=environment(name, given),
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def is_healthy(name: str, given: Mapping[str, str]) -> bool:
    """The service's own health check, as the container engine runs it."""
    kind, program, *words = OURS[name]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")
    done = subprocess.run(
        [sys.executable, *words],
        env=environment(name, given),
        capture_output=True,
        timeout=HEALTHY_SECONDS,
        check=False,
    )
    return done.returncode == 0


@pytest.fixture(scope="module")
def prepared(
    postgres_url: str, kafka: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """After the one-shot jobs, which must succeed."""
    from tests.services import fresh_database

    with fresh_database(postgres_url) as database:
        given = places(database, kafka, tmp_path_factory.mktemp("home"))
        for name in JOBS:
            done = run_job(name, given)
            assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        yield given


@pytest.mark.parametrize("name", JOBS)
def test_a_job_run_a_second_time_finds_its_work_done(name: str, prepared: dict[str, str]) -> None:
    assert run_job(name, prepared).returncode == 0


def test_all_roles_together_become_healthy_and_stop_when_asked(
    prepared: dict[str, str], tmp_path: Path
) -> None:
    ports = free_ports(len(ROLES))
    given = {
        name: {**prepared, "TRIAGE_HTTP_PORT": str(port)}
        for name, port in zip(ROLES, ports, strict=True)
    }
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(running(name, given[name], tmp_path / f"{name}.log"))
            for name in ROLES
        }
        deadline = time.monotonic() + HEALTHY_SECONDS
        for name in ROLES:
            while not is_healthy(name, given[name]):
                assert processes[name].poll() is None, said(name, tmp_path)
                assert time.monotonic() < deadline, said(name, tmp_path)
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        ends = {name: process.wait(STOP_SECONDS) for name, process in processes.items()}
        assert ends == dict.fromkeys(ROLES, 0), "".join(said(name, tmp_path) for name in ROLES)


def said(name: str, folder: Path) -> str:
    log = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    return f"{name}:\n{log[-3000:]}\n"


def test_a_role_without_its_database_is_not_healthy(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    given = places(f"postgresql+psycopg://nobody@127.0.0.1:{port}/none", "127.0.0.1:1", tmp_path)
    assert not is_healthy("web", given)
    with running("web", given, tmp_path / "web.log") as process:
        started = time.monotonic()
        while time.monotonic() - started < 5 and process.poll() is None:
            assert not is_healthy("web", given)
