"""`triage bench timers`: how late a step is ordered while very many cases are open.

Every case is opened by the production code (`handle`), with receipts chosen so that the wanted
number falls due in the wanted window. Lateness = the database's own commit time of the page order
minus the instant at which it was owed.
"""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from random import Random

import orjson
import psycopg

from triage.clock import SystemClock
from triage.desks import build_desk
from triage.domain.case_id import case_id
from triage.domain.events import Event, EventType, Sender, Side
from triage.domain.paging import short_tag
from triage.handle import Desk, Incoming, handle
from triage.proof import presentations
from triage.proof.bench_report import BenchReport, Figure, at_most, percentile, report
from triage.proof.bench_services import CannotBench, Services, role, services
from triage.proof.commit_rate import commit_rate
from triage.settings import Settings
from triage.store.store import Store, open_store

_DEMO_ROSTER = Path(__file__).with_name("demo_roster.toml")
_SOURCE = "hospital:RX1"
_PRESENTATION = "compressed, well"
_BATCH = 500
_START_SECONDS = 40  # to look over the tables and start the sweep before the first window
_BETWEEN = timedelta(seconds=20)
_SETTLED_SECONDS = 15
_COMMIT_SECONDS = 5
_LATENESS = """
    SELECT extract(epoch FROM min(pg_xact_commit_timestamp(xmin)) - min(owed_at))
    FROM page WHERE owed_at >= %s AND owed_at < %s GROUP BY case_id
"""
_DUE = "SELECT count(*) FROM cases WHERE next_due_at >= %s AND next_due_at < %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimersOptions:
    """`cases` = open cases in all, of which `due` fall due in each of the two windows."""

    database: str | None = None
    cases: int = 100_000
    due: int = 5_000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Window:
    """`due` cases fall due evenly in it; `goal_seconds` = what 99 % of them may be late."""

    name: str
    starts_at: datetime
    length: timedelta
    goal_seconds: float

    @property
    def ends_at(self) -> datetime:
        """Exclusive."""
        return self.starts_at + self.length


def bench_timers(options: TimersOptions) -> BenchReport:
    """Measures and reports. Raises CannotBench where it cannot run."""
    with services(None, options.database, needs_kafka=False) as under_test:
        if under_test.setting("track_commit_timestamp") != "on":
            raise CannotBench(
                "track_commit_timestamp: off in the given database",
                hint="set it to on and restart the server: lateness is read from commit times",
            )
        return _measure(options, under_test)


def _measure(options: TimersOptions, under_test: Services) -> BenchReport:
    commit = commit_rate(under_test.libpq, _COMMIT_SECONDS)
    rate = _open_beforehand(options, under_test)
    opener = CaseOpener.of(under_test, options.seed, first=options.cases)
    lead = timedelta(seconds=_START_SECONDS + 2 * 2 * options.due / rate)
    windows = _windows(options, SystemClock().now() + lead)
    for window in windows:
        opener.open_due_in(window, options.due)
    opener.store.dispose()
    _analyze(under_test)
    environment = under_test.environment(TRIAGE_ROSTER_FILE=str(_DEMO_ROSTER))
    with role(under_test, "escalate", environment) as child:
        child.wait_until_ready()
        _refuse_if_late(windows[0], under_test, options.due)
        until = windows[-1].ends_at + timedelta(seconds=_SETTLED_SECONDS)
        while SystemClock().now() < until:
            child.refuse_if_ended()
            time.sleep(0.5)
    figures = [f for window in windows for f in _figures(window, under_test, options.due)]
    return report(
        "timers",
        [*figures, commit],
        (
            f"{options.cases:,} open cases, opened through handle() at {rate:,.0f}/s a process",
            f"fsync {under_test.setting('fsync')}; one process of the role escalate, no bus",
            "lateness = commit time of the first page order by PostgreSQL's clock - owed instant",
        ),
    )


def _open_beforehand(options: TimersOptions, under_test: Services) -> float:
    """All cases but those of the windows, by a process for each core; cases a second of one."""
    number, workers = options.cases - 2 * options.due, os.cpu_count() or 1
    share = -(-number // workers)
    began = time.monotonic()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        shares = [
            pool.submit(
                _open_share, under_test, options.seed + first, first, min(share, number - first)
            )
            for first in range(0, number, share)
        ]
        for each in shares:
            each.result()
    return share / (time.monotonic() - began)


def _open_share(under_test: Services, seed: int, first: int, number: int) -> None:
    opener = CaseOpener.of(under_test, seed, first=first)
    opener.open_now(number)
    opener.store.dispose()


def _windows(options: TimersOptions, first: datetime) -> tuple[Window, ...]:
    many = options.cases > 100_000
    spread = Window("over 10 s", first, timedelta(seconds=10), 0.2 if many else 0.05)
    burst = Window("in one second", spread.ends_at + _BETWEEN, timedelta(seconds=1), 0.5)
    return spread, burst


def _refuse_if_late(window: Window, under_test: Services, due: int) -> None:
    """The windows must lie ahead and hold what they should, or the figures would mean nothing."""
    if SystemClock().now() >= window.starts_at:
        raise CannotBench("opening the cases took too long: the first window has begun")
    with psycopg.connect(under_test.libpq) as connection:
        row = connection.execute(_DUE, [window.starts_at, window.ends_at]).fetchone()
    if row is None or row[0] != due:
        raise CannotBench(f"{row and row[0]} cases fall due {window.name}, expected {due}")


def _figures(window: Window, under_test: Services, due: int) -> list[Figure]:
    with psycopg.connect(under_test.libpq) as connection:
        rows = connection.execute(_LATENESS, [window.starts_at, window.ends_at]).fetchall()
    late = [float(row[0]) * 1000 for row in rows]
    name, goal = f"{due:,} due {window.name}", window.goal_seconds * 1000
    missing = at_most(f"{name}: never ordered", due - len(late), "cases", 0, samples=due)
    if not late:
        return [missing]
    n = len(late)
    return [
        Figure(name=f"{name}: p50", value=percentile(late, 50), unit="ms", samples=n),
        at_most(f"{name}: p99", percentile(late, 99), "ms", goal, samples=n),
        Figure(name=f"{name}: longest", value=max(late), unit="ms", samples=n),
        missing,
    ]


@dataclass(slots=True)
class CaseOpener:
    """Opens invented URGENT cases through the production code; `numbers` name their referrals."""

    store: Store
    desk: Desk
    dice: Random
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @classmethod
    def of(cls, under_test: Services, seed: int, *, first: int) -> "CaseOpener":
        """On the database under test, counting from `first`."""
        store = open_store(under_test.database)
        settings = Settings(
            home=under_test.home, database_url=under_test.database, roster_file=_DEMO_ROSTER
        )
        return cls(store, build_desk(settings, store), Random(seed), count(first))

    def open_now(self, number: int) -> None:
        """Cases received now: nothing falls due for them while the benchmark runs."""
        left = iter(range(number))
        while batch := len(list(islice(left, _BATCH))):
            self._open([SystemClock().now()] * batch)

    def open_due_in(self, window: Window, number: int) -> None:
        """Cases received so long ago that their next step falls due evenly in the window."""
        wait = self._wait_of_next_step()
        step = window.length / number
        receipts = [window.starts_at + step * index - wait for index in range(number)]
        for start in range(0, number, _BATCH):
            self._open(receipts[start : start + _BATCH])

    def _open(self, receipts: Sequence[datetime]) -> None:
        incoming = [self._referral(at) for at in receipts]
        with self.store.begin() as tx:
            handle(tx, incoming, self.desk, now=max(receipts))

    def _wait_of_next_step(self) -> timedelta:
        """From receipt to the step after the first pages, as the policy book has it."""
        received_at = SystemClock().now()
        probe = self._referral(received_at)
        with self.store.begin() as tx:
            handle(tx, [probe], self.desk, now=received_at)
            row = tx.reads.case(probe.event.case)
        if row is None or row.next_due_at is None:
            raise CannotBench("an open case has no next step: is the policy book sound?")
        return row.next_due_at - received_at

    def _referral(self, received_at: datetime) -> Incoming:
        subject = f"bench-{next(self.numbers):07d}"
        referral = f"{_SOURCE}/{subject}"
        chosen = next(p for p in presentations.PRESENTATIONS if p.name == _PRESENTATION)
        data = {"findings": chosen.findings(self.dice, received_at)}
        event = Event(
            source=_SOURCE,
            id=subject,
            type=EventType.REFERRAL_SUBMITTED,
            referral=referral,
            case=case_id(referral),
            occurred_at=received_at,
            received_at=received_at,
            sender=Sender(side=Side.HOSPITAL, source=_SOURCE),
            data=data,
            content_hash=short_tag(subject),
        )
        return Incoming(event=event, raw=orjson.dumps(data), door="bench", origin=subject)


def _analyze(under_test: Services) -> None:
    """As autovacuum has done in a database that grew to this size over months."""
    with psycopg.connect(under_test.libpq, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
