"""The first altered byte of a link, where something else still tells what was written."""

from collections.abc import Iterator
from dataclasses import replace

from triage.domain.audit import Finding, Kind
from triage.domain.chain import link_hash
from triage.escalation.audit_reading import Evidence
from triage.store.records import LogRow


def first_altered(finding: Finding, evidence: Evidence) -> Finding:
    """The finding with field and offset (bytes from 0) of the first difference, where known.

    The journal has the document of every accepted event a second time; hashes can be computed.
    """
    if finding.kind is not Kind.LOG_CHANGED or not finding.subject.isdecimal():
        return finding
    seq = int(finding.subject)
    previous = ""
    for link in evidence.links:
        if link.seq == seq:
            for name, written, stored in _told_twice(link, previous, evidence):
                offset = difference(written, stored)
                if offset is not None:
                    where = f"first altered byte: {name}, offset {offset}"
                    return replace(finding, detail=f"{finding.detail}; {where}")
        previous = link.hash
    return finding


def _told_twice(link: LogRow, previous: str, evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    key = (link.source, link.event_id, link.content_hash)
    journalled = evidence.journal.get(key)
    if journalled is not None:
        yield "document", journalled.event_document, link.document
    yield "previous_hash", previous, link.previous_hash
    yield "hash", link_hash(previous, link.document), link.hash


def difference(written: str, stored: str) -> int | None:
    """The offset of the first byte that differs; None when all are the same."""
    one, other = written.encode(), stored.encode()
    for offset, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return offset
    return None if len(one) == len(other) else min(len(one), len(other))
