"""The relay's way into the store: claims, and what came of them as events through `handle`."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson

from triage.domain.events import Sender, Side
from triage.domain.instants import Clock
from triage.domain.paging import Attempt, ClaimedPage, PageOrder
from triage.handle import Desk, Incoming, handle
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.metrics.instruments import Instruments
from triage.notify.receipts import SOURCE, receipt_message
from triage.store.store import Store

_DOOR = Door(name="relay", admits=Sender(side=Side.PROVIDER, source=SOURCE))


class StorePages:
    """Claims pages and settles them; each attempt also becomes a `page.receipt.v1` in the log."""

    def __init__(
        self, store: Store, desk: Desk, clock: Clock, instruments: Instruments, speed: float = 1.0
    ) -> None:
        self._store, self._desk, self._clock = store, desk, clock
        self._speed = speed  # of the clock: a lease is as long as a send may really take
        self._instruments = instruments
        self._claimed: dict[str, ClaimedPage] = {}

    def claim_pages(self, limit: int, lease_seconds: float) -> Sequence[ClaimedPage]:
        """Pages that are owed now, ours until the lease ends."""
        with self._store.begin() as tx:
            claimed = tx.claim_pages(self._clock.now(), limit, lease_seconds * self._speed)
        self._claimed |= {each.order.page: each for each in claimed}
        return claimed

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
            tx.stamp("relay", now)
        for attempt in results:
            self._count(attempt)

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
        if claimed is not None:
            waited = (attempt.at - claimed.order.owed_at).total_seconds()
            kind = claimed.order.route_kind
            self._instruments.page_attempt(kind, attempt.outcome, waited)
