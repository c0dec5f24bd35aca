"""A page as plain text for a telephone or a mail: what, why, until when. Nothing of the patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from triage.domain.instants import parse_instant
from triage.workflow.roster_notice import ROSTER
from triage.workflow.route_tests import DRILL


@dataclass(frozen=True, slots=True)
class PageText:
    """A title of one line, and a body of several."""

    title: str
    body: str


def page_text(document: Mapping[str, Any], zone: tzinfo = UTC) -> PageText:
    """The text of a page document; the due time on the clock of `zone`, with the zone's name."""
    return PageText(title=_title(document), body="\n".join(_lines(document, zone)))


def list_text(documents: Sequence[Mapping[str, Any]], zone: tzinfo = UTC) -> PageText:
    """Several pages as one text; each with its own title and lines."""
    parts = ["\n".join([_title(each), *_lines(each, zone)]) for each in documents]
    return PageText(title=f"{len(documents)} pages", body="\n\n".join(parts))


def _title(document: Mapping[str, Any]) -> str:
    drill = "DRILL: " if document["drill"] else ""
    if document["item"] == DRILL:
        return f"TEST, not a patient: {document['asked']}"
    if document["item"] == ROSTER:
        return f"{drill}Roster: {document['asked']}"
    if document["case"] is None:
        return f"{drill}Unread messages ({document['count']}): {document['asked']}"
    return f"{drill}{document['tier']} {document['case']}: {document['asked']}"


def _lines(document: Mapping[str, Any], zone: tzinfo) -> list[str]:
    lines = [f"Why: {document['reason_class']}", f"Asked of you as {document['role']}"]
    due_at = parse_instant(document["due_at"])
    if due_at:
        lines.append(f"Due: {due_at.astimezone(zone):%Y-%m-%d %H:%M %Z}")
    if document["callback"]:
        lines.append(f"Call back: {document['callback']}")
    if document["possibly_doubled"]:
        lines.append("You may have had this page before.")
    lines.append(f"Answer: {document['url']}")
    return lines
