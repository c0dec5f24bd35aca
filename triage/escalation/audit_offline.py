"""The whole store verified in one go: every chain, every fold, and published heads where given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from triage.domain.audit import Finding, Kind
from triage.domain.errors import TriageError
from triage.domain.events import CaseId
from triage.escalation.audit_bytes import first_altered
from triage.escalation.audit_case import structure
from triage.escalation.audit_fold import refold
from triage.escalation.audit_heads import Published, read_heads
from triage.escalation.audit_reading import AuditReading, AuditView, Evidence
from triage.escalation.audit_sight import marks
from triage.handle import Desk
from triage.intake.faults import described

_BATCH = 200


@dataclass(slots=True)
class Verified:
    """What was verified and what is wrong. `published` = heads compared with published ones."""

    cases: int = 0
    links: int = 0
    pages: int = 0
    published: int = 0
    findings: list[Finding] = field(default_factory=list)


def verify(view: AuditView, desk: Desk, heads: Path | None = None) -> Verified:
    """Every case in its present state. Raises StoreUnavailable."""
    verified = Verified()
    expected = _published(heads, verified) if heads else {}
    with view.read() as reading:
        cases = sorted(marks(reading))
    for start in range(0, len(cases), _BATCH):
        with view.read() as reading:
            for evidence in reading.evidence(cases[start : start + _BATCH]).values():
                verified.findings += _judged(reading, evidence, desk, verified)
                verified.findings += _against(evidence, expected.pop(evidence.case, {}))
    for case in expected:
        detail = "its head was published, and nothing of the case is stored"
        verified.findings.append(Finding(kind=Kind.LOG_LOST, case=case, detail=detail))
    return verified


def _judged(
    reading: AuditReading, evidence: Evidence, desk: Desk, verified: Verified
) -> list[Finding]:
    verified.cases += 1
    verified.links += len(evidence.links)
    verified.pages += len(evidence.pages)
    found = list(structure(evidence))
    if not found:
        try:
            found = list(refold(evidence, desk, reading.evidence))
        except Exception as error:  # one log that cannot be folded must not hide the others
            detail = f"the log cannot be folded: {described(error)}"
            found = [Finding(kind=Kind.LOG_CHANGED, case=evidence.case, detail=detail)]
    return [first_altered(finding, evidence) for finding in found]


def _published(file: Path, verified: Verified) -> dict[CaseId, dict[int, str]]:
    """Every link that was published, by case and number."""
    found: dict[CaseId, dict[int, str]] = {}
    try:
        for _, new in read_heads(file, Published()):
            for case, (seq, link) in new.items():
                found.setdefault(case, {})[seq] = link
                verified.published += 1
    except TriageError as error:
        detail = error.what
        verified.findings.append(Finding(kind=Kind.HEADS, subject=file.name, detail=detail))
    return found


def _against(evidence: Evidence, published: Mapping[int, str]) -> Iterator[Finding]:
    """The first published link of a case that is gone or another now."""
    links = {link.seq: link.hash for link in evidence.links}
    for seq, link in sorted(published.items()):
        if links.get(seq) == link:
            continue
        gone = seq not in links
        detail = f"link {seq} was published" + (
            ", and the log ends before it" if gone else " with another hash: the log was rewritten"
        )
        kind = Kind.LOG_LOST if gone else Kind.LOG_CHANGED
        yield Finding(kind=kind, case=evidence.case, subject=f"published {seq}", detail=detail)
        return
