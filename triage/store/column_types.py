"""How instants, whole numbers and bytes are kept in PostgreSQL and in SQLite."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Double,
    Integer,
    LargeBinary,
    Text,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine

from triage.domain.instants import format_instant, parse_instant


def sqlite_instant(instant: datetime) -> str:
    """UTC text of fixed width, so that SQLite sorts and compares instants as text."""
    text = format_instant(instant)
    return text if len(text) == 32 else f"{text[:19]}.000000{text[19:]}"


def read_sqlite_instant(text: str) -> datetime:
    """The instant of `sqlite_instant`; ValueError when the text was edited into something else."""
    instant = parse_instant(text)
    if instant is None:
        raise ValueError(f"stored instant is unreadable: {text}")
    return instant


class SqliteInstant(TypeDecorator[datetime]):
    """An instant as fixed-width text: SQLite has no type for it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Refuses a naive datetime (ValueError)."""
        return None if value is None else sqlite_instant(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Aware, in UTC."""
        return None if value is None else read_sqlite_instant(value)


TEXT = Text()
FLAG = Boolean()
BYTES = LargeBinary()
SECONDS: Double[float] = Double()
COUNT = Integer()
IDENTITY = BigInteger().with_variant(Integer(), "sqlite")
WHOLE = BigInteger()
INSTANT = DateTime(timezone=True).with_variant(SqliteInstant(), "sqlite")


def postgres_array(kind: TypeEngine[Any]) -> str:
    """The array type that carries a column of this kind into `unnest`."""
    for base, name in _ARRAYS:
        if isinstance(kind, base):
            return name
    raise TypeError(f"no array type for column type {kind!r}")


_ARRAYS: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (Text, "text[]"),
    (Boolean, "boolean[]"),
    (DateTime, "timestamptz[]"),
    (LargeBinary, "bytea[]"),
    (Double, "double precision[]"),
    (BigInteger, "bigint[]"),
    (Integer, "integer[]"),
)
