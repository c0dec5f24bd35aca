"""What the database keeps of the roster: changes at the desk, feeds, test pages of routes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from triage.domain.roster.changes import ChangeKind, RosterChange
from triage.store.bulk import bulk_insert, overwrite
from triage.store.records import FeedCopy, RouteTest
from triage.store.roster_rows import RosterChangeRow, RosterFeedRow, RouteTestRow
from triage.store.rows import table_of
from triage.store.session import Session

CHANGES = bulk_insert(RosterChangeRow)
FEEDS = bulk_insert(RosterFeedRow, conflict=overwrite(RosterFeedRow))
TESTS = bulk_insert(RouteTestRow, conflict="ON CONFLICT (page) DO NOTHING")

_CHANGE = table_of(RosterChangeRow)
_FEED = table_of(RosterFeedRow)
_TEST = table_of(RouteTestRow)


class RosterReads(Session):
    """Changes, feeds and test pages, read."""

    def roster_changes(self) -> list[RosterChange]:
        """Every change at the desk in the order in which they were made, revocations too."""
        chosen = select(_CHANGE).order_by(_CHANGE.c.made_at, _CHANGE.c.id)
        found = [row._mapping for row in self._connection.execute(chosen)]
        return [RosterChange(**{**row, "kind": ChangeKind(row["kind"])}) for row in found]

    def feed_copies(self) -> dict[str, FeedCopy]:
        """The last good copy of each feed that was ever looked at, by its name."""
        found = self._connection.execute(select(_FEED))
        return {row.feed: FeedCopy(**row._mapping) for row in found}

    def route_tests(self, since: datetime) -> list[RouteTest]:
        """Test pages ordered at or after an instant, oldest first."""
        c = _TEST.c
        chosen = select(_TEST).where(c.ordered_at >= since).order_by(c.ordered_at, c.page)
        return [RouteTest(**row._mapping) for row in self._connection.execute(chosen)]

    def route_test(self, page: str) -> RouteTest | None:
        """One test page, or None."""
        row = self._connection.execute(select(_TEST).where(_TEST.c.page == page)).one_or_none()
        return RouteTest(**row._mapping) if row else None


class RosterWrites(RosterReads):
    """Changes, feeds and test pages, written."""

    def add_roster_changes(self, changes: Sequence[RosterChange]) -> None:
        """Keep changes for good; an id that is there already is refused (IntegrityError)."""
        self._write(CHANGES, changes)

    def keep_feed(self, copy: FeedCopy) -> None:
        """What is known of a feed now."""
        self._write(FEEDS, [copy])

    def add_route_tests(self, tests: Sequence[RouteTest]) -> None:
        """Test pages that were ordered; one that is there stays as it is."""
        self._write(TESTS, tests)

    def confirm_route(self, page: str, by: str, at: datetime) -> bool:
        """Somebody has had this test page; False when it is unknown or was confirmed before."""
        c = _TEST.c
        change = update(_TEST).where(c.page == page, c.confirmed_at.is_(None))
        done = self._connection.execute(change.values(confirmed_at=at, confirmed_by=by))
        return done.rowcount == 1
