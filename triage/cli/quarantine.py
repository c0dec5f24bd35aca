"""`triage quarantine list|show|map|dismiss`: what could not be read."""

import sys
from typing import Annotated

import orjson
import typer

from triage.cli import context
from triage.cli.acting import person_of
from triage.cli.mapping import store_mapped
from triage.clock import SystemClock
from triage.domain.errors import TriageError
from triage.store.records import QuarantineItem

group = typer.Typer(help="What could not be read: list, show, map, dismiss.", no_args_is_help=True)
By = Annotated[str, typer.Option("--by", help="Who acts: a person's id in the roster.")]
Item = Annotated[str, typer.Argument(help="The item's id, as `list` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.add_typer(group, name="quarantine")


@group.command("list")
def list_items(
    status: Annotated[str | None, typer.Option(help="unread, acknowledged, mapped ...")] = None,
) -> None:
    """List items: id, status, since when, from where, why.

    Example: triage quarantine list --status unread
    """
    with context.store().read() as reader:
        for item in reader.quarantine(status):
            reason = orjson.loads(item.reason)
            sys.stdout.write(
                f"{item.item_id}  {item.status:12} {item.received_at:%Y-%m-%d %H:%M:%S}  "
                f"{item.source or 'no source'}  {item.origin}  {reason.get('hint', '')}\n"
            )


@group.command("show")
def show(
    item: Item, raw: Annotated[bool, typer.Option(help="The bytes themselves.")] = False
) -> None:
    """Show why an item could not be read; with --raw its bytes, which may name a patient.

    Example: triage quarantine show 3f9c21ab7d10 --raw
    """
    found = _find(item)
    if raw:
        sys.stdout.buffer.write(found.raw + b"\n")
        return
    content = {"item": found.item_id, "status": found.status, "origin": found.origin}
    content["reason"] = orjson.loads(found.reason)
    sys.stdout.buffer.write(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")


@group.command("map")
def map_item(
    item: Item,
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="The event as it should have been.")],
    by: By,
) -> None:
    """Take a corrected event in for an unreadable item, as its hospital's.

    Example: triage quarantine map 3f9c21ab7d10 corrected.json --by coord-a
    """
    found = _find(item)
    outcome = store_mapped(found, file.read(), person_of(context.roster(), by))
    tier = outcome.tier.value if outcome.tier else "no tier"
    sys.stdout.write(
        f"{outcome.case}  {tier}  {'recorded' if outcome.effect else outcome.reason}\n"
    )


@group.command("dismiss")
def dismiss(
    item: Item, by: By, note: Annotated[str, typer.Option(help="Why it needs nothing.")]
) -> None:
    """Close an item that a named person has read and that needs nothing.

    Example: triage quarantine dismiss 3f9c21ab7d10 --by coord-a --note "monitoring probe"
    """
    found = _find(item)
    actor = person_of(context.roster(), by)
    with context.store().begin() as tx:
        tx.settle_quarantine(
            [found.item_id],
            status="dismissed",
            by=actor.identity,
            at=SystemClock().now(),
            note=note,
        )
    sys.stdout.write(f"dismissed {found.item_id}\n")


def _find(item: str) -> QuarantineItem:
    with context.store().read() as reader:
        found = reader.quarantine_item(item)
    if found is None:
        raise TriageError(f"item: {item}", hint="`triage quarantine list` shows the ids")
    return found
