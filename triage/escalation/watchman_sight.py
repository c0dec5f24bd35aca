"""What the watchman sees of the database: stamps of loops, and EMERGENT cases that nobody heard of.

Driver and standard library only: a fault in the store of the service must not blind it. The login
needs four tables, of two of them a few columns, and none that holds a patient's data.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote, unquote

import psycopg

from triage.domain.errors import TriageError

LOOK_SECONDS = 10.0
_CONNECT_SECONDS = 4
_STATEMENT_MILLISECONDS = 5000
_LOCK_WAIT_SECONDS = 2.0
_HUNG_AT_MOST = 5

_PROGRESS = "SELECT loop, at FROM loop_progress"
# Waiting for a named person, and an EMERGENT page that was ordered and that no provider has taken
# since: neither it nor a later one. What shows at the desk only is no provider's.
_UNHEARD = """
SELECT c.case_id, c.unacknowledged_since,
  (SELECT count(*) FROM page p WHERE p.case_id = c.case_id AND p.is_emergent
     AND p.status = 'accepted' AND p.settled_at >= c.unacknowledged_since),
  (SELECT min(p.ordered_at) FROM page p WHERE p.case_id = c.case_id AND p.is_emergent
     AND p.status NOT IN ('accepted', 'suppressed') AND p.withdrawn IS NULL
     AND NOT EXISTS (SELECT 1 FROM page a WHERE a.case_id = p.case_id AND a.is_emergent
       AND a.status = 'accepted' AND a.settled_at >= p.ordered_at))
FROM cases c
WHERE c.is_emergent AND c.state NOT IN ('unopened', 'closed')
  AND c.unacknowledged_since IS NOT NULL AND (c.lead_case_id IS NULL OR c.lead_case_id = c.case_id)
"""
_STAMP = (
    "INSERT INTO loop_progress (loop, at) VALUES ({mark}, {mark})"
    " ON CONFLICT (loop) DO UPDATE SET at = excluded.at"
)


@dataclass(frozen=True, slots=True)
class Unheard:
    """An EMERGENT case without an owner whose page no provider has taken. `since`: when that page
    was ordered; without any page, since when the case has been waiting (`has_page` False)."""

    case: str
    since: datetime
    has_page: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """One look. `progress`: when each loop last finished a turn, by that loop's own clock."""

    progress: dict[str, datetime]
    unheard: tuple[Unheard, ...]


@dataclass(frozen=True, slots=True)
class Away:
    """The database did not answer; `reason` names the kind of failure, never an address."""

    reason: str


class Eyes(Protocol):
    """A database that can be looked at, and in which the watchman leaves its own stamp."""

    def look(self) -> Sight:
        """Raises what the driver raises."""
        ...

    def stamp(self, loop: str, at: datetime) -> None:
        """Raises what the driver raises."""
        ...


def eyes_of(url: str) -> Eyes:
    """The eyes for a SQLAlchemy URL of PostgreSQL or of a SQLite file; TriageError for another."""
    scheme, _, rest = url.partition("://")
    name = scheme.partition("+")[0]
    if name in ("postgresql", "postgres"):
        return PostgresEyes(f"postgresql://{rest}")
    if name == "sqlite" and rest.startswith("/") and rest not in ("/", "/:memory:"):
        return SqliteEyes(unquote(rest[1:]))
    raise TriageError(
        f"TRIAGE_WATCH_DATABASE_URL: {name}", hint="a URL of PostgreSQL or of a SQLite file"
    )


@dataclass(frozen=True, slots=True)
class PostgresEyes:
    """A connection of its own for each look: one that hangs spoils no later one."""

    url: str

    def look(self) -> Sight:
        """Both questions in one read-only transaction."""
        with self._connected() as connection:
            connection.read_only = True
            progress = dict(connection.execute(_PROGRESS).fetchall())
            rows = connection.execute(_UNHEARD).fetchall()
        return Sight(progress, _unheard(rows))

    def stamp(self, loop: str, at: datetime) -> None:
        """Leave the watchman's own stamp."""
        with self._connected() as connection:
            connection.execute(_STAMP.format(mark="%s"), (loop, at))

    def _connected(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            self.url,
            connect_timeout=_CONNECT_SECONDS,
            tcp_user_timeout=1000 * _CONNECT_SECONDS,
            application_name="triage watch",
            options=f"-c statement_timeout={_STATEMENT_MILLISECONDS}"
            f" -c lock_timeout={_STATEMENT_MILLISECONDS}",
        )


@dataclass(frozen=True, slots=True)
class SqliteEyes:
    """The file, opened for each look and only to read; for the stamp it is opened to write."""

    path: str

    def look(self) -> Sight:
        """Both questions."""
        with closing(self._opened("ro")) as connection:
            stamps = connection.execute(_PROGRESS).fetchall()
            rows = connection.execute(_UNHEARD).fetchall()
        return Sight(
            {loop: _read(at) for loop, at in stamps},
            _unheard(
                (case, _read(since), pages, at and _read(at)) for case, since, pages, at in rows
            ),
        )

    def stamp(self, loop: str, at: datetime) -> None:
        """Leave the watchman's own stamp."""
        text = at.astimezone(UTC).isoformat(timespec="microseconds")
        with closing(self._opened("rw")) as connection, connection:
            connection.execute(_STAMP.format(mark="?"), (loop, text))

    def _opened(self, mode: str) -> sqlite3.Connection:
        address = f"file:{quote(self.path)}?mode={mode}"
        return sqlite3.connect(address, uri=True, timeout=_LOCK_WAIT_SECONDS)


@dataclass(slots=True)
class Patience:
    """Looks in a thread, since a database that is frozen answers neither yes nor no.

    `hung` threads are left behind; with five of them no more are made.
    """

    eyes: Eyes
    limit_seconds: float = LOOK_SECONDS
    hung: int = 0

    def look(self) -> Sight | Away:
        """What there is to see, or why not; within the limit. Raises nothing."""
        found = self._within_limit(self.eyes.look)
        return found if isinstance(found, Sight | Away) else Away("no answer")

    def stamp(self, loop: str, at: datetime) -> Away | None:
        """None when the stamp is there."""
        found = self._within_limit(lambda: self.eyes.stamp(loop, at))
        return found if isinstance(found, Away) else None

    def _within_limit(self, work: Callable[[], Any]) -> Any:
        if self.hung >= _HUNG_AT_MOST:
            return Away("hangs")
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=lambda: self._work(work, answers), daemon=True).start()
        self.hung += 1
        try:
            return answers.get(timeout=self.limit_seconds)
        except queue.Empty:
            return Away(f"no answer within {self.limit_seconds:g} s")

    def _work(self, work: Callable[[], Any], answers: "queue.SimpleQueue[Any]") -> None:
        try:
            found = work()
        except Exception as error:  # whatever it is, it is the thing to alarm about
            state = getattr(error, "sqlstate", None)
            found = Away(type(error).__name__ + (f" {state}" if state else ""))
        self.hung -= 1
        answers.put(found)


def _unheard(rows: Any) -> tuple[Unheard, ...]:
    found = []
    for case, since, accepted, waiting_since in rows:
        if waiting_since is not None:
            found.append(Unheard(case, waiting_since, has_page=True))
        elif not accepted:
            found.append(Unheard(case, since, has_page=False))
    return tuple(found)


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)
