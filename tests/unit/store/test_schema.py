"""Migrations, models, records and hot statements say the same."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel

from tests.store_schema import (
    TABLES,
    differences,
    pages_of_the_version_before_keep_their_turn,
)
from triage.domain.paging import Attempt
from triage.domain.roster.changes import RosterChange
from triage.store import (
    audit_writes,
    case_writes,
    expected_schema_version,
    house_writes,
    intake_writes,
    outbox_writes,
    page_writes,
    reach_rows,
    reaching,
    records,
    roster_rows,
    roster_writes,
    rows,
    schema_version,
    upgrade,
)
from triage.store.bulk import Bulk
from triage.store.column_types import postgres_array

BULKS = {
    "journal": intake_writes.JOURNAL,
    "quarantine": intake_writes.QUARANTINE,
    "case_log": case_writes.CASE_LOG,
    "cases": case_writes.CASES,
    "completed_leg": case_writes.COMPLETED_LEG,
    "page": page_writes.PAGES,
    "page_attempt": page_writes.ATTEMPTS,
    "outbox": outbox_writes.OUTBOX,
    "token": house_writes.TOKENS,
    "loop_progress": house_writes.PROGRESS,
    "policy_book": house_writes.BOOKS,
    "audit_finding": audit_writes.FINDINGS,
    "audit_basis": audit_writes.BASES,
    "answer_link": reaching.LINKS,
    "person_pin": reaching.PINS,
    "push_subscription": reaching.SUBSCRIPTIONS,
    "roster_change": roster_writes.CHANGES,
    "roster_feed": roster_writes.FEEDS,
    "route_test": roster_writes.TESTS,
}
LEFT_TO_THE_DATABASE = {
    "journal": {"seq"},
    "outbox": {"id", "lease_until", "published_at"},
    "page": {"settled_at", "withdrawn"},
}
ALWAYS_THE_SAME = {
    "page": {"status": "'ordered'", "attempts": "0", "possibly_doubled": "false"},
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'triage.db'}"


def test_migrations_make_what_the_models_say(url: str) -> None:
    assert schema_version(url) is None
    upgrade(url)
    assert differences(url) == []
    assert schema_version(url) == expected_schema_version()


def test_migrating_twice_changes_nothing(url: str) -> None:
    upgrade(url)
    upgrade(url)
    assert differences(url) == []


def test_pages_of_the_version_before_keep_their_turn(url: str) -> None:
    pages_of_the_version_before_keep_their_turn(url)


@pytest.mark.parametrize("table", BULKS)
def test_hot_statements_fill_every_column_of_the_model(table: str) -> None:
    bulk: Bulk = BULKS[table]
    columns = {c.name: c for c in TABLES[table].columns}
    left = LEFT_TO_THE_DATABASE.get(table, set())
    fixed = ALWAYS_THE_SAME.get(table, {})
    assert set(bulk.columns) == set(columns) - left - set(fixed)
    into = bulk.postgres.split("(", 1)[1].split(")", 1)[0]
    assert into == ", ".join(f'"{name}"' for name in (*bulk.columns, *fixed))
    chosen = "".join(f", {value}" for value in fixed.values())
    assert f"SELECT *{chosen} FROM" in bulk.postgres
    assert f"?{chosen})" in bulk.sqlite
    assert bulk.sqlite.split("(", 1)[1].split(")", 1)[0] == into
    for name in bulk.columns:
        assert f"%({name})b::{postgres_array(columns[name].type)}" in bulk.postgres
    assert bulk.sqlite.count("?") == len(bulk.columns)


def test_every_model_that_is_written_in_bulk_is_tested_above() -> None:
    assert set(TABLES) - {"kafka_position", "kafka_backlog"} == set(BULKS)


@pytest.mark.parametrize(
    ("record", "model"),
    [
        (records.JournalEntry, rows.Journal),
        (records.LogRow, rows.CaseLog),
        (records.CaseRow, rows.Cases),
        (records.QuarantineItem, rows.Quarantine),
        (records.Token, rows.TokenRecord),
        (reaching.Link, reach_rows.AnswerLink),
        (reaching.Pin, reach_rows.PersonPin),
        (reaching.Subscription, reach_rows.PushSubscription),
        (records.CompletedLeg, rows.Leg),
        (records.AttemptRow, rows.PageAttempt),
        (records.KafkaPosition, rows.Position),
        (Attempt, rows.PageAttempt),
        (RosterChange, roster_rows.RosterChangeRow),
        (records.FeedCopy, roster_rows.RosterFeedRow),
        (records.RouteTest, roster_rows.RouteTestRow),
    ],
)
def test_records_have_the_columns_of_their_table(record: Any, model: type[SQLModel]) -> None:
    table = rows.table_of(model)
    columns = {c.name for c in table.columns} - LEFT_TO_THE_DATABASE.get(table.name, set())
    kept_on_the_page = {"in_doubt"} if record is Attempt else set()
    assert {field.name for field in fields(record)} - kept_on_the_page == columns


def test_only_the_append_only_tables_have_triggers(url: str) -> None:
    from triage.store.connection import open_engine

    upgrade(url)
    engine = open_engine(url, role="migrate")
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'"
        )
        assert set(found.scalars()) == set(rows.APPEND_ONLY)
    engine.dispose()
