"""Acknowledge links, PINs and push subscriptions; an index to find what still rings."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_STILL_RINGS = sa.text("route_kind IN ('voice', 'webpush') AND status = 'accepted'")


def upgrade() -> None:
    """Three tables and an index."""
    op.create_table(
        "answer_link",
        sa.Column("hash", sa.Text(), primary_key=True),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("used_at", _INSTANT, nullable=True),
    )
    op.create_index("answer_link_expires", "answer_link", ["expires_at"])
    op.create_table(
        "person_pin",
        sa.Column("person", sa.Text(), primary_key=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", _INSTANT, nullable=True),
    )
    op.create_table(
        "push_subscription",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("p256dh", sa.Text(), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("gone_at", _INSTANT, nullable=True),
    )
    op.create_index("push_subscription_person", "push_subscription", ["person"])
    op.create_index(
        "page_recallable",
        "page",
        ["settled_at"],
        postgresql_where=_STILL_RINGS,
        sqlite_where=_STILL_RINGS,
    )
