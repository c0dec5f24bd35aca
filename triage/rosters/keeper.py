"""Keeps a desk's roster as it is now: the file may be edited, the database written, at any time."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from triage.domain.errors import TriageError
from triage.domain.roster.gaps import Gap, gap_words, gaps
from triage.domain.roster.roster import Roster
from triage.policies.roles import paged_roles
from triage.recording.ledger import Desk
from triage.rosters.sources import Kept, feed_states, load_roster, put_together, read_kept
from triage.rosters.testing import notices
from triage.store.store import Store

LOOK_SECONDS = 2.0
GAP_AHEAD = timedelta(hours=24)
_LOG = logging.getLogger(__name__)
_NOTICES_EVERY = timedelta(minutes=1)


class RosterKeeper:
    """Swaps `desk.roster` for a newer one, whole, whenever something of it has changed.

    A file that cannot be used keeps the roster that served before it, and alarms: `problem`.
    """

    def __init__(self, desk: Desk, store: Store, file: Path | None) -> None:
        self._desk, self._store, self._path = desk, store, file
        self._file = desk.roster
        self._kept = Kept()
        self._stamp = _stamp_of(file)
        self._noticed_at: datetime | None = None
        self.problem: str | None = None

    def look(self, now: datetime) -> None:
        """Have the desk's roster be what file and database say. Raises StoreUnavailable."""
        is_new = self._read_file()
        with self._store.read() as reader:
            kept = read_kept(reader, now)
        if is_new or kept != self._kept:
            self._kept = kept
            self._desk.roster = put_together(self._file, kept, now)
            self._noticed_at = None
        if self._noticed_at is None or not timedelta() <= now - self._noticed_at < _NOTICES_EVERY:
            self._noticed_at = now
            self._desk.notices = tuple(self._notices(now))

    def _read_file(self) -> bool:
        """Whether another roster file is in force now."""
        stamp = _stamp_of(self._path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self._noticed_at = None
        try:
            found = load_roster(self._path)
        except TriageError as error:
            self.problem = error.what
            _LOG.error("roster.refused: the roster before it serves on: %s", error.what)
            return False
        self.problem = None
        _LOG.info("roster.changed: version %s", found.version)
        self._file = found
        return True

    def _notices(self, now: datetime) -> list[str]:
        roster, roles = self._desk.roster, paged_roles(self._desk.books.current)
        told = [f"The roster: {gap_words(gap, roster)}." for gap in coming(roster, roles, now)]
        told += [
            f"The calendar feed {state.feed.name} is stale; its last good copy goes on."
            for state in feed_states(self._file, self._kept, now)
            if state.is_stale(now)
        ]
        told += notices(roster, self._kept.tests, now)
        if self.problem is not None:
            told.append("The roster file cannot be used; the roster before it serves on.")
        return told


def coming(roster: Roster, roles: tuple[str, ...], now: datetime) -> tuple[Gap, ...]:
    """The gaps of the next 24 hours."""
    return gaps(roster, roles, now=now, within=GAP_AHEAD)


def _stamp_of(file: Path | None) -> tuple[int, int, int] | None:
    """Tells one content of a file from another without reading it; None where it is not there."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
