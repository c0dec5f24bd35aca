"""A page as a text message: tier, case number, what is asked, codes to answer with, the desk."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from triage.domain.instants import parse_instant
from triage.notify.text import page_text
from triage.workflow.roster_notice import ROSTER
from triage.workflow.route_tests import DRILL


def sms_text(
    document: Mapping[str, Any], code: str, *, desk: str | None, zone: tzinfo = UTC
) -> str:
    """One page. Nothing of the patient, and no telephone number but the desk's."""
    lines = [_headline(document, zone)]
    if document["possibly_doubled"]:
        lines.append("You may have had this page before.")
    lines.append(answer_line(document, code))
    if desk:
        lines.append(f"Desk {desk}")
    lines.append(document["url"])
    return "\n".join(lines)


def sms_list_text(
    pages: Sequence[tuple[Mapping[str, Any], str]], *, desk: str | None, zone: tzinfo = UTC
) -> str:
    """Several pages (document, code) in one message; each names its own case and code."""
    lines = [f"{len(pages)} pages. Reply with the code of each."]
    lines += [f"{_headline(document, zone)}: {code}" for document, code in pages]
    if desk:
        lines.append(f"Desk {desk}")
    return "\n".join(lines)


def answer_line(document: Mapping[str, Any], code: str) -> str:
    """How to answer by message."""
    if document["obligation"] == "acknowledgement":
        return f"Reply {code} to take it, NO {code} to decline."
    return f"Reply {code} to say you have it."


def _headline(document: Mapping[str, Any], zone: tzinfo) -> str:
    drill = "DRILL: " if document["drill"] else ""
    due_at = parse_instant(document["due_at"])
    by = f" by {due_at.astimezone(zone):%H:%M %Z}" if due_at else ""
    if document["item"] in (ROSTER, DRILL):
        return page_text(document, zone).title
    if document["case"] is None:
        return f"{drill}Unread messages ({document['count']}): {document['asked']}{by}"
    return f"{drill}{document['tier']} {document['case']}: {document['asked']}{by}"
