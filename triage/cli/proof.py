"""`triage demo`, `triage bench ingest|page|timers|audit`."""

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from triage.domain.errors import TriageError

bench = typer.Typer(help="Speed, each figure beside its baseline.", no_args_is_help=True)
Kafka = Annotated[str | None, typer.Option(help="Bootstrap of a broker; one is started if absent.")]
Database = Annotated[str | None, typer.Option(help="Database URL; one is started if absent.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.command("demo")(demo)
    app.add_typer(bench, name="bench")


def demo(
    port: Annotated[int, typer.Option(help="Port of the pages; 0 = any free one.")] = 8000,
    speed: Annotated[float, typer.Option(help="How many times faster the clock runs.")] = 1.0,
    kafka: Annotated[str, typer.Option(help="memory, or real (Apache Kafka).")] = "memory",
    seed: Annotated[int, typer.Option(help="Another seed, other referrals.")] = 7,
    home: Annotated[Path | None, typer.Option(help="Keep the files here.")] = None,
) -> None:
    """The whole product in one process, with simulated hospitals and clinicians.

    Example: triage demo --speed 20
    """
    from triage.proof.demo import DemoOptions, run_demo

    if kafka not in ("memory", "real"):
        raise TriageError(f"--kafka: {kafka}", hint="allowed: memory, real")
    kind = cast(Literal["memory", "real"], kafka)
    options = DemoOptions(port=port, speed=speed, kafka=kind, seed=seed, home=home)
    raise typer.Exit(run_demo(options))


@bench.command("ingest")
def ingest(
    records: Annotated[int, typer.Option(help="How many records wait on Kafka.")] = 20_000,
    consumers: Annotated[int, typer.Option(help="Consumer processes.")] = 1,
    kafka: Kafka = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Records waiting on Kafka, until they are cases in PostgreSQL.

    Example: triage bench ingest --records 20000
    """
    from triage.proof.bench import run_bench
    from triage.proof.bench_ingest import IngestOptions

    options = IngestOptions(kafka=kafka, database=database, records=records, consumers=consumers)
    raise typer.Exit(run_bench(options, wants_json=json))


@bench.command("page")
def page(
    rate: Annotated[float, typer.Option(help="Referrals a second.")] = 100.0,
    seconds: Annotated[float, typer.Option(help="For how long.")] = 30.0,
    burst: Annotated[int, typer.Option(help="Referrals at once, afterwards.")] = 5_000,
    kafka: Kafka = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """From a referral on Kafka to the provider being called.

    Example: triage bench page --rate 100 --seconds 30
    """
    from triage.proof.bench import run_bench
    from triage.proof.bench_page import PageOptions

    options = PageOptions(kafka=kafka, database=database, rate=rate, seconds=seconds, burst=burst)
    raise typer.Exit(run_bench(options, wants_json=json))


@bench.command("timers")
def timers(
    cases: Annotated[int, typer.Option(help="Open cases.")] = 100_000,
    due: Annotated[int, typer.Option(help="How many fall due.")] = 5_000,
    database: Database = None,
    json: Json = False,
) -> None:
    """How late what falls due is looked at, with many open cases.

    Example: triage bench timers --cases 100000
    """
    from triage.proof.bench import run_bench
    from triage.proof.bench_timers import TimersOptions

    options = TimersOptions(database=database, cases=cases, due=due)
    raise typer.Exit(run_bench(options, wants_json=json))


@bench.command("audit")
def audit(
    cases: Annotated[int, typer.Option(help="Open cases.")] = 100_000,
    database: Database = None,
    json: Json = False,
) -> None:
    """How soon a planted loss is found, with many open cases and live referrals.

    Example: triage bench audit --cases 100000
    """
    from triage.proof.bench import run_bench
    from triage.proof.bench_audit import AuditOptions

    raise typer.Exit(run_bench(AuditOptions(database=database, cases=cases), wants_json=json))
