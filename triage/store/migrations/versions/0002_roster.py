"""Roster changes, calendar feeds and test pages of routes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Three tables; nothing that is there changes."""
    op.create_table(
        "roster_change",
        sa.Column("id", sa.Text(), primary_key=True),
        *_texts("together", "kind", "site", "role", "person"),
        _instant("starts"),
        _instant("ends"),
        *_texts("reason", "made_by"),
        _instant("made_at"),
    )
    _make_append_only("roster_change")
    op.create_table(
        "roster_feed",
        sa.Column("feed", sa.Text(), primary_key=True),
        _instant("checked_at"),
        _instant("fetched_at", null=True),
        *_texts("etag", null=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        *_texts("problem", null=True),
    )
    op.create_table(
        "route_test",
        sa.Column("page", sa.Text(), primary_key=True),
        *_texts("person", "route", "setup"),
        _instant("ordered_at"),
        _instant("confirmed_at", null=True),
        *_texts("confirmed_by", null=True),
    )


def _make_append_only(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {act} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _texts(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def _instant(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _INSTANT, nullable=null)
