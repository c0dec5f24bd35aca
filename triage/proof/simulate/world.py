"""What the simulated processes share: time, database, bus, providers, and who watches them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from triage.domain.roster_file.reading import read_roster
from triage.handle import Desk
from triage.proof.people_and_places import hospitals
from triage.proof.simulate.bus import Bus
from triage.proof.simulate.crash_points import CrashPoints
from triage.proof.simulate.patience import Patience
from triage.proof.simulate.phones import Arrival, Phones
from triage.proof.simulate.story import OutageKind, Story, away
from triage.proof.simulate.strays import overtaken, stray
from triage.proof.simulate.trace import Trace
from triage.proof.simulate.verdict import Down, Violation
from triage.proof.simulate.virtual_time import VirtualClock, VirtualLoop
from triage.proof.simulate.watched_store import fresh_engine, raw_connection
from triage.recording.ledger import PolicyBooks
from triage.store.column_types import read_sqlite_instant
from triage.store.records import Token
from triage.store.store import Store

HOSPITALS = 40
# When a case is due next, when a page may be claimed next, whether quarantine waits for a human.
_NEXT = (
    "SELECT"
    " (SELECT min(next_due_at) FROM cases WHERE is_emergent = 1 AND next_due_at IS NOT NULL),"
    " (SELECT min(next_due_at) FROM cases WHERE is_emergent = 0 AND next_due_at IS NOT NULL),"
    " (SELECT min(ready_at) FROM page WHERE is_emergent = 1 AND ready_at IS NOT NULL),"
    " (SELECT min(ready_at) FROM page WHERE is_emergent = 0 AND ready_at IS NOT NULL),"
    " EXISTS (SELECT 1 FROM quarantine WHERE status = 'unread')"
)
_QUIET = (
    "SELECT case_id FROM cases WHERE state = 'closed' OR owner IS NOT NULL"
    " AND unacknowledged_since IS NULL"
)


class _Awaited(NamedTuple):
    """What the store has for those who wait."""

    due: datetime | None
    ready: datetime | None
    is_unread: bool


@dataclass(slots=True)
class Notes:
    """What the watcher wrote down: since when each case is quiet (closed, or owned by somebody),
    pages that rang against that, with the invariant, and when nothing could be done."""

    quiet_since: dict[str, datetime] = field(default_factory=dict)
    strays: list[tuple[int, str]] = field(default_factory=list)
    down: list[Down] = field(default_factory=list)


class World:
    """One run's surroundings. `watches` False leaves out what only the checker needs; the store is
    in memory, or in `file`."""

    def __init__(
        self,
        story: Story,
        loop: VirtualLoop,
        books: PolicyBooks,
        *,
        watches: bool = True,
        file: Path | None = None,
    ) -> None:
        self.story, self.loop, self.watches = story, loop, watches
        self.clock = VirtualClock(story.start, loop)
        self.roster = read_roster(story.roster)
        self.desk = Desk(books, self.roster, publishes=watches)
        self.engine = fresh_engine(file)
        self.raw = raw_connection(self.engine)
        self._is_memory, self._written = file is None, 0
        self._known: _Awaited | None = None
        self.bus = Bus(story.partitions)
        self.points = CrashPoints(frozenset(story.crashes))
        self.trace, self.notes = Trace(), Notes()
        self.faults_ended = False
        self.gave_up: Violation | None = None
        self._given_up = loop.create_future()
        self._patience = Patience(story, self.give_up)
        self._waiting: dict[asyncio.Future[None], None] = {}  # in order, which a set has not
        self.on_arrival: Callable[[Arrival], None] = lambda _: None
        self.phones = Phones(
            story.seed,
            story.temper,
            self.clock.now,
            lambda: self.is_away("provider"),
            self._asked,
            self._rings,
        )
        self.outside = Store(self.engine)  # for people who do not die
        self._register_hospitals()

    def is_away(self, kind: OutageKind) -> bool:
        """Whether an outage of the story is under way."""
        if self.faults_ended:
            return False
        return away(self.story.outages, kind, self.clock.now() - self.story.start)

    def say(self, text: str) -> None:
        """One line of the trace."""
        self.trace.say(self.loop.time(), text)

    def give_up(self, why: Violation) -> None:
        """This run will not come to rest: it ends here, and is red."""
        self.gave_up = self.gave_up or why
        if not self._given_up.done():
            self._given_up.set_result(None)

    async def passes(self, seconds: float) -> None:
        """Wait so long, or until the run is given up."""
        await asyncio.wait([self._given_up], timeout=seconds)

    def committed(self, role: str) -> None:
        """A transaction has been committed: whoever waits looks again."""
        self.say(f"commit {role}")
        if self.watches:
            self._note(role)
        self.poke()

    def poke(self) -> None:
        """Something may have changed."""
        for waiting in list(self._waiting):
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def changes(self, at: datetime | None) -> None:
        """Return at the next change, at the latest at an instant (None: only then)."""
        waiting: asyncio.Future[None] = self.loop.create_future()
        self._waiting[waiting] = None
        timer = None
        if at is not None:
            timer = self.loop.call_later(self.clock.until(at), _settle, waiting)
        try:
            await waiting
        finally:
            self._waiting.pop(waiting, None)
            if timer is not None:
                timer.cancel()

    def next_due(self) -> datetime | None:
        """When a case is due next."""
        return self._awaited().due

    def next_ready(self) -> datetime | None:
        """When a page may be claimed next; the end of the lease for one that is held."""
        return self._awaited().ready

    def has_unread(self) -> bool:
        """Whether quarantine waits for a human."""
        return self._awaited().is_unread

    def _awaited(self) -> "_Awaited":
        """Whoever waits asks at every change of anything: where all writes go through the one
        connection, the database is asked again once something was written."""
        written = self.raw.total_changes
        if self._known is None or not self._is_memory or written != self._written:
            *instants, is_unread = self.raw.execute(_NEXT).fetchone()
            self._known = _Awaited(_first(*instants[:2]), _first(*instants[2:]), bool(is_unread))
            self._written = written
        return self._known

    def _note(self, role: str) -> None:
        if role == "relay":
            self.notes.strays += overtaken(self.raw, self.clock.now())
        now, before = self.clock.now(), self.notes.quiet_since
        quiet = [case for (case,) in self.raw.execute(_QUIET).fetchall()]
        self.notes.quiet_since = {case: before.get(case, now) for case in quiet}

    def _asked(self, document: Mapping[str, Any]) -> None:
        self._patience.note(document["page"], document["case"])
        if self.watches:
            self.notes.strays += stray(self, document, self.clock.now())

    def _rings(self, arrival: Arrival) -> None:
        document = arrival.document
        self.say(f"phone {document['page']} {document['route']} {document['attempt']}")
        self.on_arrival(arrival)

    def _register_hospitals(self) -> None:
        """As a centre would: each hospital's system holds a token."""
        with self.outside.begin() as tx:
            for hospital in hospitals(HOSPITALS):
                name = hospital.source
                token = Token(id=name, hash=name, source=name, created_at=self.story.start)
                tx.add_token(token)


def _first(*texts: str | None) -> datetime | None:
    earliest = min((text for text in texts if text is not None), default=None)
    return None if earliest is None else read_sqlite_instant(earliest)


def _settle(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def loop_dice(story: Story) -> Random:
    """The dice that decide the order of what is ready at one moment."""
    return Random(f"{story.seed}\x1forder")
