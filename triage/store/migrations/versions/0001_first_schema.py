"""The first schema: journal, case log, cases, pages, outbox, quarantine, positions, tokens."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = ("journal", "case_log", "completed_leg")
_INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """From nothing to the first schema."""
    _journal()
    _case_log()
    _cases()
    _completed_leg()
    _pages()
    _outbox()
    _quarantine()
    _position()
    _token()
    _loop_progress_and_policy_book()
    for table in _APPEND_ONLY:
        _make_append_only(table)


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("seq", _IDENTITY, sa.Identity(always=True), primary_key=True),
        *_texts("source", "event_id", "content_hash", "type", "referral", "case_id", "door"),
        _text("origin"),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        _instant("occurred_at"),
        _instant("sent_at", null=True),
        _instant("received_at"),
        sa.Column("effect", sa.Boolean(), nullable=False),
        _text("reason", null=True),
        _text("event_document"),
        sa.UniqueConstraint("source", "event_id", "content_hash", name="journal_event"),
    )
    op.create_index("journal_case", "journal", ["case_id"])


def _case_log() -> None:
    op.create_table(
        "case_log",
        sa.Column("case_id", sa.Text(), primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True),
        *_texts("source", "event_id", "content_hash"),
        _instant("received_at"),
        *_texts("document", "previous_hash", "hash"),
        sa.UniqueConstraint(
            "case_id", "source", "event_id", "content_hash", "received_at", name="case_log_event"
        ),
    )


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Text(), primary_key=True),
        *_texts("referral", "hospital", "state"),
        *_texts("tier", "owner", "destination", "lead_case_id", null=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        _text("head"),
        _instant("next_due_at", null=True),
        sa.Column("is_emergent", sa.Boolean(), nullable=False),
        *_texts("document", "policy"),
        *(_instant(name, null=True) for name in ("opened_at", "closed_at")),
        *(_instant(name, null=True) for name in ("referral_received_at", "acknowledged_at")),
        *(_instant(name, null=True) for name in ("decided_at", "decompressed_at")),
        _instant("folded_at"),
        _text("leg", null=True),
        _instant("unacknowledged_since", null=True),
        _text("deadlines"),
    )
    _partial_index("cases_due", "cases", ["is_emergent", "next_due_at"], "next_due_at IS NOT NULL")
    op.create_index("cases_state_tier", "cases", ["state", "tier"])
    op.create_index("cases_referral", "cases", ["referral"])


def _completed_leg() -> None:
    op.create_table(
        "completed_leg",
        sa.Column("case_id", sa.Text(), primary_key=True),
        sa.Column("leg", sa.Text(), primary_key=True),
        *_texts("tier", "hospital"),
        sa.Column("seconds", sa.Double(), nullable=False),
        _instant("completed_at"),
    )


def _pages() -> None:
    op.create_table(
        "page",
        sa.Column("page", sa.Text(), primary_key=True),
        *_texts("case_id", "item", "tier", null=True),
        *_texts("route", "route_kind", "order_document"),
        sa.Column("is_emergent", sa.Boolean(), nullable=False),
        _instant("owed_at"),
        _instant("ordered_at"),
        _text("status"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("possibly_doubled", sa.Boolean(), nullable=False),
        _instant("ready_at", null=True),
        _instant("settled_at", null=True),
        _text("withdrawn", null=True),
    )
    _partial_index("page_ready", "page", ["is_emergent", "owed_at"], "ready_at IS NOT NULL")
    op.create_index("page_case", "page", ["case_id"])
    op.create_table(
        "page_attempt",
        sa.Column("page", sa.Text(), primary_key=True),
        sa.Column("attempt", sa.Integer(), primary_key=True),
        sa.Column("route", sa.Text(), primary_key=True),
        _text("outcome"),
        _text("provider_word", null=True),
        _instant("at"),
        _instant("retry_at", null=True),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _IDENTITY, sa.Identity(always=True), primary_key=True),
        *_texts("topic", "key"),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        _text("headers"),
        _instant("written_at"),
        _instant("lease_until", null=True),
        _instant("published_at", null=True),
    )
    _partial_index("outbox_owed", "outbox", ["id"], "published_at IS NULL")
    _partial_index("outbox_owed_key", "outbox", ["topic", "key", "id"], "published_at IS NULL")


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("item_id", sa.Text(), primary_key=True),
        _text("source", null=True),
        _text("origin"),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        _text("reason"),
        _instant("received_at"),
        _text("status"),
        _text("settled_by", null=True),
        _instant("settled_at", null=True),
        _text("note", null=True),
    )
    _partial_index(
        "quarantine_unread", "quarantine", ["source", "received_at"], "status = 'unread'"
    )
    op.create_index("quarantine_received", "quarantine", ["received_at"])


def _position() -> None:
    op.create_table(
        "kafka_position",
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("partition", sa.Integer(), primary_key=True),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
    )


def _token() -> None:
    op.create_table(
        "token",
        sa.Column("id", sa.Text(), primary_key=True),
        _text("hash"),
        *_texts("source", "person", "name", "role", "site", null=True),
        _instant("created_at"),
        _instant("revoked_at", null=True),
        sa.UniqueConstraint("hash", name="token_hash"),
    )


def _loop_progress_and_policy_book() -> None:
    op.create_table("loop_progress", sa.Column("loop", sa.Text(), primary_key=True), _instant("at"))
    op.create_table(
        "policy_book", sa.Column("version", sa.Text(), primary_key=True), _text("texts")
    )


def _make_append_only(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        _refuse_on_postgres(table)
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {act} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _refuse_on_postgres(table: str) -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=null)


def _texts(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [_text(name, null=null) for name in names]


def _instant(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _INSTANT, nullable=null)


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, postgresql_where=condition, sqlite_where=condition)
