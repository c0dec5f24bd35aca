"""Looks a day ahead in the roster and has gaps told before the shift, not after."""

import logging
from datetime import datetime, timedelta

from triage.domain.roster.gaps import seconds_without
from triage.handle import Desk
from triage.metrics.instruments import Instruments
from triage.policies.roles import paged_roles
from triage.rosters.keeper import GAP_AHEAD, coming
from triage.rosters.sources import feed_states, read_kept
from triage.rosters.testing import order_due_drills, order_notices
from triage.store.store import Store
from triage.workflow.roster_notice import gap_orders

LOOP = "roster"
_LOG = logging.getLogger(__name__)
EVERY_SECONDS = 60.0  # finding a gap changes nothing: pages have keys, so a look costs nothing


class RosterWatch:
    """Synchronous; any number of processes: a gap is one page, whoever finds it.

    Routes are tested before shifts, each at most once in `test_every` (zero: never).
    """

    def __init__(
        self,
        store: Store,
        desk: Desk,
        instruments: Instruments,
        *,
        secret: str = "",
        test_every: timedelta = timedelta(),
    ) -> None:
        self._store, self._desk, self._instruments = store, desk, instruments
        self._secret, self._test_every = secret, test_every

    def turn(self, now: datetime) -> int:
        """Order what is owed for the gaps of the next 24 hours and for test pages that nobody
        confirmed; returns how many pages are new."""
        roster, book = self._desk.roster, self._desk.books.current
        roles = paged_roles(book)
        found = coming(roster, roles, now)
        without = dict.fromkeys(roles, 0.0)
        for gap in found:
            without[gap.role] += seconds_without(gap, now=now, within=GAP_AHEAD)
        with self._store.read() as reader:
            kept = read_kept(reader, now)
        feeds = feed_states(roster, kept, now)
        stale = sum(state.is_stale(now) for state in feeds)
        self._instruments.roster(without, stale_feeds=stale)
        with self._store.begin() as tx:
            new = tx.order_pages(list(gap_orders(found, roster, book.version, now)), now)
            unconfirmed = order_notices(tx, kept.tests, roster, book.version, now)
            order_due_drills(tx, self._desk, secret=self._secret, every=self._test_every, now=now)
            tx.stamp(LOOP, now)
            if new or unconfirmed:
                tx.notify("page")
        for gap in found[: len(new)]:
            _LOG.warning("roster.gap: %s at %s from %s", gap.role, gap.site, gap.starts)
        for _ in unconfirmed:
            _LOG.warning("roster.route_unconfirmed")
        return len(new) + len(unconfirmed)
