"""Mixed events through real Kafka into real PostgreSQL while processes and the broker are killed:
nothing accepted is lost, nothing is done twice, every owed page arrives.

`TRIAGE_KILL_EVENTS` sets the number of events.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.process.installation import Installation, Running, eventually
from tests.process.ledger import (
    check_intake,
    check_logs,
    check_pages,
    count,
    ends,
    is_sent,
    is_settled,
    positions,
    rows,
    stored_events,
    unpaged_emergencies,
)
from tests.process.receiving import Desk, write_roster
from tests.process.topics import send
from tests.process.traffic import Sender, mixed
from tests.services import TEST_PARTITIONS, TOPICS_TOML
from triage.consumers.administration import create_topics
from triage.consumers.topics import REFERRALS
from triage.proof.kafka_cluster import KafkaCluster

pytestmark = [pytest.mark.kafka_real, pytest.mark.postgres_real, pytest.mark.timeout(900)]

EVENTS = int(os.environ.get("TRIAGE_KILL_EVENTS", "20000"))
KILLS = 10
BROKER_DIES_AT = 5
RELAY_EVENTS, RELAY_KILLS = 900, 3
PATIENCE = 400  # seconds for what a slow machine does in one
LADDER = ("registrar", "coordinator")
UNREADABLE = b'{"specversion": "0.3", "source": "hospital:RX77"}'


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[KafkaCluster]:
    with KafkaCluster(home=tmp_path / "kafka") as started:
        create_topics(
            [started.bootstrap], TOPICS_TOML, replication=1, partitions_at_most=TEST_PARTITIONS
        )
        yield started


@pytest.fixture
def installation(
    cluster: KafkaCluster, fresh_postgres: str, desk: Desk, tmp_path: Path
) -> Installation:
    made = Installation(
        home=tmp_path,
        database=fresh_postgres,
        kafka=cluster.bootstrap,
        roster=write_roster(tmp_path, desk, with_inbox=False),
        more={**desk.environment, "TRIAGE_LOG_LEVEL": "WARNING"},
    )
    made.prepare()
    return made


class Crew:
    """The processes by name; `kill` takes one down and starts another in its place."""

    def __init__(self, installation: Installation, stack: ExitStack) -> None:
        self.installation, self.stack = installation, stack
        self.roles: dict[str, str] = {}
        self.running: dict[str, Running] = {}

    def start(self, name: str, role: str) -> None:
        self.roles[name] = role
        self.running[name] = self.stack.enter_context(self.installation.running(role))

    def kill(self, name: str) -> None:
        self.running[name].kill()
        self.start(name, self.roles[name])

    def wait_until_ready(self) -> None:
        for each in self.running.values():
            each.wait_until_ready()


def split(messages: Sequence[Any], parts: int) -> list[Sequence[Any]]:
    edges = [len(messages) * part // parts for part in range(parts + 1)]
    return [messages[low:high] for low, high in pairwise(edges)]


def more_than(figure: Callable[[], int], number: int) -> Callable[[], bool]:
    return lambda: figure() > number


def test_nothing_is_lost_while_consumers_and_the_broker_are_killed(
    installation: Installation, cluster: KafkaCluster, desk: Desk, tell: Callable[[str], None]
) -> None:
    database, sender = installation.database, Sender(cluster.bootstrap)
    *chunks, last = split(mixed(EVENTS), KILLS + 1)
    with ExitStack() as stack:
        crew = Crew(installation, stack)
        for name, role in (("a", "consume"), ("b", "consume"), ("s", "escalate"), ("r", "notify")):
            crew.start(name, role)
        crew.wait_until_ready()
        at_work = 0
        for number, chunk in enumerate(chunks):
            stored = stored_events(database)
            sender.start(chunk)
            if number == BROKER_DIES_AT:
                kill_broker(cluster, sender)
            progress = more_than(lambda: stored_events(database), stored + len(chunk) // 4)
            eventually("progress", progress, seconds=PATIENCE)
            at_work += sum(positions(database).values()) < sender.acknowledged
            crew.kill("ab"[number % 2])
        sender.start(last)
        wait_for_the_end(database, sender)
        stand_still(crew, database)
        intake, paging = check_intake(database, cluster.bootstrap), check_pages(database, desk)
        check_logs(database)
        assert unpaged_emergencies(database, desk, LADDER) == []
    tell(f"kills: {KILLS} of consumers, {at_work} of them at work, 1 of the broker")
    tell(f"{intake}\n{paging}")
    assert (intake.lost, paging.lost) == (0, 0)
    assert intake.records >= EVENTS and intake.duplicates > 0 and intake.unreadable > 0
    assert at_work >= KILLS // 2, "the kills met consumers that had nothing to do"


def kill_broker(cluster: KafkaCluster, sender: Sender) -> None:
    """In the middle of what is being sent; back with its data and its address."""
    eventually("some of the chunk", more_than(lambda: sender.acknowledged, sender.acknowledged))
    cluster.kill(1)
    cluster.restart(1)


def wait_for_the_end(database: str, sender: Sender) -> None:
    """Everything is sent, stored, and its pages are out."""
    sender.join()
    end = ends(sender.bootstrap)
    eventually("the end of the topics", lambda: positions(database) == end, seconds=PATIENCE)
    eventually("the last page", lambda: is_settled(database), seconds=PATIENCE)


def stand_still(crew: Crew, database: str) -> None:
    """Without the sweep nothing more falls due: what is counted now is what there is.

    A page ordered while the others were being counted would look like one that was lost.
    """
    crew.running["s"].kill()
    eventually("what was ordered last", lambda: is_sent(database), seconds=PATIENCE)


def test_pages_arrive_though_the_relay_and_the_sweep_are_killed(
    installation: Installation, cluster: KafkaCluster, desk: Desk, tell: Callable[[str], None]
) -> None:
    database = installation.database
    sender = Sender(cluster.bootstrap)
    with ExitStack() as stack:
        crew = Crew(installation, stack)
        for name, role in (("c", "consume"), ("s", "escalate"), ("r", "notify")):
            crew.start(name, role)
        crew.wait_until_ready()
        for chunk in split(mixed(RELAY_EVENTS, seed=2), RELAY_KILLS):
            flow = more_than(lambda: len(desk.received), len(desk.received) + 20)
            sender.start(chunk)
            eventually("pages", flow, seconds=PATIENCE)
            crew.kill("r")
            crew.kill("s")
        wait_for_the_end(database, sender)
        crew.running["s"].kill()
        unread = count(database, "quarantine")
        send(cluster.bootstrap, REFERRALS, b"hospital:RX77", UNREADABLE)
        eventually("the unread record", lambda: count(database, "quarantine") > unread)
        crew.start("s", "escalate")
        eventually("its page", lambda: [p for p in desk.pages() if _is_about(p, database)])
        eventually("the last page", lambda: is_settled(database), seconds=PATIENCE)
        stand_still(crew, database)
        paging = check_pages(database, desk)
        assert unpaged_emergencies(database, desk, LADDER) == []
    tell(f"kills: {RELAY_KILLS} of the relay, {RELAY_KILLS + 1} of the sweep\n{paging}")
    assert paging.lost == 0


def _is_about(page: dict[str, Any], database: str) -> bool:
    """Whether the page is about the record that came while no sweep ran."""
    found = rows(database, "SELECT item_id FROM quarantine WHERE source = 'hospital:RX77'")
    return page["role"] == "coordinator" and (page["item"],) in found
