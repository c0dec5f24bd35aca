"""The whole house on SQLite in memory: events in, time on, and what people were sent.

The sweep runs at every instant at which a case is due, and a relay that always succeeds sends what
was ordered, so each page is seen at its own instant. Its receipts come back into the case's log.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from triage.domain.events import CaseId, Event, Sender, Side, read_event
from triage.domain.paging import Attempt, ClaimedPage, PageOrder
from triage.domain.roster.roster import Roster
from triage.domain.roster_file.reading import read_roster
from triage.handle import Desk, Incoming, Outcome, handle, sweep_cases
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.notify.receipts import SOURCE, receipt_message
from triage.notify.resolve import resolve_order
from triage.policies.book import PolicyBook
from triage.policies.load import load_policy_book
from triage.policies.shipped import shipped_texts
from triage.recording.foreseeing import foresee, still_true
from triage.store.records import CaseRow
from triage.store.store import open_store

BOOK: PolicyBook = load_policy_book(shipped_texts())
ROSTER_TEXT = (Path(__file__).parent / "roster.toml").read_text()
ROSTER: Roster = read_roster(ROSTER_TEXT)
_MOST_AT_ONCE = 50  # pages about one case at one instant; everybody by every route is below that
_RELAY = Door(name="relay", admits=Sender(side=Side.PROVIDER, source=SOURCE))


class OneBook:
    """The shipped book, for every case."""

    current = BOOK

    def pinned(self, version: str) -> PolicyBook:
        return BOOK


@dataclass(frozen=True, slots=True)
class Sent:
    """A page as it went out."""

    at: datetime
    order: PageOrder


class House:
    """One service with its database; `sent` holds every page that went out, in order.

    `looks_ahead`: what is due is worked out before its instant comes, as before a burst.
    """

    def __init__(
        self, roster: Roster = ROSTER, *, is_relay_up: bool = True, looks_ahead: bool = False
    ) -> None:
        self.looks_ahead = looks_ahead
        self.desk = Desk(OneBook(), roster)
        self.is_relay_up = is_relay_up
        self.store = open_store("sqlite://")
        self.sent: list[Sent] = []

    def receive(self, events: Sequence[Event], now: datetime) -> list[Outcome]:
        """One batch through the bridge, its pages sent."""
        incoming = [Incoming(event=e, raw=b"{}", door="test", origin="here") for e in events]
        with self.store.begin() as tx:
            outcomes = handle(tx, incoming, self.desk, now=now)
        self._send(now)
        return outcomes

    def pass_time(self, to: datetime) -> None:
        """Sweep at every instant at which something is due, up to and including `to`."""
        due = self.next_due()
        while due is not None and due <= to:
            self.sweep(due)
            later = self.next_due()
            assert later is None or later > due, f"the sweep hangs at {due}"
            due = later

    def sweep(self, now: datetime) -> None:
        """One turn of the sweep."""
        with self.store.begin() as tx:
            due = tx.claim_due(now, 1000)
            known = foresee(tx, list(due), self.desk) if self.looks_ahead else {}
            ready = still_true(known, due, self.desk, now)
            sweep_cases(tx, list(due), self.desk, now=now, ready=ready)
        self._send(now)

    def next_due(self) -> datetime | None:
        """The earliest instant at which any case is due."""
        return min((row.next_due_at for row in self.rows() if row.next_due_at), default=None)

    def evaluate(self, case: CaseId, now: datetime) -> int:
        """Tell one case what time it is, due or not; how many pages that ordered."""
        with self.store.begin() as tx:
            ordered = sweep_cases(tx, [case], self.desk, now=now)
        self._send(now)
        return ordered

    def _send(self, now: datetime) -> None:
        if self.is_relay_up:
            self.relay(now)

    def relay(self, now: datetime) -> None:
        """Send what is owed and not withdrawn; nothing ever fails."""
        with self.store.begin() as tx:
            claimed = tx.claim_pages(now, 1000, 60)
            told = Counter(page.order.case for page in claimed if page.suppress is None)
            assert max(told.values(), default=0) <= _MOST_AT_ONCE, f"a storm of pages at {now}"
            going = [page.order for page in claimed if page.suppress is None]
            self.sent += [Sent(now, resolve_order(e, self.desk.roster, now)) for e in going]
            done = [_attempt(page, now) for page in claimed]
            tx.finish_attempts(done)
            handle(tx, list(_receipts(done, now)), self.desk, now=now)

    def rows(self) -> list[CaseRow]:
        """Every case row, also of cases that nothing has opened yet."""
        with self.store.read() as reader:
            return reader.cases()

    def document(self, case: CaseId) -> dict[str, Any] | None:
        """The case as people see it; None when there is none."""
        with self.store.read() as reader:
            row = reader.case(case)
        return orjson.loads(row.document) if row else None

    def folded_at(self, case: CaseId) -> datetime:
        """The instant at which the stored case was true."""
        with self.store.read() as reader:
            row = reader.case(case)
        assert row is not None
        return row.folded_at

    @staticmethod
    def as_stored(document: dict[str, Any]) -> dict[str, Any]:
        """A document as it comes back from its stored text."""
        return dict(orjson.loads(orjson.dumps(document)))

    def log(self, case: CaseId) -> Iterable[Event]:
        """The case's log as stored."""
        with self.store.read() as reader:
            return [read_event(orjson.loads(row.document)) for row in reader.log(case)]


def _attempt(page: ClaimedPage, at: datetime) -> Attempt:
    return Attempt(
        page=page.order.page,
        route=page.order.route,
        attempt=page.attempt,
        outcome="suppressed" if page.suppress else "accepted",
        provider_word=page.suppress,
        at=at,
    )


def _receipts(done: Iterable[Attempt], now: datetime) -> Iterator[Incoming]:
    for message in filter(None, map(receipt_message, done)):
        raw = orjson.dumps(message)
        read = decode(raw, headers={}, door=_RELAY, received_at=now, sent_at=None, origin="relay")
        yield from (each for each in read if isinstance(each, Incoming))
