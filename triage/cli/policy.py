"""`triage classify`, `triage explain`, `triage policy check|show`."""

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from triage.cli import context
from triage.cli.answering import find_case
from triage.clock import SystemClock
from triage.domain.errors import TriageError
from triage.intake.classify_line import classify_stream
from triage.policies.explain_case import explain_case
from triage.policies.print_book import printed
from triage.policies.verify import check

policy = typer.Typer(help="The policy book: check it, show it.", no_args_is_help=True)
PolicyDir = Annotated[
    Path | None, typer.Option("--policy", help="Folder with a policy book's TOML files.")
]


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.command("classify")(classify)
    app.command("explain")(explain)
    app.add_typer(policy, name="policy")


def classify(
    file: Annotated[
        Path | None, typer.Argument(help="JSON lines; standard input if absent.")
    ] = None,
    policy_dir: PolicyDir = None,
) -> None:
    """Classify referrals, one JSON object a line, in order.

    Example: triage classify tests/scenarios/vignettes.jsonl
    """
    book = context.books(policy_dir).current
    write = sys.stdout.buffer.write
    if file is None:
        status = classify_stream(sys.stdin.buffer, write, book)
    else:
        try:
            with file.open("rb") as lines:
                status = classify_stream(lines, write, book)
        except OSError as error:
            raise TriageError(f"{file}: {error.strerror}", hint="name a readable file") from None
    sys.stdout.buffer.flush()
    raise typer.Exit(status)


def explain(case: Annotated[str, typer.Argument(help="Case id, e.g. BF2T-5B1F-ZGDY.")]) -> None:
    """Say why a case has its tier: rules, sources, what was assumed, which policy.

    Example: triage explain BF2T-5B1F-ZGDY
    """
    store = context.store()
    books = context.books()
    books.store = store
    document = orjson.loads(find_case(case).document)
    sys.stdout.write(explain_case(document, books.pinned(document["policy"])))


@policy.command("check")
def check_policy(
    policy_dir: PolicyDir = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Prove the book: total, no dead rule, monotone, every source there, nothing past review.

    Example: triage policy check --policy ./policy
    """
    report = check(context.books(policy_dir).current, today=SystemClock().now().date())
    if json:
        sys.stdout.buffer.write(orjson.dumps(report, default=str) + b"\n")
    else:
        sys.stdout.write(str(report) + "\n")
    raise typer.Exit(1 if report.problems else 0)


@policy.command("show")
def show_policy(policy_dir: PolicyDir = None) -> None:
    """Print every rule with its conditions, kind and sources.

    Example: triage policy show | less
    """
    sys.stdout.write(printed(context.books(policy_dir).current))
