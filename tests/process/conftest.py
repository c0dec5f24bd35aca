"""What several of the process tests begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.installation import Installation
from tests.process.receiving import Desk, paging_desk, write_roster
from tests.process.surgery import Surgery, open_surgery


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A desk that is paged by signed webhooks."""
    with paging_desk() as started:
        yield started


@pytest.fixture
def installation(fresh_postgres: str, desk: Desk, tmp_path: Path) -> Installation:
    """A database and a roster that pages the desk; no Kafka, nothing started."""
    made = Installation(
        home=tmp_path,
        database=fresh_postgres,
        kafka="",
        roster=write_roster(tmp_path, desk, with_inbox=False),
        more={**desk.environment, "TRIAGE_LOG_LEVEL": "WARNING"},
    )
    made.prepare()
    return made


@pytest.fixture(scope="module")
def surgery(
    kafka: str, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Surgery]:
    """A running service with Kafka, on whose doors anything may be sent."""
    with open_surgery(kafka, postgres_url, tmp_path_factory.mktemp("home")) as opened:
        yield opened
