"""Writes of many rows in one constant statement.

On PostgreSQL the columns travel as arrays through `unnest` (about 80 times the rate of one ORM
session per event); SQLite gets `executemany`. The text is made once, from the tables themselves.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType, NoneType
from typing import Any

from sqlmodel import SQLModel

from triage.store.column_types import postgres_array, sqlite_instant
from triage.store.rows import table_of


@dataclass(frozen=True, slots=True)
class Bulk:
    """One multi-row statement in both dialects, over the same columns in the same order."""

    columns: tuple[str, ...]
    kinds: tuple[type, ...]
    instants: tuple[int, ...]  # where they stand among the columns
    postgres: str
    sqlite: str
    values_of: Callable[[Any], Any]

    def arrays(self, records: Iterable[Any]) -> dict[str, list[Any]]:
        """One list for each column: the parameters on PostgreSQL."""
        columns = zip(*map(self.values_of, records), strict=True)
        return {
            name: _plain(values, kind)
            for name, kind, values in zip(self.columns, self.kinds, columns, strict=True)
        }

    def tuples(self, records: Iterable[Any]) -> list[tuple[Any, ...]]:
        """One tuple for each record: the parameters on SQLite."""
        return [self._written(self.values_of(record)) for record in records]

    def _written(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        row = list(values)
        for place in self.instants:
            if row[place] is not None:
                row[place] = sqlite_instant(row[place])
        return tuple(row)


def bulk_insert(
    model: type[SQLModel],
    *,
    conflict: str = "",
    returning: str = "",
    skip: Sequence[str] = (),
    always: Mapping[str, str] = MappingProxyType({}),
    values_of: Callable[[Any], Any] | None = None,
) -> Bulk:
    """INSERT of records whose attributes are named as the model's columns.

    `conflict` is the ON CONFLICT clause. `returning` names a column for PostgreSQL to give back
    (SQLite tells row by row instead). Identity columns and those in `skip` are left to the
    database. `always`: the SQL of columns that have the same value in each new row, which are not
    sent either. `values_of` replaces the reading of a record; it gives values in column order.
    """
    table = table_of(model)
    columns = [c for c in table.columns if c.identity is None and c.name not in {*skip, *always}]
    gives = f" RETURNING {returning}" if returning else ""
    names = tuple(c.name for c in columns)
    into = f"INSERT INTO {table.name} ({_quoted((*names, *always))})"
    fixed = "".join(f", {value}" for value in always.values())
    arrays = ", ".join(f"%({c.name})b::{postgres_array(c.type)}" for c in columns)
    marks = ", ".join("?" for _ in columns)
    kinds = tuple(c.type.python_type for c in columns)
    return Bulk(
        columns=names,
        kinds=kinds,
        instants=tuple(place for place, kind in enumerate(kinds) if kind is datetime),
        postgres=f"{into} SELECT *{fixed} FROM unnest({arrays}) {conflict}{gives}",  # noqa: S608 - own names
        sqlite=f"{into} VALUES ({marks}{fixed}) {conflict}",
        values_of=values_of or attrgetter(*names),
    )


def overwrite(model: type[SQLModel]) -> str:
    """The ON CONFLICT clause by which a row with the same primary key is replaced."""
    table = table_of(model)
    keys = tuple(c.name for c in table.primary_key.columns)
    others = [c.name for c in table.columns if c.name not in keys]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    return f"ON CONFLICT ({_quoted(keys)}) DO UPDATE SET {changes}"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _plain(values: tuple[Any, ...], kind: type) -> list[Any]:
    """Values of exactly the column's type: the driver would write an enum by its *name*, and
    refuses a list of whole and broken numbers."""
    if set(map(type, values)) <= {kind, NoneType}:
        return list(values)
    return [None if value is None else kind(value) for value in values]
