"""The tables for reaching people: acknowledge links, PINs, push subscriptions."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index
from sqlmodel import SQLModel

from triage.store.column_types import COUNT, INSTANT, TEXT
from triage.store.columns import column


class AnswerLink(SQLModel, table=True):
    """A link that answers one page as one person, once. Only the hash of its token is kept."""

    __tablename__: ClassVar[Any] = "answer_link"
    __table_args__ = (Index("answer_link_expires", "expires_at"),)

    hash: str = column(TEXT, key=True)
    page: str = column(TEXT)
    person: str = column(TEXT)
    made_at: datetime = column(INSTANT)
    expires_at: datetime = column(INSTANT)
    used_at: datetime | None = column(INSTANT, null=True)


class PersonPin(SQLModel, table=True):
    """A person's PIN as a slow hash, and how often it was missed since it was last right."""

    __tablename__: ClassVar[Any] = "person_pin"

    person: str = column(TEXT, key=True)
    hash: str = column(TEXT)
    set_at: datetime = column(INSTANT)
    failures: int = column(COUNT)
    locked_until: datetime | None = column(INSTANT, null=True)


class PushSubscription(SQLModel, table=True):
    """A browser that takes push messages for a person; `gone_at` when its service said so."""

    __tablename__: ClassVar[Any] = "push_subscription"
    __table_args__ = (Index("push_subscription_person", "person"),)

    id: str = column(TEXT, key=True)
    person: str = column(TEXT)
    endpoint: str = column(TEXT)
    p256dh: str = column(TEXT)
    auth: str = column(TEXT)
    made_at: datetime = column(INSTANT)
    gone_at: datetime | None = column(INSTANT, null=True)
