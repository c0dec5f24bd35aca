"""Which database errors mean *wait and send the same thing again*, told without their parameters.

Driver messages may quote stored values; only the kind of the error crosses into ours.
"""

import sqlite3

from sqlalchemy import exc

from triage.domain.errors import StoreUnavailable, TriageError

_COLLISIONS = {
    "40001": "serialization failure",
    "40P01": "deadlock",
    "55P03": "lock not available in time",
    "57014": "statement took too long",
}
_NOT_OURS = ("42P01", "42703")  # undefined table, undefined column
_SQLITE_COLLISIONS = ("locked", "busy")
_SQLITE_FAULTS = ("unable to open", "disk", "readonly", "read-only", "i/o", "full", "interrupted")


class StoreBusy(StoreUnavailable):
    """Another transaction was in the way; nothing was stored. Do the whole transaction again."""


class RepeatedKey(TriageError):
    """The caller handed over rows that break the table's own key: a fault in the program."""


def translated(error: Exception) -> StoreUnavailable | None:
    """The error as StoreBusy or StoreUnavailable; None when it is a fault of the program."""
    if isinstance(error, exc.TimeoutError):
        return StoreBusy("no free database connection", hint="more connections, or less load")
    if not isinstance(error, exc.DBAPIError):
        return None
    state = getattr(error.orig, "sqlstate", None)
    if state in _COLLISIONS:
        return StoreBusy(_COLLISIONS[state], hint="the transaction is to be done again")
    if state in _NOT_OURS or "no such table" in str(error.orig):
        return StoreUnavailable(
            "the database has not the schema of this program", hint="run `triage migrate`"
        )
    if error.connection_invalidated or _is_outage(error, state):
        kind = type(error.orig).__name__ + (f" {state}" if state else "")
        return StoreUnavailable(f"the database cannot take or give anything now: {kind}")
    return _sqlite_failure(str(error.orig)) if state is None else None


def as_told_by_sqlalchemy(error: sqlite3.Error, sql: str) -> BaseException:
    """What SQLAlchemy would have raised, for a statement that went past it; no parameters in it."""
    return exc.DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True)


def is_unique_violation(error: exc.IntegrityError) -> bool:
    """A row with this key is there already (and no other constraint)."""
    state = getattr(error.orig, "sqlstate", None)
    return state == "23505" or "UNIQUE constraint failed" in str(error.orig)


def _is_outage(error: exc.DBAPIError, state: str | None) -> bool:
    """PostgreSQL's classes 08 connection, 53 resources, 57P shut-down, 58 system; no state at all
    is a connection that could not be made or was cut."""
    if not isinstance(error, exc.OperationalError | exc.InterfaceError | exc.InternalError):
        return False
    if state is None:
        return type(error.orig).__module__.startswith("psycopg")
    return state.startswith(("08", "53", "57P", "58", "25006", "XX"))


def _sqlite_failure(message: str) -> StoreUnavailable | None:
    words = message.lower()
    if any(word in words for word in _SQLITE_COLLISIONS):
        return StoreBusy("another process is writing to the database file")
    if any(word in words for word in _SQLITE_FAULTS):
        return StoreUnavailable(
            "the database file cannot be read or written",
            hint="check its folder: free space, permissions",
        )
    return None
