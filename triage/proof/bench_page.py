"""`triage bench page`: from a record on Kafka to the paging provider called.

100 referrals a second, then a burst; the service's roles run in processes of their own, and the
provider is a receiver beside the load generator, on the same machine.
"""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass

from triage.proof.bench_load import ROLES, Arrivals, running_service
from triage.proof.bench_report import BenchReport, Figure, at_most, percentile, report
from triage.proof.bench_services import Services, services

_WARM_UP = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """`kafka` and `database` None = started for the run. `rate` is referrals a second."""

    kafka: str | None = None
    database: str | None = None
    rate: float = 100.0
    seconds: float = 30.0
    burst: int = 5_000
    seed: int = 1


def bench_page(options: PageOptions) -> BenchReport:
    """Measures and reports. Raises CannotBench where it cannot run."""
    with services(options.kafka, options.database) as under_test:
        gc.collect()
        gc.freeze()  # else a collection stops the provider and the clock for 100 ms and more
        return asyncio.run(_measure(options, under_test))


async def _measure(options: PageOptions, under_test: Services) -> BenchReport:
    arrivals = Arrivals()
    async with running_service(under_test, arrivals, seed=options.seed) as load:
        warm = await load.send(_WARM_UP, rate=options.rate)
        await load.wait_for(warm)
        paced = await load.send(round(options.rate * options.seconds), rate=options.rate)
        await load.wait_for(paced)
        burst = await load.send(options.burst, rate=None)
        await load.wait_for(burst)
    figures = [*_paced_figures(arrivals, paced, options), *_burst_figures(arrivals, burst)]
    notes = (
        f"fsync {under_test.setting('fsync')}; roles {', '.join(ROLES)} in one process each",
        "the load generator and the receiving provider share the machine with the service",
        "latency = producer called -> the whole first page of the case is at the provider",
    )
    return report("page", figures, notes)


def _paced_figures(arrivals: Arrivals, cases: Sequence[str], options: PageOptions) -> list[Figure]:
    name = f"at {options.rate:g}/s"
    figures = []
    for words, waits in (
        ("all", arrivals.waits(cases)),
        ("EMERGENT", arrivals.waits(cases, emergent_only=True)),
    ):
        if not waits:
            continue
        n = len(waits)
        millis = [wait * 1000 for wait in waits]
        figures += [
            _figure(f"{name}, {words}: p50", percentile(millis, 50), "ms", n),
            at_most(f"{name}, {words}: p99", percentile(millis, 99), "ms", 100, samples=n),
            _figure(f"{name}, {words}: longest", max(millis), "ms", n),
        ]
    return [*figures, _never_paged(f"{name}: never paged", arrivals, cases)]


def _burst_figures(arrivals: Arrivals, cases: Sequence[str]) -> list[Figure]:
    if not cases:
        return []
    name, first_sent = f"burst of {len(cases):,}", min(arrivals.sent[c] for c in cases)
    paged = [arrivals.paged[c] - first_sent for c in cases if c in arrivals.paged]
    emergent = arrivals.waits(cases, emergent_only=True)
    figures = []
    if paged:
        last = max(paged)
        figures.append(at_most(f"{name}: last first-page", last, "s", 20, samples=len(paged)))
    if emergent:
        p99 = percentile(emergent, 99)
        figures.append(at_most(f"{name}, EMERGENT: p99", p99, "s", 1, samples=len(emergent)))
    return [*figures, _never_paged(f"{name}: never paged", arrivals, cases)]


def _never_paged(name: str, arrivals: Arrivals, cases: Sequence[str]) -> Figure:
    return at_most(name, arrivals.missing(cases), "cases", 0, samples=len(cases))


def _figure(name: str, value: float, unit: str, samples: int) -> Figure:
    return Figure(name=name, value=value, unit=unit, samples=samples)
