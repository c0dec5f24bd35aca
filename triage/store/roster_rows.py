"""The tables of the roster: changes made to it, feeds it is filled from, test pages of its routes.

Storage shape only, as in `rows.py`.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Column
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

from triage.store.column_types import BYTES, INSTANT, TEXT


def _column(kind: TypeEngine[Any], *, key: bool = False, null: bool = False) -> Any:
    return Field(sa_column=Column(kind, primary_key=key, nullable=null))


class RosterChangeRow(SQLModel, table=True):
    """Overrides, swaps and cover named by a person, and their revocations. Append-only."""

    __tablename__: ClassVar[Any] = "roster_change"

    id: str = _column(TEXT, key=True)
    together: str = _column(TEXT)
    kind: str = _column(TEXT)
    site: str = _column(TEXT)
    role: str = _column(TEXT)
    person: str = _column(TEXT)
    starts: datetime = _column(INSTANT)
    ends: datetime = _column(INSTANT)
    reason: str = _column(TEXT)
    made_by: str = _column(TEXT)
    made_at: datetime = _column(INSTANT)


class RosterFeedRow(SQLModel, table=True):
    """The last good copy of each calendar feed, and how the last look at it went."""

    __tablename__: ClassVar[Any] = "roster_feed"

    feed: str = _column(TEXT, key=True)
    checked_at: datetime = _column(INSTANT)
    fetched_at: datetime | None = _column(INSTANT, null=True)
    etag: str | None = _column(TEXT, null=True)
    content: bytes | None = _column(BYTES, null=True)
    problem: str | None = _column(TEXT, null=True)


class RouteTestRow(SQLModel, table=True):
    """Test pages by the route that they went over; confirmed ones prove that it reaches a person.

    `setup` tells one configuration of the route from another.
    """

    __tablename__: ClassVar[Any] = "route_test"

    page: str = _column(TEXT, key=True)
    person: str = _column(TEXT)
    route: str = _column(TEXT)
    setup: str = _column(TEXT)
    ordered_at: datetime = _column(INSTANT)
    confirmed_at: datetime | None = _column(INSTANT, null=True)
    confirmed_by: str | None = _column(TEXT, null=True)
