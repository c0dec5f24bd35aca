"""After an outage pages go out by the time that is left until their deadline."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_WAITS = sa.text("ready_at IS NOT NULL")
# A process of the version before writes no `drain_by`: its pages go out first of their lane.
_FIRST = "1970-01-01T00:00:00.000000+00:00"


def upgrade() -> None:
    """A column; what waits now keeps the instant at which it was owed as its turn."""
    op.add_column(
        "page",
        sa.Column("drain_by", _INSTANT, nullable=False, server_default=sa.text(f"'{_FIRST}'")),
    )
    op.execute("UPDATE page SET drain_by = owed_at WHERE ready_at IS NOT NULL")
    op.create_index(
        "page_drain",
        "page",
        ["is_emergent", "drain_by", "owed_at"],
        postgresql_where=_WAITS,
        sqlite_where=_WAITS,
    )
    op.drop_index("page_ready", table_name="page")
