"""What a demonstration stands on: a folder, a broker with its topics, registered hospitals."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

from rich.console import Console

from triage.consumers.provisioning import create_topics
from triage.consumers.topics import load_topics, topics_text
from triage.proof.kafka_cluster import KafkaCluster
from triage.proof.mock_broker import MockBroker
from triage.proof.people_and_places import hospitals
from triage.store.records import Token
from triage.store.store import Store
from triage.web.auth import hash_token, mint_token

BusKind = Literal["memory", "real"]
_PARTITIONS = 4


@contextmanager
def scratch_home(given: Path | None) -> Iterator[Path]:
    """The given folder, which is kept, or one that is deleted at the end."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="triage-demo-") as folder:
        yield Path(folder)


@contextmanager
def bus(kind: BusKind, home: Path, console: Console) -> Iterator[str]:
    """The broker's address, with every topic made."""
    if kind == "memory":
        topics = {t.name: min(t.partitions, _PARTITIONS) for t in load_topics(topics_text())}
        with MockBroker(topics) as broker:
            yield broker.bootstrap
        return
    console.print("Starting Apache Kafka; the first time it is downloaded (55 MB) ...")
    with KafkaCluster(home=home / "kafka") as cluster:
        create_topics(cluster.bootstrap.split(","), topics_text(), replication=1)
        yield cluster.bootstrap


def register_hospitals(store: Store, count: int, now: datetime) -> None:
    """Credentials that nobody holds, so that the sources are known; the last hospital stays
    unregistered, as somebody always is."""
    with store.begin() as tx:
        known = tx.sources()
        for hospital in hospitals(count)[:-1]:
            if hospital.source not in known:
                tx.add_token(
                    Token(
                        id=secrets.token_hex(8),
                        hash=hash_token(mint_token()),
                        source=hospital.source,
                        created_at=now,
                    )
                )
