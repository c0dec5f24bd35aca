"""Engines: how a connection is opened, and what every connection of ours is set to."""

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.pool import StaticPool

from triage.store.failures import StoreBusy, as_told_by_sqlalchemy

WRITES = "triage_writes"
BEGUN = "triage_begun"  # somebody else began what this connection of SQLAlchemy's takes part in
BEGIN, BEGIN_WRITING = "BEGIN", "BEGIN IMMEDIATE"

# jit=off: a compiled plan turned a 30 ms cycle into 730 ms elsewhere. Custom plans: one kept from
# the time when the tables were empty would read them whole. The limits keep one stuck
# transaction from holding a case's lock for longer than a rung of the shortest ladder.
_POSTGRES_OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in (
        ("jit", "off"),
        ("plan_cache_mode", "force_custom_plan"),
        ("timezone", "UTC"),
        ("lock_timeout", "5s"),
        ("statement_timeout", "20s"),
        ("idle_in_transaction_session_timeout", "30s"),
    )
)
_KEEPALIVE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_POOL = {"relay": 3, "sweep": 3, "migrate": 1}
_POOL_DEFAULT = 8
# These ask the database every second, so a lost connection is soon found, and are tried again: a
# ping before each of their transactions would only make every page later.
_NOT_PINGED = ("relay", "sweep")
_POOL_WAIT_SECONDS = 5
SQLITE_WAIT_SECONDS = 10


def store_url(url: str) -> URL:
    """The URL with the driver that we use; ValueError for a database that we do not support."""
    parsed = make_url(url)
    name = parsed.get_backend_name()
    if name in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if name == "sqlite":
        return parsed.set(drivername="sqlite")
    raise ValueError(f"database not supported: {name} (allowed: postgresql, sqlite)")


def open_engine(url: str, *, role: str) -> Engine:
    """An engine with a pool sized for the role. Opens no connection yet."""
    parsed = store_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    return create_engine(
        parsed,
        pool_size=_POOL.get(role, _POOL_DEFAULT),
        max_overflow=0,
        pool_timeout=_POOL_WAIT_SECONDS,
        pool_pre_ping=role not in _NOT_PINGED,
        hide_parameters=True,
        connect_args={
            "options": _POSTGRES_OPTIONS,
            "application_name": f"triage {role}",
            **_KEEPALIVE,
        },
    )


def is_memory(url: URL) -> bool:
    """A SQLite database that lives and dies with its one connection."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _sqlite_engine(url: URL) -> Engine:
    settings: dict[str, Any] = {"check_same_thread": False, "timeout": SQLITE_WAIT_SECONDS}
    pool: dict[str, Any] = (
        {"poolclass": StaticPool} if is_memory(url) else {"pool_timeout": _POOL_WAIT_SECONDS}
    )
    engine = create_engine(url, hide_parameters=True, connect_args=settings, **pool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode not in ("wal", "memory"):
        raise StoreBusy(f"the database file cannot be opened for many readers: mode {mode}")
    cursor.execute("PRAGMA synchronous=FULL")  # an acknowledged event survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={SQLITE_WAIT_SECONDS * 1000}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its lock at once: one that took it later could find its reading outdated."""
    options = connection.get_execution_options()
    if options.get(BEGUN, False):
        return
    sql = BEGIN_WRITING if options.get(WRITES, False) else BEGIN
    driver: sqlite3.Connection | None = connection.connection.driver_connection
    assert driver is not None
    try:
        driver.execute(sql)
    except sqlite3.Error as error:
        raise as_told_by_sqlalchemy(error, sql) from error
