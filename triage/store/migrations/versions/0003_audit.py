"""What the auditor finds, and on which program and roster folds stand since when."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "audit_finding",
        sa.Column("id", sa.Text(), primary_key=True),
        _text("key"),
        _text("kind"),
        _text("case_id", null=True),
        _text("subject"),
        _text("detail"),
        sa.Column("found_at", _INSTANT, nullable=False),
        _text("repair", null=True),
        sa.Column("repaired_at", _INSTANT, nullable=True),
        sa.Column("gone_at", _INSTANT, nullable=True),
    )
    still_there = sa.text("gone_at IS NULL")
    op.create_index(
        "audit_finding_open",
        "audit_finding",
        ["key"],
        unique=True,
        postgresql_where=still_there,
        sqlite_where=still_there,
    )
    op.create_table(
        "audit_basis",
        sa.Column("basis", sa.Text(), primary_key=True),
        sa.Column("since", _INSTANT, nullable=False),
    )


def _text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=null)
