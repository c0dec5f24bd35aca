"""One transaction's way to the database.

On SQLite it is begun and committed with the driver: SQLAlchemy takes longer over both than most of
our transactions take over all their statements. On PostgreSQL the journey outweighs it.
"""

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine

from triage.store.connection import BEGUN
from triage.store.failures import as_told_by_sqlalchemy


class Link:
    """`core` is SQLAlchemy's connection. `driver` is SQLite's own; None on PostgreSQL."""

    __slots__ = ("_core", "driver")

    def __init__(self, core: Connection | None, driver: Any = None) -> None:
        self._core, self.driver = core, driver

    @property
    def core(self) -> Connection:
        """What statements are built for and sent with."""
        assert self._core is not None
        return self._core


class SqliteLink(Link):
    """A transaction around a connection of the pool; `core` only once somebody asks for it.

    Commits at the end of its block, rolls back when that raises.
    """

    __slots__ = ("_begin", "_engine", "_pooled")

    def __init__(self, engine: Engine, begin: str) -> None:
        super().__init__(None)
        self._engine, self._begin = engine, begin

    @property
    def core(self) -> Connection:
        """In the same transaction as the driver."""
        if self._core is None:
            joined = Connection(self._engine, self._pooled)
            self._core = joined.execution_options(**{BEGUN: True})
        return self._core

    def __enter__(self) -> Link:
        try:
            self._pooled = self._engine.raw_connection()
        except sqlite3.Error as error:
            raise as_told_by_sqlalchemy(error, "connect") from error
        self.driver = self._pooled.driver_connection
        try:
            self.driver.execute(self._begin)
        except sqlite3.Error as error:
            self._pooled.close()
            raise as_told_by_sqlalchemy(error, self._begin) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Back to the pool, which rolls back what was not committed."""
        try:
            if kind is None:
                self._commit()
        except sqlite3.Error as error:
            raise as_told_by_sqlalchemy(error, "COMMIT") from error
        finally:
            (self._pooled if self._core is None else self._core).close()

    def _commit(self) -> None:
        """All that was done, by whichever of the two."""
        if self._core is not None:
            self._core.commit()
        self.driver.commit()
