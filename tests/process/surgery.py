"""One service for many bad inputs: its paging desk, its tokens, and events to send it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.process.installation import Installation, Running, ask
from tests.process.ledger import rows
from tests.process.receiving import Desk, paging_desk, write_roster
from tests.services import fresh_database, remake_topics

MIB = 1 << 20
WALKS = {"cancer": "known", "walking": "unaided", "neuro_symptom": "none", "bladder": "normal"}
UNABLE = {"cancer": "known", "walking": "cannot", "trend": "worsening", "bladder": "normal"}
CONSULTANT = {"person": "consultant-a", "name": "Sample Consultant", "role": "consultant"}


# Acts of the receiving side that would quiet a case.
FORBIDDEN: dict[str, dict[str, Any]] = {
    "case.closed.v1": {"reason": "duplicate", "by": CONSULTANT},
    "tier.set.v1": {"tier": "ROUTINE", "reason": "better", "by": CONSULTANT},
    "treatment.decided.v1": {"treatment": "watch", "by": CONSULTANT},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surgery:
    """The service under test, its paging desk, and a token for each kind of caller."""

    installation: Installation
    service: Running
    desk: Desk
    hospital: dict[str, str]
    other_hospital: dict[str, str]
    coordinator: dict[str, str]

    @property
    def database(self) -> str:
        return self.installation.database

    @property
    def kafka(self) -> str:
        return self.installation.kafka

    def post(self, content: bytes | Iterator[bytes], headers: dict[str, str]) -> httpx.Response:
        kind = {"content-type": "application/cloudevents+json"}
        url = f"{self.service.url}/events"
        return ask("POST", url, content=content, headers={**kind, **headers}, timeout=30)

    def case(self, subject: str, source: str = "hospital:RX1") -> dict[str, Any] | None:
        found = rows(
            self.database, f"SELECT document FROM cases WHERE referral = '{source}/{subject}'"
        )
        return json.loads(found[0][0]) if found else None

    def is_paged(self, case: str, role: str) -> bool:
        return any((p["case"], p["role"]) == (case, role) for p in self.desk.pages())

    def review_pages(self, case: str) -> list[dict[str, Any]]:
        """Pages to the coordinator that ask to look at a case."""
        return [
            page
            for page in self.desk.pages()
            if page["case"] == case
            and page["role"] == "coordinator"
            and page["obligation"] != "acknowledgement"
        ]


@contextmanager
def open_surgery(kafka: str, postgres_url: str, home: Path) -> Iterator[Surgery]:
    """Every role in one process, on empty topics and an empty database."""
    remake_topics(kafka)
    with fresh_database(postgres_url) as database, paging_desk() as desk:
        made = Installation(
            home=home,
            database=database,
            kafka=kafka,
            roster=write_roster(home, desk, with_inbox=False),
            more=desk.environment,
        )
        made.prepare()
        coordinator = made.bearer(person="coordinator-a", role="coordinator", site="centre:NEURO")
        with made.running() as service:
            service.wait_until_ready()
            yield Surgery(
                installation=made,
                service=service,
                desk=desk,
                hospital=made.bearer(source="hospital:RX1"),
                other_hospital=made.bearer(source="hospital:RX2"),
                coordinator=coordinator,
            )


def event(subject: str, findings: Any = None, **changes: Any) -> dict[str, Any]:
    plain = {
        "specversion": "1.0",
        "id": f"e-{subject}",
        "source": "hospital:RX1",
        "type": "referral.submitted.v1",
        "subject": subject,
        "data": {"findings": WALKS if findings is None else findings},
    }
    return {**plain, **changes}


def as_bytes(subject: str, findings: Any = None, **changes: Any) -> bytes:
    return json.dumps(event(subject, findings, **changes)).encode()


def at_the_limit(start: bytes, end: bytes) -> bytes:
    """As many bytes as the topic takes in one record (1 MiB with what Kafka puts around it)."""
    room = MIB - 160
    return start + b"x" * (room - len(start) - len(end)) + end
