"""The store: opens transactions, and tells outages from faults of the program."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from triage.store.connection import (
    BEGIN,
    BEGIN_WRITING,
    SQLITE_WAIT_SECONDS,
    is_memory,
    open_engine,
    store_url,
)
from triage.store.failures import StoreBusy, translated
from triage.store.link import Link, SqliteLink
from triage.store.reader import Reader
from triage.store.schema import upgrade_engine
from triage.store.transaction import Transaction

_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


class Store:
    """One database, for any number of threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.is_postgres = engine.dialect.name == "postgresql"
        self._is_memory = is_memory(engine.url)
        self._writer = nullcontext() if self.is_postgres else _OneWriter()
        self._callbacks: dict[str, list[Callable[[], None]]] = {}

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction: commits at the end of the block, rolls back when it raises.

        Raises StoreBusy (do all of it again) or StoreUnavailable (wait, then do all of it again);
        in both cases nothing was stored, except that a connection lost during the commit itself
        may have stored everything: the keys make doing it again harmless.
        """
        try:
            with self._writer, self._begun() as link:
                transaction = Transaction(link)
                yield transaction
        except SQLAlchemyError as error:
            _tell_outage(error)
            raise
        for name in transaction.wakes:
            for callback in self._callbacks.get(name, []):
                callback()

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Reads of one instant of the database. Inside `begin` use the transaction's `reads`."""
        turn = self._writer if self._is_memory else nullcontext()
        try:
            with turn, self._snapshot() as link:
                yield Reader(link)
        except SQLAlchemyError as error:
            _tell_outage(error)
            raise

    def on_wake(self, name: str, callback: Callable[[], None]) -> None:
        """Call back in this process after each commit that was given `notify(name)`.

        The callback runs in the committing thread: it must return at once and not raise. Other
        processes are reached by `listen`.
        """
        self._callbacks.setdefault(name, []).append(callback)

    def dispose(self) -> None:
        """Close every connection that is not in use."""
        self._engine.dispose()

    def _begun(self) -> AbstractContextManager[Link]:
        return (
            _linked(self._engine) if self.is_postgres else SqliteLink(self._engine, BEGIN_WRITING)
        )

    def _snapshot(self) -> AbstractContextManager[Link]:
        return _snapshot(self._engine) if self.is_postgres else SqliteLink(self._engine, BEGIN)


def open_store(url: str, *, role: str = "app") -> Store:
    """The store at a SQLAlchemy URL; its schema must be there (`upgrade`).

    `role` names the connections and sizes their pool: `relay` and `sweep` have their own, so that
    a crowd at the doors cannot keep a page waiting. A database in memory is made with its schema.
    """
    engine = open_engine(url, role=role)
    if is_memory(store_url(url)):
        upgrade_engine(engine)
    return Store(engine)


@contextmanager
def _linked(engine: Engine) -> Iterator[Link]:
    with engine.begin() as connection:
        yield Link(connection)


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Link]:
    with engine.begin() as connection:
        connection.execute(_SNAPSHOT)
        yield Link(connection)


def _tell_outage(error: SQLAlchemyError) -> None:
    """Raises what the error means for whoever waits; nothing where it is a fault of the program."""
    failure = translated(error)
    if failure is not None:
        raise failure from None


class _OneWriter:
    """SQLite has one writer: in this process they queue here, fairly, instead of polling."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def __enter__(self) -> None:
        if not self._turn.acquire(timeout=SQLITE_WAIT_SECONDS):
            raise StoreBusy("another transaction of this process holds the database")

    def __exit__(self, *_: object) -> None:
        self._turn.release()
