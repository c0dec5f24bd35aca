"""`triage bench ingest`: records waiting on Kafka, until they are cases in PostgreSQL.

Beside it, in the same run and over the same records: the same consumer that only copies them into
one table (`raw`), and the database's rate of single-row commits (`commit`).
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import psycopg
from aiokafka import AIOKafkaProducer

from triage.clock import SystemClock
from triage.proof.bench_report import BenchReport, Figure, at_least, at_most, report
from triage.proof.bench_services import CannotBench, Child, Services, process, role, services
from triage.proof.commit_rate import commit_rate
from triage.proof.hospitals import HospitalStream, Traffic
from triage.proof.messages import Kind, TimedMessage

GOAL_PER_SECOND = 5_000
GOAL_OF_RAW = 0.4
_COMMIT_SECONDS = 5
_NO_PROGRESS_SECONDS = 60
_LOOK_EVERY_SECONDS = 0.05
_STEADY = (0.1, 0.9)  # the part of the backlog over which the rate is taken
_OURS = "SELECT coalesce(sum(next_offset), 0) FROM kafka_position"
_RAW = "SELECT coalesce(sum(next_offset), 0) FROM bench_raw_position"
_KEPT = "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM quarantine)"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """`consumers` = processes of the role consume. None = services are started for the run."""

    kafka: str | None = None
    database: str | None = None
    records: int = 20_000
    consumers: int = 1
    seed: int = 1


def bench_ingest(options: IngestOptions) -> BenchReport:
    """Measures and reports. Raises CannotBench where it cannot run."""
    with services(options.kafka, options.database) as under_test:
        records = mixed_records(options.records, options.seed)
        asyncio.run(_preload(under_test.bootstrap, records))
        commit = commit_rate(under_test.libpq, _COMMIT_SECONDS)
        with _raw_copy(under_test) as child:
            raw = _steady_rate(under_test, [child], _RAW, len(records))
        with _consumers(under_test, options.consumers) as children:
            ours = _steady_rate(under_test, children, _OURS, len(records))
        return _report(options, under_test, records, commit, raw, ours)


def mixed_records(number: int, seed: int) -> list[TimedMessage]:
    """What forty hospitals sent over the last day: referrals, examinations, repeats, garbage."""
    traffic = Traffic(per_day=number, by_the_clock=False, pace=20)
    start = SystemClock().now() - timedelta(days=2)
    return list(islice(HospitalStream(seed, start, traffic), number))


async def _preload(bootstrap: str, records: Sequence[TimedMessage]) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap.split(","),
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=262_144,
    )
    await producer.start()
    try:
        sendings = [
            await producer.send(r.topic, r.value, key=r.key, headers=list(r.headers))
            for r in records
        ]
        await asyncio.gather(*sendings)
    finally:
        await producer.stop()


@contextmanager
def _raw_copy(under_test: Services) -> Iterator[Child]:
    arguments = ["-m", "triage.proof.raw_copy", under_test.bootstrap, under_test.libpq]
    with process(under_test, "raw", arguments, under_test.environment()) as child:
        yield child


@contextmanager
def _consumers(under_test: Services, number: int) -> Iterator[list[Child]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(role(under_test, "consume", under_test.environment()))
            for _ in range(number)
        ]


def _steady_rate(
    under_test: Services, children: Sequence[Child], position: str, records: int
) -> float:
    """Records a second between the first and the last tenth of the backlog."""
    samples: list[tuple[float, int]] = []
    last_progress = time.monotonic()
    with psycopg.connect(under_test.libpq, autocommit=True) as connection:
        while not samples or samples[-1][1] < records:
            for child in children:
                child.refuse_if_ended()
            done = _count(connection, position)
            if not samples or done > samples[-1][1]:
                last_progress = time.monotonic()
            elif time.monotonic() - last_progress > _NO_PROGRESS_SECONDS:
                raise CannotBench(f"stands still at {done} of {records} records")
            samples.append((time.monotonic(), done))
            time.sleep(_LOOK_EVERY_SECONDS)
    low, high = (share * records for share in _STEADY)
    steady = [(at, done) for at, done in samples if low <= done <= high]
    if len(steady) < 2 or steady[-1][1] == steady[0][1]:
        raise CannotBench("too few records for a steady rate", hint="give more --records")
    return (steady[-1][1] - steady[0][1]) / (steady[-1][0] - steady[0][0])


def _count(connection: psycopg.Connection, sql: str) -> int:
    try:
        row = connection.execute(sql).fetchone()
    except psycopg.errors.UndefinedTable:
        return 0  # The copying process has not made its table yet.
    return int(row[0]) if row else 0


def _report(
    options: IngestOptions,
    under_test: Services,
    records: Sequence[TimedMessage],
    commit: Figure,
    raw: float,
    ours: float,
) -> BenchReport:
    n = len(records)
    with psycopg.connect(under_test.libpq) as connection:
        row = connection.execute(_KEPT).fetchone()
    journal, quarantined = row if row else (0, 0)
    kinds = Counter(record.kind for record in records)
    lost = n - journal - quarantined - kinds[Kind.REPEAT]
    mix = ", ".join(f"{count:,} {kind.value}" for kind, count in sorted(kinds.items()))
    return report(
        "ingest",
        [
            at_least("record -> case in PostgreSQL", ours, "events/s", GOAL_PER_SECOND, samples=n),
            Figure(name="baseline raw: copied only", value=raw, unit="records/s", samples=n),
            at_least("of raw", ours / raw, "", GOAL_OF_RAW, samples=n),
            commit,
            at_most("neither kept nor a repeat", lost, "records", 0, samples=n),
        ],
        (
            f"{n:,} records: {mix}; {options.consumers} process(es) of the role consume",
            f"fsync {under_test.setting('fsync')}; Kafka and PostgreSQL share the machine",
            f"rate between {_STEADY[0]:.0%} and {_STEADY[1]:.0%} of the backlog",
        ),
    )
