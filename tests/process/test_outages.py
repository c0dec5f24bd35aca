"""Kafka or the database away, at the start or later: the service says so, loses nothing, pages
where it can, and goes on by itself. SIGTERM ends every role in time, whatever is away."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.local_postgres import LocalPostgres
from tests.process.installation import STOP_SECONDS, Installation, Running, ask, eventually
from tests.process.ledger import check_intake, check_logs, count, ends, positions, rows
from tests.process.receiving import Desk, paging_desk, write_roster
from tests.process.topics import committed, everything, send
from tests.services import fresh_database, private_postgres, remake_topics
from triage.consumers.topics import CASES, REFERRALS
from triage.proof.kafka_cluster import KafkaCluster

pytestmark = [pytest.mark.kafka_real, pytest.mark.postgres_real, pytest.mark.timeout(240)]

OURS = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name LIKE 'triage %'"
)
ROLES = ("consume", "escalate", "notify", "web", "export")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Kafka and PostgreSQL that may be taken away, with everything else made ready."""

    installation: Installation
    cluster: KafkaCluster
    postgres: LocalPostgres
    desk: Desk
    hospital: dict[str, str]

    @property
    def database(self) -> str:
        return self.installation.database

    def is_stored(self, number: int) -> bool:
        """Whether so many events of hospitals are in the journal: not more, not fewer."""
        return count(self.database, "journal WHERE source LIKE 'hospital:%'") == number

    def send(self, numbers: range) -> None:
        for number in numbers:
            key = f"hospital:RX1/{number}".encode()
            send(self.cluster.bootstrap, REFERRALS, key, referral(str(number)))

    def post(self, service: Running, subject: str) -> httpx.Response:
        kind = {"content-type": "application/cloudevents+json"}
        return ask(
            "POST",
            f"{service.url}/events",
            content=referral(subject),
            headers={**kind, **self.hospital},
            timeout=30,
        )

    def is_paged(self, case: str) -> bool:
        return any(p["case"] == case and p["role"] == "registrar" for p in self.desk.pages())


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[KafkaCluster, LocalPostgres]]:
    home = tmp_path_factory.mktemp("kafka")
    with private_postgres() as postgres, KafkaCluster(home=home) as cluster:
        yield cluster, postgres


@pytest.fixture
def ground(services: tuple[KafkaCluster, LocalPostgres], tmp_path: Path) -> Iterator[Ground]:
    cluster, postgres = services
    remake_topics(cluster.bootstrap)
    with fresh_database(postgres.url) as database, paging_desk() as desk, ExitStack() as stack:
        stack.callback(bring_back, cluster, postgres)
        made = Installation(
            home=tmp_path,
            database=database,
            kafka=cluster.bootstrap,
            roster=write_roster(tmp_path, desk, with_inbox=False),
            more=desk.environment,
        )
        made.prepare()
        hospital = made.bearer(source="hospital:RX1")
        yield Ground(
            installation=made, cluster=cluster, postgres=postgres, desk=desk, hospital=hospital
        )


def bring_back(cluster: KafkaCluster, postgres: LocalPostgres) -> None:
    """For the next test, also after one that failed."""
    if not postgres.is_running:
        postgres.start()
    if cluster.has_ended(1):
        cluster.restart(1)


def referral(subject: str) -> bytes:
    findings = {"cancer": "known", "walking": "cannot", "trend": "worsening"}
    event = {
        "specversion": "1.0",
        "id": f"e-{subject}",
        "source": "hospital:RX1",
        "type": "referral.submitted.v1",
        "subject": subject,
        "data": {"findings": findings},
    }
    return json.dumps(event).encode()


def test_started_before_kafka_and_the_database_it_waits_and_says_for_what(ground: Ground) -> None:
    ground.send(range(10))
    ground.cluster.kill(1)
    ground.postgres.stop()
    with ground.installation.running() as service:
        health = eventually("an answer", service.health)
        assert (health["status"], health["ready"]) == (503, False)
        assert "database" in eventually("the reason", lambda: _reasons(service))
        assert service.get("/health/live").status_code == 200  # type: ignore[union-attr]
        refused = ground.post(service, "early")
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        ground.postgres.start()
        eventually("readiness without Kafka", lambda: service.health().get("ready"))
        assert service.component("kafka")["state"] == "degraded"
        assert "waiting for Kafka" in service.component("kafka")["detail"]
        taken = ground.post(service, "early").json()
        assert (taken["tier"], taken["duplicate"]) == ("EMERGENT", False)
        eventually("a page without Kafka", lambda: ground.is_paged(taken["case"]))
        ground.cluster.restart(1)
        eventually("what waited on Kafka", lambda: ground.is_stored(11))
        eventually("Kafka", lambda: service.component("kafka").get("state") == "well")
        check_end(ground)
        assert service.stop()[0] == 0


def _reasons(service: Running) -> str:
    parts = service.health().get("components", ())
    return " ".join(f"{p['name']}: {p['detail']}" for p in parts if p["state"] == "down")


def test_a_database_without_tables_is_waited_for(ground: Ground) -> None:
    with fresh_database(ground.postgres.url) as empty:
        made = Installation(
            home=ground.installation.home,
            database=empty,
            kafka=ground.cluster.bootstrap,
            roster=ground.installation.roster,
            more=ground.desk.environment,
        )
        with made.running() as service:
            eventually("the reason", lambda: "schema" in _reasons(service))
            made.triage("case", "list", status=2)
            made.triage("migrate")
            eventually("readiness", lambda: service.health().get("ready"))
            assert service.stop()[0] == 0


WAYS: dict[str, Callable[[LocalPostgres], None]] = {
    "stopped": LocalPostgres.stop,
    "killed": LocalPostgres.kill,
}


@pytest.mark.parametrize("way", WAYS)
def test_without_the_database_nothing_is_answered_and_nothing_is_lost(
    way: str, ground: Ground
) -> None:
    with ground.installation.running() as service:
        service.wait_until_ready()
        ground.send(range(10))
        eventually("the first records", lambda: ground.is_stored(10))
        before = eventually("a commit", lambda: _at_the_end(ground))
        WAYS[way](ground.postgres)
        began = time.monotonic()
        refused = ground.post(service, "meanwhile")
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        assert refused.headers["content-type"] == "application/problem+json"
        assert time.monotonic() - began < 10
        health = eventually("not ready", lambda: _not_ready(service))
        assert health["status"] == 503
        assert "database" in _reasons(service)
        assert service.get("/health/live").status_code == 200  # type: ignore[union-attr]
        ground.send(range(10, 30))
        eventually("the Kafka door to wait", lambda: _waits_for_database(service))
        assert committed(ground.cluster.bootstrap) == before
        ground.postgres.start()
        eventually("what waited on Kafka", lambda: ground.is_stored(30))
        eventually("readiness", lambda: service.health().get("ready"))
        taken = ground.post(service, "meanwhile")
        assert (taken.status_code, taken.json()["duplicate"]) == (202, False)
        eventually("its page", lambda: ground.is_paged(taken.json()["case"]))
        check_end(ground)
        assert service.stop()[0] == 0
        assert "Traceback" not in service.said


def _at_the_end(ground: Ground) -> dict[tuple[str, int], int]:
    """The group's offsets, once they are those of the topics' ends."""
    there, end = committed(ground.cluster.bootstrap), ends(ground.cluster.bootstrap)
    return there if there.items() >= end.items() else {}


def _not_ready(service: Running) -> dict[str, object]:
    health = service.health()
    return dict(health) if health.get("ready") is False else {}


def _waits_for_database(service: Running) -> bool:
    return "database" in service.component("kafka").get("detail", "")


def check_end(ground: Ground) -> None:
    """Every record in its place, and every case on the bus."""
    bootstrap = ground.cluster.bootstrap
    assert check_intake(ground.database, bootstrap).lost == 0
    check_logs(ground.database)
    assert positions(ground.database) == ends(bootstrap)
    cases = count(ground.database, "cases")
    eventually(
        "all cases on their topic",
        lambda: len({r.key for r in everything(bootstrap, CASES)}) == cases,
    )


def test_without_kafka_pages_go_out_and_the_bus_gets_all_of_it_later(ground: Ground) -> None:
    with ground.installation.running() as service:
        service.wait_until_ready()
        ground.send(range(5))
        eventually("the first records", lambda: ground.is_stored(5))
        ground.cluster.kill(1)
        eventually(
            "the health to say so",
            lambda: "waiting for Kafka" in service.component("kafka").get("detail", ""),
        )
        taken = ground.post(service, "meanwhile").json()
        eventually("a page without Kafka", lambda: ground.is_paged(taken["case"]))
        ground.cluster.restart(1)
        ground.send(range(5, 10))
        eventually("the later records", lambda: ground.is_stored(11))
        eventually("Kafka", lambda: service.component("kafka").get("state") == "well")
        check_end(ground)
        assert service.stop()[0] == 0


@pytest.mark.parametrize("away", ["nothing", "Kafka and the database"])
def test_every_role_ends_in_time_when_asked(away: str, ground: Ground) -> None:
    if away != "nothing":
        ground.cluster.kill(1)
        ground.postgres.stop()
    with ExitStack() as stack:
        crew = {
            name: stack.enter_context(ground.installation.running(*([name] if name else [])))
            for name in (*ROLES, "")
        }
        for service in crew.values():
            eventually("an answer", service.health)
            if away == "nothing":
                service.wait_until_ready()
        ends_of = {name: service.stop() for name, service in crew.items()}
    assert {name: status for name, (status, _) in ends_of.items()} == dict.fromkeys(crew, 0)
    assert max(seconds for _, seconds in ends_of.values()) < STOP_SECONDS


def test_a_stop_in_the_middle_of_an_outage_is_as_quick(ground: Ground) -> None:
    """The service had both, lost both, and is asked to end while it waits for them."""
    with ground.installation.running() as service:
        service.wait_until_ready()
        ground.cluster.kill(1)
        ground.postgres.stop()
        eventually("not ready", lambda: _not_ready(service))
        status, seconds = service.stop()
    assert (status, seconds < STOP_SECONDS) == (0, True)


@contextmanager
def _hanging(ground: Ground) -> Iterator[None]:
    """Connections stand, and nothing comes back over them."""
    backends = [backend for (backend,) in rows(ground.database, OURS)]
    assert backends
    try:
        for each in backends:
            os.kill(each, signal.SIGSTOP)
        yield
    finally:
        for each in backends:
            os.kill(each, signal.SIGCONT)


def test_a_database_that_hangs_is_told_and_holds_no_stop_up(ground: Ground) -> None:
    with ground.installation.running("escalate") as service:
        service.wait_until_ready()
        with _hanging(ground):
            eventually("not ready", lambda: _not_ready(service))
            assert "has not answered" in _reasons(service)
        service.wait_until_ready()
        with _hanging(ground):
            eventually("not ready once more", lambda: _not_ready(service))
            status, _ = service.stop()
        assert status == 0
        assert "service.threads_left" in service.said


def test_kafka_that_hangs_holds_neither_pages_nor_a_stop_up(ground: Ground) -> None:
    with ground.installation.running() as service:
        service.wait_until_ready()
        with ground.cluster.hanging(1):
            eventually("Kafka told as away", lambda: service.component("kafka")["state"] != "well")
            case = ground.post(service, "by-http").json()["case"]
            eventually("the page", lambda: ground.is_paged(case))
            status, seconds = service.stop()
    assert (status, seconds < STOP_SECONDS) == (0, True)
