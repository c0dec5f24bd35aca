"""Columns of the table classes, written short."""

from typing import Any

from sqlalchemy import Column, Identity, Index, text
from sqlalchemy.types import TypeEngine
from sqlmodel import Field

from triage.store.column_types import IDENTITY


def column(kind: TypeEngine[Any], *, key: bool = False, null: bool = False) -> Any:
    """A column; must have a value unless `null`."""
    return Field(sa_column=Column(kind, primary_key=key, nullable=null))


def identity() -> Any:
    """A key that the database counts up."""
    counted: Column[int] = Column(IDENTITY, Identity(always=True), primary_key=True)
    return Field(default=None, sa_column=counted)


def partial(name: str, *columns: str, where: str) -> Index:
    """An index over the rows that meet the condition."""
    return Index(name, *columns, postgresql_where=text(where), sqlite_where=text(where))
