"""One open transaction on one connection: what every part of the store builds on."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection, TextClause, bindparam, text

from triage.store.bulk import Bulk
from triage.store.column_types import INSTANT
from triage.store.failures import as_told_by_sqlalchemy
from triage.store.link import Link
from triage.store.prepared import Prepared
from triage.store.records import EventKey

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Session:
    """Knows the dialect; sends bulk statements; asks about lists without changing the SQL text."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._sqlite = link.driver
        self.is_postgres = link.driver is None

    @property
    def _connection(self) -> Connection:
        return self._link.core

    def _write(self, bulk: Bulk, records: Sequence[Any]) -> None:
        """Insert all records in one statement; nothing for none."""
        if not records:
            return
        if self.is_postgres:
            self._connection.exec_driver_sql(bulk.postgres, bulk.arrays(records))
        else:
            self._send(bulk.sqlite, bulk.tuples(records), self._sqlite.executemany)

    def _write_new(self, bulk: Bulk, records: Sequence[Any]) -> list[str]:
        """Insert records of different keys where their key allows it; gives the keys written.

        The key is the first column; on PostgreSQL the statement returns it.
        """
        if not records:
            return []
        if not self.is_postgres:
            rows = bulk.tuples(records)
            return [row[0] for row in rows if self._send(bulk.sqlite, row).rowcount == 1]
        arrays = bulk.arrays(records)
        written = set(self._connection.exec_driver_sql(bulk.postgres, arrays).scalars().all())
        return [key for key in arrays[bulk.columns[0]] if key in written]

    def _rows(self, statement: Prepared, given: Mapping[str, Any] = _NOTHING) -> Sequence[Any]:
        """All rows of a query, each in the order of its columns."""
        if self.is_postgres:
            return self._connection.execute(statement.postgres, given).all()
        return statement.read(self._send(statement.sql, statement.parameters(given)).fetchall())

    def _change(self, statement: Prepared, given: Mapping[str, Any]) -> int:
        """How many rows it changed."""
        if self.is_postgres:
            return self._connection.execute(statement.postgres, given).rowcount
        changed: int = self._send(statement.sql, statement.parameters(given)).rowcount
        return changed

    def _change_each(self, statement: Prepared, given: Sequence[Mapping[str, Any]]) -> None:
        """The same statement for each of these; nothing for none."""
        if given and self.is_postgres:
            self._connection.execute(statement.postgres, given)
        elif given:
            many = [statement.parameters(each) for each in given]
            self._send(statement.sql, many, self._sqlite.executemany)

    def _send(self, sql: str, parameters: Any, how: Callable[..., Any] | None = None) -> Any:
        """To the driver of SQLite. What it raises is told as SQLAlchemy tells it."""
        try:
            return (how or self._sqlite.execute)(sql, parameters)
        except sqlite3.Error as error:
            raise as_told_by_sqlalchemy(error, sql) from error

    def _among(self, column: str, name: str = "ids") -> TextClause:
        """A condition: the column is one of the list that `_list` puts into parameter `name`."""
        return among(column, name, is_postgres=self.is_postgres)

    def _list(self, values: Iterable[str]) -> Any:
        """A list as one parameter, in the form that this database unpacks."""
        plain = [str(value) for value in values]
        return plain if self.is_postgres else orjson.dumps(plain).decode()

    def _event_keys(self, keys: Sequence[EventKey]) -> dict[str, Any]:
        """Parameters for `EVENT_KEYS_POSTGRES` or `EVENT_KEYS_SQLITE`."""
        if not self.is_postgres:
            return {"keys": orjson.dumps(keys).decode()}
        sources, ids, hashes = zip(*keys, strict=True)
        return {"sources": list(sources), "ids": list(ids), "hashes": list(hashes)}


def among(column: str, name: str = "ids", *, is_postgres: bool) -> TextClause:
    """A condition: the column is one of the list that `_list` puts into parameter `name`."""
    if is_postgres:
        return text(f"{column} = ANY(CAST(:{name} AS text[]))")
    return text(f"{column} IN (SELECT value FROM json_each(:{name}))")  # noqa: S608 - own names


EVENT_KEYS_POSTGRES = (
    "unnest(CAST(:sources AS text[]), CAST(:ids AS text[]), CAST(:hashes AS text[]))"
    " AS k(source, event_id, content_hash)"
)
EVENT_KEYS_SQLITE = (
    "(SELECT json_extract(value, '$[0]') AS source, json_extract(value, '$[1]') AS event_id,"
    " json_extract(value, '$[2]') AS content_hash FROM json_each(:keys)) AS k"
)


def instant_parameter(name: str) -> Any:
    """A bound instant, written as the database at hand keeps instants."""
    return bindparam(name, type_=INSTANT)
