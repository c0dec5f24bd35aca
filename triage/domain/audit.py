"""What the auditor may find: the kinds, and how each is told."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from triage.domain.events import CaseId


class Kind(StrEnum):
    """What was lost or changed. The names are labels of `triage_audit_findings_total`."""

    CASE_LOST = "case_lost"  # a log without its case row
    CASE_CHANGED = "case_changed"  # the row is not what the log amounts to
    TIMER = "timer"  # the next due instant is missing or wrong
    TIMER_OVERDUE = "timer_overdue"  # due, and no sweep has looked
    LOG_LOST = "log_lost"  # links are missing
    LOG_CHANGED = "log_changed"  # a link does not hash to what it says
    JOURNAL_LOST = "journal_lost"  # a link whose event the journal does not have
    PAGE_LOST = "page_lost"  # ordered or owed, and not there
    PAGE_CHANGED = "page_changed"  # not as it was ordered
    PAGE_STUCK = "page_stuck"  # claimed or waiting, and nobody will ever send it
    PAGE_UNSENT = "page_unsent"  # ready, and no relay has taken it
    QUIET = "quiet"  # EMERGENT, without owner, longer silent than the ladder's longest gap
    UNREAD_UNTOLD = "unread_untold"  # a quarantined record that no page tells of
    OUTBOX_LOST = "outbox_lost"  # a record owed to Kafka is gone
    HEADS = "heads"  # published heads that are not as they were published
    POSITION = "position"  # a Kafka position that the journal contradicts


# Told by time rather than by a case's own evidence.
WAITING = frozenset(
    {
        Kind.TIMER_OVERDUE,
        Kind.PAGE_STUCK,
        Kind.PAGE_UNSENT,
        Kind.QUIET,
        Kind.UNREAD_UNTOLD,
        Kind.POSITION,
    }
)

# Of these, what no moment between two transactions can look like: one look is enough.
CERTAIN = frozenset({Kind.PAGE_STUCK, Kind.TIMER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One loss or change. `subject` is the page, link or partition where it is not the case.

    `detail` is for people: it names fields and numbers, never a stored value.
    """

    kind: Kind
    case: CaseId | None = None
    subject: str = ""
    detail: str

    @property
    def key(self) -> str:
        """The same loss found again has the same key."""
        return f"{self.kind}:{self.case or ''}:{self.subject}"


@dataclass(slots=True)
class AuditResult:
    """One pass: what was new and what was put right.

    `looked_at` cases were compared with what they were when judged; `seen` is how many are known,
    `unjudged` those of them that have changed and wait to be folded. `is_complete`: the pass went
    once round, and none waits. `refreshed` were folded again for a new program or roster.
    `oldest_judged_at`: since when every case has been judged in full, None while one never was.
    """

    found: list[Finding] = field(default_factory=list)
    mended: list[Finding] = field(default_factory=list)
    looked_at: int = 0
    seen: int = 0
    unjudged: int = 0
    refreshed: int = 0
    is_complete: bool = False
    oldest_judged_at: datetime | None = None
