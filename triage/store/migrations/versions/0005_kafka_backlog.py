"""Which consumers are reading a backlog, so that pages can wait for it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """One row for each consumer that is behind."""
    op.create_table(
        "kafka_backlog",
        sa.Column("consumer", sa.Text(), primary_key=True),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("said_at", _INSTANT, nullable=False),
    )
