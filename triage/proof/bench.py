"""`triage bench ingest|page|timers|audit`: one table, or one JSON object, and an exit status."""

import sys

from rich.console import Console

from triage.proof.bench_audit import AuditOptions, bench_audit
from triage.proof.bench_ingest import IngestOptions, bench_ingest
from triage.proof.bench_page import PageOptions, bench_page
from triage.proof.bench_report import BenchReport, as_json, print_table
from triage.proof.bench_timers import TimersOptions, bench_timers

Options = IngestOptions | PageOptions | TimersOptions | AuditOptions


def run_bench(options: Options, *, wants_json: bool = False) -> int:
    """Measures, prints to standard output; exit status 0, or 1 where a goal was missed.

    Raises CannotBench (exit status 2) where it cannot run.
    """
    result = _measured(options)
    if wants_json:
        sys.stdout.write(as_json(result) + "\n")
    else:
        print_table(result, Console())
    return 0 if result.meets_every_goal else 1


def _measured(options: Options) -> BenchReport:
    if isinstance(options, IngestOptions):
        return bench_ingest(options)
    if isinstance(options, PageOptions):
        return bench_page(options)
    if isinstance(options, AuditOptions):
        return bench_audit(options)
    return bench_timers(options)
