"""One open transaction on one connection: what every part of the store builds on."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, TextClause, bindparam, text

from triage.store.bulk import Bulk
from triage.store.column_types import INSTANT
from triage.store.records import EventKey


class Session:
    """Knows the dialect; sends bulk statements; asks about lists without changing the SQL text."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.is_postgres = connection.dialect.name == "postgresql"

    def _write(self, bulk: Bulk, records: Sequence[Any]) -> None:
        """Insert all records in one statement; nothing for none."""
        if not records:
            return
        if self.is_postgres:
            self._connection.exec_driver_sql(bulk.postgres, bulk.arrays(records))
        else:
            self._connection.exec_driver_sql(bulk.sqlite, bulk.tuples(records))

    def _write_new(self, bulk: Bulk, records: Sequence[Any]) -> list[str]:
        """Insert records of different keys where their key allows it; gives the keys written.

        The key is the first column; on PostgreSQL the statement returns it.
        """
        if not records:
            return []
        if not self.is_postgres:
            send = self._connection.exec_driver_sql
            return [row[0] for row in bulk.tuples(records) if send(bulk.sqlite, row).rowcount == 1]
        arrays = bulk.arrays(records)
        written = set(self._connection.exec_driver_sql(bulk.postgres, arrays).scalars())
        return [key for key in arrays[bulk.columns[0]] if key in written]

    def _among(self, column: str, name: str = "ids") -> TextClause:
        """A condition: the column is one of the list that `_list` puts into parameter `name`."""
        if self.is_postgres:
            return text(f"{column} = ANY(CAST(:{name} AS text[]))")
        return text(f"{column} IN (SELECT value FROM json_each(:{name}))")  # noqa: S608 - own names

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
