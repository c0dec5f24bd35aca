"""A stored case told to a clinician, from its document and the book that it is pinned to."""

from collections.abc import Iterator, Mapping
from typing import Any

from triage.policies.book import PolicyBook
from triage.policies.explain import explain_rule


def explain_case(document: Mapping[str, Any], book: PolicyBook) -> str:
    """Tier, reasons with rule and source, flags, what was assumed and is owed; no patient data."""
    return "\n".join(_lines(document, book)) + "\n"


def _lines(document: Mapping[str, Any], book: PolicyBook) -> Iterator[str]:
    held = " (held: present findings alone would give less)" if document["held"] else ""
    yield f"{document['case']}  {document['tier']}{held}, {document['state']}"
    yield f"since {document['tier_since']} by event {document['tier_event']}"
    yield ""
    yield "Why:"
    for reason in document["reasons"]:
        yield f"  {reason}"
    for rule in document["rules"]:
        yield f"  {rule}: {explain_rule(rule, book)}"
    lower = sorted(set(document["all_rules"]) - set(document["rules"]))
    if lower:
        yield f"Also hit: {', '.join(lower)}"
    for flag in document["flags"]:
        row = book.compiled.flags.get(flag)
        yield f"Flag {flag}: {row.means if row else 'set by the case itself'}"
    if document["assumed"]:
        yield f"Not assessed: {', '.join(document['assumed'])}"
    yield from _owed(document)
    yield ""
    draft = " (draft, unsigned)" if book.is_draft else ""
    yield f"Policy: {book.title}, version {document['policy']}{draft}"


def _owed(document: Mapping[str, Any]) -> Iterator[str]:
    waiting = [
        each for each in document["obligations"] if each["breached_at"] or not each["met_at"]
    ]
    if waiting:
        yield ""
        yield "Owed:"
    for each in waiting:
        late = "MISSED" if each["breached_at"] else "due"
        ended = " (ended)" if each["closed_at"] else ""
        ended = f" (met {each['met_at']})" if each["met_at"] else ended
        held = f"{each['holder']}, {each['kind']}, {each['leg']}"
        cause = f", cause {each['cause']}" if each["cause"] else ""
        yield f"  {each['name']}: {late} {each['due_at']}, {held}{cause}{ended}"
