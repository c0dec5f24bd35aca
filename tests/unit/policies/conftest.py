"""The shipped book, and small builders of patients (all invented)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from triage.policies.book import PolicyBook
from triage.policies.classify import Assessment, classify
from triage.policies.load import load_policy_book
from triage.policies.read import Reading, read_findings
from triage.policies.shipped import shipped_texts

NOW = datetime(2026, 3, 10, 8, tzinfo=UTC)

# Every critical finding known and benign: ROUTINE, so that one change shows what it does alone.
CALM: dict[str, object] = {
    "cancer": "known",
    "histology": "breast",
    "spinal_metastasis": "confirmed",
    "mri": "reported",
    "level": "T6",
    "escc": "0",
    "ais": "E",
    "walking": "unaided",
    "neuro_symptom": "none",
    "trend": "stable",
    "bladder": "normal",
    "saddle_sensation": "normal",
    "pain": "none",
    "sins": 3,
}

Judge = Callable[..., Assessment]
Reader = Callable[[dict[str, object]], Reading]


@pytest.fixture(scope="session")
def book() -> PolicyBook:
    """The book that ships."""
    return load_policy_book(shipped_texts())


@pytest.fixture(scope="session")
def read(book: PolicyBook) -> Reader:
    """Read a findings object."""
    return lambda raw: read_findings(raw, book)


@pytest.fixture(scope="session")
def judge(book: PolicyBook) -> Judge:
    """Classify a calm patient with these findings changed; None takes a finding away."""

    def judged(now: datetime = NOW, **changes: object) -> Assessment:
        raw = {name: value for name, value in (CALM | changes).items() if value is not None}
        return classify(read_findings(raw, book).findings, book, now=now)

    return judged


def ago(hours: float = 0, seconds: float = 0) -> str:
    """The instant so long before `NOW`, as it is sent."""
    return (NOW - timedelta(hours=hours, seconds=seconds)).isoformat()
