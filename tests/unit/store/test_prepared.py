"""A prepared statement gives what SQLAlchemy gives, and its faults are told as SQLAlchemy's."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests.store_rows import case_row
from triage.store import Store, open_store
from triage.store.prepared import Prepared
from triage.store.rows import Cases, table_of
from triage.store.session import Session, instant_parameter

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
_CASES = table_of(Cases)
DUE = select(_CASES).where(
    _CASES.c.next_due_at <= instant_parameter("until"), _CASES.c.is_emergent.is_(True)
)


@pytest.fixture
def store() -> Store:
    store = open_store("sqlite://")
    with store.begin() as tx:
        tx.save_cases(
            [
                case_row(1, next_due_at=NOW, is_emergent=True),
                case_row(2, next_due_at=NOW + timedelta(microseconds=1), is_emergent=True),
                case_row(3, next_due_at=NOW, is_emergent=False),
            ]
        )
    return store


def test_rows_are_those_that_sqlalchemy_reads(store: Store) -> None:
    with store.begin() as tx:
        ours = Session._rows(tx, Prepared(DUE), {"until": NOW})
        theirs = tx._connection.execute(DUE, {"until": NOW}).all()
    assert ours == [tuple(row) for row in theirs]
    assert len(ours) == 1


def test_a_parameter_that_is_missing_is_a_fault_and_no_null() -> None:
    with pytest.raises(KeyError, match="until"):
        Prepared(DUE).parameters({})


def test_a_key_that_is_there_is_told_as_ever_and_without_what_was_sent(store: Store) -> None:
    with store.begin() as tx:
        tx.keep_policy_book("v1", {})
    with pytest.raises(IntegrityError) as told, store.begin() as tx:
        tx._send("INSERT INTO policy_book (version, texts) VALUES (?, ?)", ["v1", "private"])
    assert "private" not in str(told.value)
