"""`triage ack`, `triage record`: answer and follow from the terminal."""

import sys
from typing import Annotated, Any

import orjson
import typer

from triage.cli import context
from triage.cli.acting import act, person_of
from triage.clock import SystemClock
from triage.domain.case_id import read_case_id
from triage.domain.errors import TriageError
from triage.domain.paging import read_page_id
from triage.handle import Outcome
from triage.rosters.answering import answer_roster_page, has_no_case
from triage.store.records import CaseRow
from triage.unread import acknowledge_unread
from triage.workflow.unread import answered_run

By = Annotated[str, typer.Option("--by", help="Who acts: a person's id in the roster.")]
_SIGNED_MILESTONE = "milestone.reached.v1"


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.command("ack")(acknowledge)
    app.command("record")(record)


def acknowledge(
    page: Annotated[str, typer.Argument(help="The page's id, as the page shows it.")],
    by: By,
    answer: Annotated[
        str, typer.Option(help="coming, decline, hand_over or hand_back.")
    ] = "coming",
    minutes: Annotated[int | None, typer.Option(help="With coming: in how many minutes.")] = None,
    to: Annotated[str | None, typer.Option(help="With hand_over: to whom, a roster id.")] = None,
) -> None:
    """Answer a page as a person of the roster.

    Example: triage ack BF2T-5B1F-ZGDY.acknowledgement.507d6c1d.1.0.dae8a69b --by reg-a --minutes 10
    """
    if answered_run(page) is not None:
        _take_unread_on(page, by)
        return
    if has_no_case(page):
        _see_roster_page(page, by)
        return
    key = read_page_id(page)
    if key is None:
        raise TriageError(f"page: {page}", hint="copy the id that the page shows")
    data: dict[str, Any] = {"page": page, "answer": answer}
    if minutes is not None:
        data["minutes"] = minutes
    if to is not None:
        other = person_of(context.roster(), to)
        data["to"] = {"person": other.person, "name": other.name, "role": other.role}
    _tell(act("page.acknowledged.v1", find_case(key.case).referral, data, by))


def _take_unread_on(page: str, by: str) -> None:
    actor = person_of(context.roster(), by)
    with context.store().begin() as tx:
        count = acknowledge_unread(tx, page, actor, now=SystemClock().now())
    sys.stdout.write(f"taken on: {count or 0} unread records\n")


def _see_roster_page(page: str, by: str) -> None:
    actor = person_of(context.roster(), by)
    with context.store().begin() as tx:
        done = answer_roster_page(tx, page, actor, now=SystemClock().now())
    if done is None:
        raise TriageError(f"page: {page}", hint="copy the id that the page shows")
    sys.stdout.write("recorded\n" if done.effect else f"no effect: {done.reason}\n")
    if not done.effect:
        raise typer.Exit(1)


def record(
    case: Annotated[str, typer.Argument(help="Case id, e.g. BF2T-5B1F-ZGDY.")],
    kind: Annotated[str, typer.Argument(help="A milestone's name, or an event type.")],
    by: By,
    data: Annotated[str, typer.Option(help="The event's data as JSON.")] = "{}",
    at: Annotated[
        str | None, typer.Option(help="When it happened, RFC 3339; now if absent.")
    ] = None,
) -> None:
    """Record a milestone or any act of the receiving centre.

    Example: triage record BF2T-5B1F-ZGDY knife_to_skin --by con-a --at 2026-03-10T12:20:00Z
    Example: triage record BF2T-5B1F-ZGDY treatment.decided.v1 --by con-a \\
        --data '{"treatment": "surgery"}'
    """
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise TriageError(f"data: {error}", hint="write one JSON object") from None
    if not isinstance(content, dict):
        raise TriageError(f"data: {data}", hint="write one JSON object")
    if not kind.endswith(".v1"):
        content, kind = {**content, "milestone": kind}, _SIGNED_MILESTONE
    _tell(act(kind, find_case(case).referral, content, by, at=at))


def find_case(text: str) -> CaseRow:
    """The case that a person names; raises TriageError when there is none."""
    named = read_case_id(text)
    with context.store().read() as reader:
        row = reader.case(named) if named else None
    if row is None:
        raise TriageError(f"case: {text}", hint="`triage case list` shows the cases there are")
    return row


def _tell(outcome: Outcome) -> None:
    tier = outcome.tier.value if outcome.tier else "no tier"
    said = "recorded" if outcome.effect else f"no effect: {outcome.reason}"
    sys.stdout.write(f"{outcome.case}  {tier}  {said}\n")
    for warning in outcome.warnings:
        sys.stdout.write(f"  {warning}\n")
    if not outcome.effect:
        raise typer.Exit(1)
