"""`triage bench timers`: how late a step is ordered while very many cases are open.

Every case that falls due is opened by the production code (`handle`), with receipts chosen so that
the wanted number falls due in the wanted window; of the others some are, and the rest are copies.
Lateness = the database's own commit time of the page order minus the instant at which it was owed.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from triage.clock import SystemClock
from triage.proof.bench_report import BenchReport, Figure, at_most, percentile, report
from triage.proof.bench_services import CannotBench, Services, role, services
from triage.proof.case_opener import DEMO_ROSTER, CaseOpener, multiply_cases
from triage.proof.commit_rate import commit_rate

_TEMPLATES = 500
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
    opener = CaseOpener.of(under_test, options.seed, first=options.cases + 1)
    lead = timedelta(seconds=_START_SECONDS + 2 * 2 * options.due / rate)
    windows = _windows(options, SystemClock().now() + lead)
    for window in windows:
        opener.open_due_from(window.starts_at, window.length, options.due)
    opener.store.dispose()
    _analyze(under_test)
    environment = under_test.environment(TRIAGE_ROSTER_FILE=str(DEMO_ROSTER))
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
            f"{options.cases:,} open cases: {_TEMPLATES:,}, and those that fall due, were opened"
            f" through handle() at {rate:,.0f}/s, the rest are copies of them",
            f"fsync {under_test.setting('fsync')}; one process of the role escalate, no bus",
            "lateness = commit time of the first page order by PostgreSQL's clock - owed instant",
        ),
    )


def _open_beforehand(options: TimersOptions, under_test: Services) -> float:
    """All cases but those of the windows: some opened, the rest multiplied; cases opened a second.

    They are numbered from 1 on.
    """
    number = options.cases - 2 * options.due
    opener = CaseOpener.of(under_test, options.seed, first=1)
    began = time.monotonic()
    opened = opener.open_now(min(number, _TEMPLATES))
    rate = len(opened) / (time.monotonic() - began)
    opener.store.dispose()
    multiply_cases(under_test, opened, 1 + len(opened), number - len(opened))
    return rate


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


def _analyze(under_test: Services) -> None:
    """As autovacuum has done in a database that grew to this size over months."""
    with psycopg.connect(under_test.libpq, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
