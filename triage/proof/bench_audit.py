"""`triage bench audit`: how soon a planted loss is found while very many cases are open.

The auditor runs as a process of its own, beside sweep, relay and live referrals. It is started on
the full store, and the losses are planted as soon as it has looked at every case once: while most
of them have never been folded.
"""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import psycopg
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, create_engine, text

from triage.clock import SystemClock
from triage.domain.case_id import case_id
from triage.domain.events import CaseId
from triage.domain.paging import Attempt
from triage.escalation.audit_basis import basis_of
from triage.metrics.instruments import Instruments
from triage.paging_port import StorePages
from triage.proof.bench_report import (
    BenchReport,
    Figure,
    at_least,
    at_most,
    percentile,
    report,
)
from triage.proof.bench_services import CannotBench, Child, Services, role, services
from triage.proof.case_opener import (
    DEMO_ROSTER,
    SOURCE,
    CaseOpener,
    multiply_cases,
    subject_of,
)
from triage.proof.losses import FAR, LOSSES, Loss
from triage.store.connection import store_url

_NOBODY_LISTENS = "127.0.0.1:1"  # records are owed to Kafka, and wait
_TEMPLATES = 500
_LOOK_SECONDS = 300
_SETTLE_SECONDS = 20
_FOUND_SECONDS = 60
_GOAL_SECONDS = 30.0
_LIVE_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOptions:
    """`cases` = open cases. `database` None = one is started for the run."""

    database: str | None = None
    cases: int = 100_000
    seed: int = 1


@dataclass(slots=True)
class Planted:
    """A loss in a case; instants are monotonic seconds."""

    loss: Loss
    case: CaseId
    at: float
    found_at: float | None = None

    @property
    def seconds(self) -> float:
        """How long it took to be found; those that never were count as the whole wait."""
        return (self.found_at or self.at + _FOUND_SECONDS) - self.at


@dataclass(slots=True)
class _Run:
    """What was measured on the way."""

    look_seconds: float = 0.0
    folded: int = 0
    planted: list[Planted] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    live: int = 0


def bench_audit(options: AuditOptions) -> BenchReport:
    """Measures and reports. Raises CannotBench where it cannot run."""
    with services(_NOBODY_LISTENS, options.database, has_topics=False) as under_test:
        opener = CaseOpener.of(under_test, options.seed, first=1)
        _fill(options, under_test, opener)
        engine = create_engine(store_url(under_test.database))
        try:
            run = _measure(options, under_test, opener, engine)
        finally:
            engine.dispose()
            opener.store.dispose()
        notes = (
            f"{options.cases:,} open cases, {_TEMPLATES:,} of them opened through handle(), their"
            " pages sent; the rest copies of them under other ids, with chains of their own",
            f"roles audit, escalate, notify in one process each; {run.live:,} referrals meanwhile",
            f"planted when every case had been looked at once; {run.folded:,} had been folded",
            f"fsync {under_test.setting('fsync')}; slowest: {_slowest(run.planted)}",
            *(f"not planted: {count} of the kind {kind}" for kind, count in run.others.items()),
        )
        return report("audit", _figures(run), notes)


def _fill(options: AuditOptions, under_test: Services, opener: CaseOpener) -> None:
    opened = opener.open_now(min(_TEMPLATES, options.cases))
    _send(opener)
    multiply_cases(under_test, opened, 1 + len(opened), options.cases - len(opened))
    with opener.store.begin() as tx:  # neither program nor roster is new
        now = SystemClock().now()
        tx.basis_since(basis_of(opener.desk), now - timedelta(days=1))
    with psycopg.connect(under_test.libpq, autocommit=True) as connection:
        connection.execute("DELETE FROM outbox")  # published, and cleared away
        connection.execute("VACUUM ANALYZE")


def _send(opener: CaseOpener) -> None:
    """Every page of the opened cases is taken by its provider."""
    clock = SystemClock()
    pages = StorePages(opener.store, opener.desk, clock, Instruments(version="bench"))
    while claimed := pages.claim_pages(500, 60):
        pages.finish(
            [
                Attempt(
                    page=each.order.page,
                    route=each.order.route,
                    attempt=each.attempt,
                    outcome="accepted",
                    provider_word=None,
                    at=clock.now(),
                )
                for each in claimed
            ]
        )


def _measure(
    options: AuditOptions, under_test: Services, opener: CaseOpener, engine: Engine
) -> _Run:
    environment = under_test.environment(TRIAGE_ROSTER_FILE=str(DEMO_ROSTER))
    run = _Run()
    with ExitStack() as stack:
        for name in ("escalate", "notify"):
            stack.enter_context(role(under_test, name, environment)).wait_until_ready()
        live = stack.enter_context(_live(opener, options.cases))
        auditor = stack.enter_context(role(under_test, "audit", environment))
        auditor.wait_until_ready()
        began = time.monotonic()
        run.folded = _wait_for_look(auditor, options.cases)
        run.look_seconds = time.monotonic() - began
        _plant(engine, run.planted, live)
        _wait_for_findings(engine, run.planted, auditor)
        _wait(_SETTLE_SECONDS, auditor)
        run.live = len(live)
    run.others = _others(engine, [each.case for each in run.planted])
    return run


@contextmanager
def _live(opener: CaseOpener, cases: int) -> Iterator[list[CaseId]]:
    """A new referral five times a second, until the end; the list grows."""
    stop, opened = threading.Event(), list[CaseId]()
    opener.numbers = itertools.count(cases + 1)

    def send() -> None:
        while not stop.wait(_LIVE_SECONDS):
            opened.extend(case_id(f"{SOURCE}/{subject}") for subject in opener.open_now(1))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield opened
    finally:
        stop.set()
        thread.join()


def _wait_for_look(auditor: Child, cases: int) -> int:
    """Until every case has been looked at; how many of them had been folded by then."""
    deadline = time.monotonic() + _LOOK_SECONDS
    while time.monotonic() < deadline:
        auditor.refuse_if_ended()
        seen = _cases_by_state(auditor)
        if seen.get("seen", 0) >= cases:
            return seen.get("judged", 0)
        time.sleep(0.5)
    raise CannotBench(f"the auditor has not looked at {cases:,} cases in {_LOOK_SECONDS} s")


def _cases_by_state(auditor: Child) -> dict[str, int]:
    shown = httpx.get(f"http://127.0.0.1:{auditor.port}/metrics", timeout=10).text
    return {
        sample.labels["state"]: int(sample.value)
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
        if sample.name == "triage_audit_cases"
    }


def _plant(engine: Engine, planted: list[Planted], live: Sequence[CaseId]) -> None:
    """Every loss in a case of its own, three a second; what is owed to Kafka in a live one."""
    for number, loss in enumerate(LOSSES):
        owed = "outbox" in loss.sql[0]
        case = live[len(live) // 2] if owed else case_id(f"{SOURCE}/{subject_of(1 + number * 7)}")
        if _run(engine, loss, case) == 0:
            raise CannotBench(f"{loss.name}: there was nothing to lose")
        planted.append(Planted(loss, case, time.monotonic()))
        time.sleep(0.3)


def _run(engine: Engine, loss: Loss, case: CaseId) -> int:
    """As a fault or a stranger would, past every guard; how many rows it touched."""
    touched = 0
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in loss.sql:
            named = {"case": case, "far": FAR}
            used = {name: value for name, value in named.items() if f":{name}" in statement}
            touched += connection.execute(text(statement), used).rowcount
    return touched


def _wait_for_findings(engine: Engine, planted: Sequence[Planted], auditor: Child) -> None:
    deadline = time.monotonic() + _FOUND_SECONDS
    while time.monotonic() < deadline and any(each.found_at is None for each in planted):
        auditor.refuse_if_ended()
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT case_id, kind FROM audit_finding")).all()
        told, at = {(case, kind) for case, kind in rows}, time.monotonic()
        for each in planted:
            if each.found_at is None and any((each.case, kind) in told for kind in each.loss.kinds):
                each.found_at = at
        time.sleep(0.1)


def _wait(seconds: float, auditor: Child) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        auditor.refuse_if_ended()
        time.sleep(0.5)


def _others(engine: Engine, cases: Sequence[CaseId]) -> dict[str, int]:
    """Findings about anything that was not planted, by kind."""
    counted = text(
        "SELECT kind, count(*) FROM audit_finding"
        " WHERE case_id IS NULL OR case_id <> ALL(:cases) GROUP BY kind ORDER BY kind"
    )
    with engine.connect() as connection:
        found = connection.execute(counted, {"cases": list(cases)}).all()
    return {str(kind): int(count) for kind, count in found}


def _figures(run: _Run) -> list[Figure]:
    n = len(run.planted)
    seconds = [each.seconds for each in run.planted]
    found = sum(each.found_at is not None for each in run.planted)
    return [
        Figure(
            name="every case looked at, from the start", value=run.look_seconds, unit="s", samples=1
        ),
        at_least("planted losses found", found, "losses", n, samples=n),
        Figure(name="found after: p50", value=percentile(seconds, 50), unit="s", samples=n),
        at_most("found after: slowest", max(seconds), "s", _GOAL_SECONDS, samples=n),
        at_most("findings of nothing planted", sum(run.others.values()), "findings", 0, samples=1),
    ]


def _slowest(planted: Sequence[Planted]) -> str:
    last = sorted(planted, key=lambda each: each.seconds)[-3:]
    return ", ".join(f"{each.loss.name} {each.seconds:.1f} s" for each in reversed(last))
