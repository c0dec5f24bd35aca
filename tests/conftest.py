"""Fixtures for the real services. Started when a test first asks, one of each for the whole run, or
for each worker among which the run is shared out."""

import os
from collections.abc import Callable, Iterator

import pytest

_MARKERS = (
    "kafka_real: runs against a real Apache Kafka",
    "postgres_real: runs against a real PostgreSQL",
    "alone: measures seconds; `make test` runs it by itself",
    "soak: takes minutes; outside CI it may skip, with a printed reason",
)
# A broker that lives for a minute spends half its processor time on compiling itself a second time.
_QUICK_JAVA = "-XX:TieredStopAtLevel=1"


def pytest_configure(config: pytest.Config) -> None:
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    os.environ.setdefault("JAVA_TOOL_OPTIONS", _QUICK_JAVA)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have told, also from another process."""
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for name, value in report.user_properties:
            if name == "told" and report.when == "call":
                terminalreporter.write_line(str(value))


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says a figure that people should see at the end of a run, whichever worker found it."""
    return lambda text: record_property("told", text)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server: the SQLAlchemy address of its maintenance database."""
    from tests.services import postgres_server

    with postgres_server() as url:
        yield url


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[str]:
    """The SQLAlchemy address (`postgresql+psycopg://...`) of an empty database for one test."""
    from tests.services import fresh_database

    with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def _tables(postgres_url: str) -> Iterator[str]:
    """The name of a database that has our tables, with nothing in them, and that nobody uses."""
    from tests.services import fresh_database
    from triage.store import upgrade

    with fresh_database(postgres_url) as url:
        upgrade(url)
        yield url.rpartition("/")[2]


@pytest.fixture
def migrated_postgres(postgres_url: str, _tables: str) -> Iterator[str]:
    """As `fresh_postgres`, with our tables: a copy, which is quicker than the migrations."""
    from tests.services import fresh_database

    with fresh_database(postgres_url, like=_tables) as url:
        yield url


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """A Kafka broker's address, comma-separated where there are several."""
    from tests.services import kafka_broker

    with kafka_broker() as bootstrap:
        yield bootstrap


@pytest.fixture
def kafka_fresh(kafka: str) -> str:
    """The broker's address, with all topics of the contract just made anew: empty, 4 partitions
    (quarantine 1), and no group with an offset in them."""
    from tests.services import remake_topics

    remake_topics(kafka)
    return kafka
