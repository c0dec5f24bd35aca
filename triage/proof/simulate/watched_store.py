"""The production store on SQLite with crash points before and after every commit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from sqlite3 import Connection, connect
from typing import cast

from sqlalchemy import Engine

from triage.proof.simulate.crash_points import Gate
from triage.store.connection import open_engine
from triage.store.reader import Reader
from triage.store.schema import upgrade_engine
from triage.store.store import Store
from triage.store.transaction import Transaction


class WatchedStore(Store):
    """One role's view of the database. `committed` is told of each commit, before anything else."""

    def __init__(
        self, engine: Engine, *, role: str, gate: Gate, committed: Callable[[], None]
    ) -> None:
        super().__init__(engine)
        self._role, self._gate, self._committed = role, gate, committed

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """As the store's own, with points `<role>.begin`, `.commit` (before) and `.committed`."""
        self._gate.at_database(f"{self._role}.begin")
        with super().begin() as transaction:
            yield transaction
            self._gate.at(f"{self._role}.commit")
        self._committed()
        self._gate.at(f"{self._role}.committed")

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """As the store's own, with the point `<role>.read`."""
        self._gate.at_database(f"{self._role}.read")
        with super().read() as reader:
            yield reader


def fresh_engine(file: Path | None = None) -> Engine:
    """A database of its own with our schema and nothing in it. In memory, or in a new file."""
    if file is not None:
        file.write_bytes(_schema())
        return open_engine(f"sqlite:///{file}", role="simulate")
    engine = open_engine("sqlite://", role="simulate")
    raw_connection(engine).deserialize(_schema())
    return engine


def raw_connection(engine: Engine) -> Connection:
    """For whoever only looks: the one connection of a database in memory, or one of our own."""
    if engine.url.database:
        return connect(engine.url.database, isolation_level=None)
    connection = engine.raw_connection()
    try:
        return cast(Connection, connection.driver_connection)
    finally:
        connection.close()


@cache
def _schema() -> bytes:
    engine = open_engine("sqlite://", role="simulate")
    upgrade_engine(engine)
    return raw_connection(engine).serialize()
