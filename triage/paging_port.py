"""The relay's way into the store: claims, and what came of them as events through `handle`."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import orjson

from triage.domain.backlog import hold
from triage.domain.canary import ROUTE as CANARY_ROUTE
from triage.domain.events import Sender, Side
from triage.domain.instants import Clock
from triage.domain.paging import Attempt, ClaimedPage, PageOrder
from triage.handle import Desk, Incoming, handle
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.metrics.instruments import Instruments
from triage.notify.delivery import LINKED_KINDS
from triage.notify.receipts import SOURCE, receipt_message
from triage.notify.resolve import resolve_order
from triage.store.reaching import Link, link_hash
from triage.store.store import Store
from triage.store.transaction import Transaction

LOOP = "relay"
_STAMP = timedelta(seconds=5)  # how often an idle relay says that it turns
_DOOR = Door(name="relay", admits=Sender(side=Side.PROVIDER, source=SOURCE))


_TOKEN_BYTES = 32
_LINK_LASTS = timedelta(hours=12)  # a shift


class StorePages:
    """Claims pages and settles them; each attempt also becomes a `page.receipt.v1` in the log."""

    def __init__(
        self, store: Store, desk: Desk, clock: Clock, instruments: Instruments, speed: float = 1.0
    ) -> None:
        self._store, self._desk, self._clock = store, desk, clock
        self._speed = speed  # of the clock: a lease is as long as a send may really take
        self._instruments = instruments
        self._claimed: dict[str, ClaimedPage] = {}
        self._stamped_at: datetime | None = None

    def claim_pages(self, limit: int, lease_seconds: float) -> Sequence[ClaimedPage]:
        """Pages that are owed now and wait for no backlog, ours until the lease ends."""
        now = self._clock.now()
        with self._store.begin() as tx:
            waiting = hold(tx.backlog_since(now), now)
            claimed = tx.claim_pages(now, limit, lease_seconds * self._speed, waiting)
            claimed = self._linked(claimed, now)
            tx.add_links([_link(each, now) for each in claimed if each.link])
            self._stamp(tx, now)
        self._claimed |= {each.order.page: each for each in claimed}
        return claimed

    def _stamp(self, tx: Transaction, now: datetime) -> None:
        """Also when no page is owed: a relay that stands still must be seen before one is."""
        is_fresh = self._stamped_at is not None and timedelta() <= now - self._stamped_at < _STAMP
        if not is_fresh:
            tx.stamp(LOOP, now)
            self._stamped_at = now

    def _linked(self, claimed: Sequence[ClaimedPage], now: datetime) -> list[ClaimedPage]:
        """Each page for people to read gets a link of its own, for the person of this moment."""
        return [
            replace(each, link=secrets.token_urlsafe(_TOKEN_BYTES), link_for=whom)
            if each.suppress is None and (whom := self._reader_of(each.order, now))
            else each
            for each in claimed
        ]

    def _reader_of(self, order: PageOrder, now: datetime) -> str | None:
        meant = resolve_order(order, self._desk.roster, now)
        return meant.person if meant.route_kind in LINKED_KINDS else None

    def answered_elsewhere(
        self, kinds: Sequence[str], since: datetime
    ) -> Sequence[tuple[PageOrder, str]]:
        """Pages by these kinds of route that nobody needs to answer any more, with their words."""
        with self._store.read() as reader:
            return reader.answered_elsewhere(kinds, since)

    def finish(self, results: Sequence[Attempt]) -> None:
        """Record attempts and their receipts, all or none."""
        now = self._clock.now()
        receipts = list(self._receipts(results))
        with self._store.begin() as tx:
            # Cases before pages, as everywhere: else we and a batch could wait for each other.
            tx.lock_cases({each.event.case for each in receipts})
            tx.finish_attempts(results)
            handle(tx, receipts, self._desk, now=now)
            tx.stamp(LOOP, now)
        for attempt in results:
            self._count(attempt)
            if attempt.outcome == "suppressed":
                self._instruments.page_suppressed(attempt.provider_word)

    def _receipts(self, results: Iterable[Attempt]) -> Iterable[Incoming]:
        for attempt in results:
            message = receipt_message(attempt)
            if message is None:
                continue
            decoded = decode(
                orjson.dumps(message),
                headers={},
                door=_DOOR,
                received_at=self._clock.now(),
                sent_at=None,
                origin=f"relay:{attempt.page}",
            )
            yield from (each for each in decoded if isinstance(each, Incoming))

    def _count(self, attempt: Attempt) -> None:
        claimed = self._claimed.pop(attempt.page, None)
        if claimed is not None and claimed.order.route_kind != CANARY_ROUTE:
            waited = (attempt.at - claimed.order.owed_at).total_seconds()
            kind = claimed.order.route_kind
            self._instruments.page_attempt(kind, attempt.outcome, waited)


def _link(claimed: ClaimedPage, now: datetime) -> Link:
    assert claimed.link is not None
    assert claimed.link_for is not None
    return Link(
        hash=link_hash(claimed.link),
        page=claimed.order.page,
        person=claimed.link_for,
        made_at=now,
        expires_at=now + _LINK_LASTS,
    )
