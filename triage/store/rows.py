"""The tables. These classes own the schema: migrations and the hot statements are tested on them.

Storage shape only, never seen outside this folder (`records.py` is what callers get).
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from triage.store.column_types import (
    BYTES,
    COUNT,
    FLAG,
    INSTANT,
    SECONDS,
    TEXT,
    WHOLE,
)
from triage.store.columns import column as _column
from triage.store.columns import identity as _identity
from triage.store.columns import partial as _partial

APPEND_ONLY = ("journal", "case_log", "completed_leg", "roster_change")


class Journal(SQLModel, table=True):
    """Every accepted event, byte for byte, in order of arrival. Append-only."""

    __tablename__: ClassVar[Any] = "journal"
    __table_args__ = (
        UniqueConstraint("source", "event_id", "content_hash", name="journal_event"),
        Index("journal_case", "case_id"),
    )

    seq: int | None = _identity()
    source: str = _column(TEXT)
    event_id: str = _column(TEXT)
    content_hash: str = _column(TEXT)
    type: str = _column(TEXT)
    referral: str = _column(TEXT)
    case_id: str = _column(TEXT)
    door: str = _column(TEXT)
    origin: str = _column(TEXT)
    raw: bytes = _column(BYTES)
    occurred_at: datetime = _column(INSTANT)
    sent_at: datetime | None = _column(INSTANT, null=True)
    received_at: datetime = _column(INSTANT)
    effect: bool = _column(FLAG)
    reason: str | None = _column(TEXT, null=True)
    event_document: str = _column(TEXT)


class CaseLog(SQLModel, table=True):
    """The events of each case, hash-chained. Append-only."""

    __tablename__: ClassVar[Any] = "case_log"
    __table_args__ = (
        UniqueConstraint(
            "case_id", "source", "event_id", "content_hash", "received_at", name="case_log_event"
        ),
    )

    case_id: str = _column(TEXT, key=True)
    seq: int = _column(COUNT, key=True)
    source: str = _column(TEXT)
    event_id: str = _column(TEXT)
    content_hash: str = _column(TEXT)
    received_at: datetime = _column(INSTANT)
    document: str = _column(TEXT)
    previous_hash: str = _column(TEXT)
    hash: str = _column(TEXT)


class Cases(SQLModel, table=True):
    """One row for each case: the last fold, and the one timer."""

    __tablename__: ClassVar[Any] = "cases"
    __table_args__ = (
        _partial("cases_due", "is_emergent", "next_due_at", where="next_due_at IS NOT NULL"),
        _partial("cases_emergent", "case_id", where="is_emergent"),
        Index("cases_state_tier", "state", "tier"),
        Index("cases_referral", "referral"),
    )

    case_id: str = _column(TEXT, key=True)
    referral: str = _column(TEXT)
    hospital: str = _column(TEXT)
    state: str = _column(TEXT)
    tier: str | None = _column(TEXT, null=True)
    owner: str | None = _column(TEXT, null=True)
    destination: str | None = _column(TEXT, null=True)
    lead_case_id: str | None = _column(TEXT, null=True)
    version: int = _column(WHOLE)
    head: str = _column(TEXT)
    next_due_at: datetime | None = _column(INSTANT, null=True)
    is_emergent: bool = _column(FLAG)
    document: str = _column(TEXT)
    policy: str = _column(TEXT)
    opened_at: datetime | None = _column(INSTANT, null=True)
    closed_at: datetime | None = _column(INSTANT, null=True)
    referral_received_at: datetime | None = _column(INSTANT, null=True)
    acknowledged_at: datetime | None = _column(INSTANT, null=True)
    decided_at: datetime | None = _column(INSTANT, null=True)
    decompressed_at: datetime | None = _column(INSTANT, null=True)
    folded_at: datetime = _column(INSTANT)
    leg: str | None = _column(TEXT, null=True)
    unacknowledged_since: datetime | None = _column(INSTANT, null=True)
    deadlines: str = _column(TEXT)


class Page(SQLModel, table=True):
    """A page order under its derived key, and how far its delivery is."""

    __tablename__: ClassVar[Any] = "page"
    __table_args__ = (
        _partial("page_drain", "is_emergent", "drain_by", "owed_at", where="ready_at IS NOT NULL"),
        Index("page_case", "case_id"),
        _partial(
            "page_recallable",
            "settled_at",
            where="route_kind IN ('voice', 'webpush') AND status = 'accepted'",
        ),
    )

    page: str = _column(TEXT, key=True)
    case_id: str | None = _column(TEXT, null=True)
    item: str | None = _column(TEXT, null=True)
    tier: str | None = _column(TEXT, null=True)
    route: str = _column(TEXT)
    route_kind: str = _column(TEXT)
    order_document: str = _column(TEXT)
    is_emergent: bool = _column(FLAG)
    owed_at: datetime = _column(INSTANT)
    ordered_at: datetime = _column(INSTANT)
    status: str = _column(TEXT)
    attempts: int = _column(COUNT)
    possibly_doubled: bool = _column(FLAG)
    ready_at: datetime | None = _column(INSTANT, null=True)
    settled_at: datetime | None = _column(INSTANT, null=True)
    withdrawn: str | None = _column(TEXT, null=True)
    drain_by: datetime = _column(INSTANT)


class PageAttempt(SQLModel, table=True):
    """What came of each attempt to send a page."""

    __tablename__: ClassVar[Any] = "page_attempt"

    page: str = _column(TEXT, key=True)
    attempt: int = _column(COUNT, key=True)
    route: str = _column(TEXT, key=True)
    outcome: str = _column(TEXT)
    provider_word: str | None = _column(TEXT, null=True)
    at: datetime = _column(INSTANT)
    retry_at: datetime | None = _column(INSTANT, null=True)


class Outbox(SQLModel, table=True):
    """Records owed to Kafka, in the order in which they were written."""

    __tablename__: ClassVar[Any] = "outbox"
    __table_args__ = (
        _partial("outbox_owed", "id", where="published_at IS NULL"),
        _partial("outbox_owed_key", "topic", "key", "id", where="published_at IS NULL"),
    )

    id: int | None = _identity()
    topic: str = _column(TEXT)
    key: str = _column(TEXT)
    value: bytes = _column(BYTES)
    headers: str = _column(TEXT)
    written_at: datetime = _column(INSTANT)
    lease_until: datetime | None = _column(INSTANT, null=True)
    published_at: datetime | None = _column(INSTANT, null=True)


class Quarantine(SQLModel, table=True):
    """Bytes that could not be read, until a human has."""

    __tablename__: ClassVar[Any] = "quarantine"
    __table_args__ = (
        _partial("quarantine_unread", "source", "received_at", where="status = 'unread'"),
        Index("quarantine_received", "received_at"),
    )

    item_id: str = _column(TEXT, key=True)
    source: str | None = _column(TEXT, null=True)
    origin: str = _column(TEXT)
    raw: bytes = _column(BYTES)
    reason: str = _column(TEXT)
    received_at: datetime = _column(INSTANT)
    status: str = _column(TEXT)
    settled_by: str | None = _column(TEXT, null=True)
    settled_at: datetime | None = _column(INSTANT, null=True)
    note: str | None = _column(TEXT, null=True)


class Position(SQLModel, table=True):
    """Where each Kafka partition is resumed; moved in the transaction that stores its records."""

    __tablename__: ClassVar[Any] = "kafka_position"

    topic: str = _column(TEXT, key=True)
    partition: int = _column(COUNT, key=True)
    next_offset: int = _column(WHOLE)


class Backlog(SQLModel, table=True):
    """Consumers that are reading what lay on the bus before them, while they say so."""

    __tablename__: ClassVar[Any] = "kafka_backlog"

    consumer: str = _column(TEXT, key=True)
    since: datetime = _column(INSTANT)
    said_at: datetime = _column(INSTANT)


class TokenRecord(SQLModel, table=True):
    """Credentials, by the hash of their text."""

    __tablename__: ClassVar[Any] = "token"
    __table_args__ = (UniqueConstraint("hash", name="token_hash"),)

    id: str = _column(TEXT, key=True)
    hash: str = _column(TEXT)
    source: str | None = _column(TEXT, null=True)
    person: str | None = _column(TEXT, null=True)
    name: str | None = _column(TEXT, null=True)
    role: str | None = _column(TEXT, null=True)
    site: str | None = _column(TEXT, null=True)
    created_at: datetime = _column(INSTANT)
    revoked_at: datetime | None = _column(INSTANT, null=True)


class LoopProgress(SQLModel, table=True):
    """When each loop last finished a turn: a stale one is an alarm."""

    __tablename__: ClassVar[Any] = "loop_progress"

    loop: str = _column(TEXT, key=True)
    at: datetime = _column(INSTANT)


class PolicyBook(SQLModel, table=True):
    """The texts of every policy book that a case was ever judged by."""

    __tablename__: ClassVar[Any] = "policy_book"

    version: str = _column(TEXT, key=True)
    texts: str = _column(TEXT)


class Leg(SQLModel, table=True):
    """The ledger of first completions: what duration histograms are made of."""

    __tablename__: ClassVar[Any] = "completed_leg"

    case_id: str = _column(TEXT, key=True)
    leg: str = _column(TEXT, key=True)
    tier: str = _column(TEXT)
    hospital: str = _column(TEXT)
    seconds: float = _column(SECONDS)
    completed_at: datetime = _column(INSTANT)


def table_of(model: type[SQLModel]) -> Any:
    """The SQLAlchemy table that a model owns."""
    return model.__table__  # type: ignore[attr-defined]
