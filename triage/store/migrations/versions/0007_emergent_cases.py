"""EMERGENT cases are found without reading all others: somebody asks for them every few seconds."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_EMERGENT = sa.text("is_emergent")


def upgrade() -> None:
    """An index of those alone."""
    op.create_index(
        "cases_emergent",
        "cases",
        ["case_id"],
        postgresql_where=_EMERGENT,
        sqlite_where=_EMERGENT,
    )
