"""A hospital that is not heard of for longer than is usual for it: its interface may have died.

Every source has its own measure, from its own history: `docs/decisions/0008-silent-sources.md`.
"""

import itertools
import logging
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from triage.domain.instants import format_instant
from triage.handle import Desk
from triage.metrics.instruments import Instruments
from triage.store.store import Store
from triage.workflow.house_notice import house_orders

EVERY_SECONDS = 60.0
NOTICE = "silent_source"
HISTORY = timedelta(days=28)
LEAST_HISTORY = timedelta(days=7)
LEAST_EVENTS = 10
FACTOR = 1.5
FLOOR = timedelta(hours=2)
_REMEMBERED = 2_000  # receipts of one source: more than 28 days of a busy hospital's referrals
_FIRST_LOOK = 50_000  # journal rows
_ROLE = "coordinator"
_LOG = logging.getLogger(__name__)


def patience(receipts: Iterable[datetime], now: datetime) -> timedelta | None:
    """How long a source may be silent; None while too little is known of it.

    1.5 times the second longest gap of the last 28 days, at least two hours. The second longest,
    so that one outage does not make us deaf to the next; weekends come four times in that span.
    """
    known = sorted(at for at in receipts if now - at <= HISTORY)
    if len(known) < LEAST_EVENTS or known[-1] - known[0] < LEAST_HISTORY:
        return None
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(known))
    return max(gaps[-2] * FACTOR, FLOOR)


@dataclass(slots=True)
class Silence:
    """Synchronous; any number of processes: one silence is one page, whoever finds it."""

    store: Store
    desk: Desk
    instruments: Instruments
    _receipts: dict[str, deque[datetime]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_REMEMBERED))
    )
    _read_to: int | None = None

    def turn(self, now: datetime) -> int:
        """Order what is owed for silent sources; returns how many pages are new."""
        registered = self._read()
        silent = dict(self._silent(registered, now))
        last = {s: self._receipts[s][-1] for s in registered if self._receipts.get(s)}
        self.instruments.sources(last, silent)
        orders = [
            order
            for source, usual in silent.items()
            for order in house_orders(
                notice=NOTICE,
                about=(source, format_instant(last[source])),
                why=(
                    f"nothing heard of {source} since {format_instant(last[source])},"
                    f" longer than the usual {_words(usual)}"
                ),
                asked="telephone its ward: are referrals leaving their system?",
                role=_ROLE,
                site=self.desk.roster.default_site,
                roster=self.desk.roster,
                policy=self.desk.books.current.version,
                now=now,
            )
        ]
        if not orders:
            return 0
        with self.store.begin() as tx:
            new = tx.order_pages(orders, now)
            if new:
                tx.notify("page")
        if new:
            _LOG.warning("silence.told: %d source(s)", len(silent))
        return len(new)

    def _read(self) -> frozenset[str]:
        """Receipts since the last look; at the first, those of the newest journal rows."""
        with self.store.read() as reader:
            end = reader.journal_end()
            after = self._read_to if self._read_to is not None else end - _FIRST_LOOK
            for source, at in reader.receipts_after(after):
                self._receipts[source].append(at)
            registered = reader.sources()
        self._read_to = end
        return frozenset(each for each in registered if each not in self.desk.roster.sites)

    def _silent(self, registered: Iterable[str], now: datetime) -> Iterable[tuple[str, timedelta]]:
        for source in sorted(registered):
            receipts = self._receipts.get(source)
            usual = patience(receipts, now) if receipts else None
            if receipts and usual is not None and now - receipts[-1] > usual:
                yield source, usual


def _words(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.0f} h" if hours >= 10 else f"{hours:.1f} h"
