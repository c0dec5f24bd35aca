"""One case judged by its own evidence: chain, row, pages and journal against each other."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from triage.domain.audit import Finding, Kind
from triage.domain.chain import link_hash
from triage.domain.events import OURS, EventType
from triage.domain.instants import format_instant
from triage.escalation.audit_reading import Evidence
from triage.recording.ordering import noted_orders
from triage.store.page_orders import order_json
from triage.store.records import CaseRow, LogRow

# Columns that repeat what the document says: a change of one is told without a fold.
_REPEATED = ("referral", "state", "tier", "destination", "policy")


def structure(evidence: Evidence) -> Iterator[Finding]:
    """Everything that can be told without folding. Stops at a chain that cannot be read."""
    broken = list(_chain(evidence))
    if not broken and evidence.row is not None:
        broken = list(_head(evidence, evidence.row))
    yield from broken
    yield from _against_journal(evidence)
    if evidence.row is None:
        if evidence.links:
            yield Finding(kind=Kind.CASE_LOST, case=evidence.case, detail="log without a case row")
        return
    if not broken:
        yield from _pages(evidence)
    yield from _columns(evidence.row)


def _chain(evidence: Evidence) -> Iterator[Finding]:
    """The first place where the chain breaks; what follows it hangs on it."""
    previous, expected = "", 1
    for link in evidence.links:
        if link.seq != expected:
            missing = f"links {expected} to {link.seq - 1} are missing"
            yield _finding(Kind.LOG_LOST, evidence, str(expected), missing)
            return
        fault = link_fault(link, previous)
        if fault is not None:
            yield _finding(Kind.LOG_CHANGED, evidence, str(link.seq), f"link {link.seq}: {fault}")
            return
        previous, expected = link.hash, expected + 1


def link_fault(link: LogRow, previous: str) -> str | None:
    """Which field of a link is not as it was written; None when all are."""
    if link.previous_hash != previous:
        return "previous_hash is not the hash of the link before"
    if link_hash(previous, link.document) != link.hash:
        return "document or hash changed: they do not belong together"
    try:
        told = orjson.loads(link.document)
        columns = {
            "source": told["source"],
            "event_id": told["id"],
            "content_hash": told["hash"],
        }
        received = told["received"]
    except (ValueError, KeyError, TypeError):
        return "document is no event"
    for name, value in columns.items():
        if getattr(link, name) != value:
            return f"{name} is not what the document says"
    if format_instant(link.received_at) != received:
        return "received_at is not what the document says"
    return None


def _head(evidence: Evidence, row: CaseRow) -> Iterator[Finding]:
    last = evidence.links[-1].hash if evidence.links else ""
    if row.head != last:
        known = any(link.hash == row.head for link in evidence.links)
        detail = "head is not the last link's" if known else "the link that head names is missing"
        kind = Kind.CASE_CHANGED if known else Kind.LOG_LOST
        yield _finding(kind, evidence, "head", detail)


def _pages(evidence: Evidence) -> Iterator[Finding]:
    """Every page of the chain is there, as it was ordered; it is sent if the chain says so."""
    accepted: set[str] = set()
    ordered: dict[str, str] = {}
    for document in _documents(evidence):
        if document["type"] == EventType.PAGE_RECEIPT:
            data = document["data"]
            if data.get("status") == "accepted":
                accepted.add(str(data.get("page")))
        else:
            ordered |= {order.page: order_json(order) for order in noted_orders(document)}
    for page, order in ordered.items():
        stored = evidence.pages.get(page)
        if stored is None:
            yield _finding(Kind.PAGE_LOST, evidence, page, "ordered, and its row is gone")
        elif stored.order_document != order:
            yield _finding(Kind.PAGE_CHANGED, evidence, page, "not as it was ordered")
        elif stored.status == "accepted" and page not in accepted:
            yield _finding(Kind.PAGE_CHANGED, evidence, page, "sent, and no receipt says so")


def _documents(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
    """The log documents that tell of pages; the others are not parsed for it."""
    for link in evidence.links:
        if '"type":"page' in link.document:
            yield orjson.loads(link.document)


def _columns(row: CaseRow) -> Iterator[Finding]:
    try:
        told = orjson.loads(row.document)
    except ValueError:
        yield _changed(row, "document", "is no JSON")
        return
    due = format_instant(row.next_due_at) if row.next_due_at else None
    if told.get("next_due_at") != due:
        detail = "next_due_at is not what the document says"
        yield Finding(kind=Kind.TIMER, case=row.case_id, detail=detail)
    for name in _REPEATED:
        if told.get(name) != getattr(row, name):
            yield _changed(row, name, "is not what the document says")
    if told.get("head") != f"sha256:{row.head}":
        yield _changed(row, "head", "is not what the document says")


def _changed(row: CaseRow, name: str, what: str) -> Finding:
    return Finding(kind=Kind.CASE_CHANGED, case=row.case_id, subject=name, detail=f"{name} {what}")


def _against_journal(evidence: Evidence) -> Iterator[Finding]:
    """Links of accepted events have their journal row, and journal rows have their link."""
    logged = set()
    for link in evidence.links:
        key = (link.source, link.event_id, link.content_hash)
        logged.add(key)
        if key not in evidence.journal and _is_journalled(evidence, link):
            came = f"from {link.source}, received {format_instant(link.received_at)}"
            detail = f"link {link.seq}: its event is not in the journal ({came})"
            yield _finding(Kind.JOURNAL_LOST, evidence, link.content_hash[:16], detail)
    for key in evidence.journal.keys() - logged:
        yield _finding(Kind.LOG_LOST, evidence, key[2][:16], "a journalled event has no link")


def _is_journalled(evidence: Evidence, link: LogRow) -> bool:
    """Our own notes are in the log only; a joining stands in the journal under another case."""
    try:
        told = orjson.loads(link.document)
        return told["type"] not in OURS and told["case"] == evidence.case
    except (ValueError, KeyError, TypeError):
        return False


def _finding(kind: Kind, evidence: Evidence, subject: str, detail: str) -> Finding:
    return Finding(kind=kind, case=evidence.case, subject=subject, detail=detail)
