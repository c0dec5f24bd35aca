"""What goes into the store and comes out of it: plain rows, every instant aware and in UTC.

Field names are the column names. `document` and its like are JSON text exactly as it was written:
the store never reorders it, so hashes over it hold.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from triage.domain.events import CaseId
from triage.domain.paging import PageOrder

EventKey = tuple[str, str, str]  # source, event id, content hash


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One accepted event with the bytes it came in. `origin` = where exactly the door read it."""

    source: str
    event_id: str
    content_hash: str
    type: str
    referral: str
    case_id: CaseId
    door: str
    origin: str
    raw: bytes
    occurred_at: datetime
    sent_at: datetime | None
    received_at: datetime
    effect: bool
    reason: str | None
    event_document: str


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """What was answered when this event came first; a duplicate gets the same answer."""

    case_id: CaseId
    received_at: datetime
    effect: bool
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One link of a case's chain: `hash` covers `previous_hash` and `document`. `seq` from 1."""

    case_id: CaseId
    seq: int
    source: str
    event_id: str
    content_hash: str
    received_at: datetime
    document: str
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """The form of the fold that SQL can read. `next_due_at` is the case's one timer.

    `deadlines` is a JSON list of `{"step", "due_at"}`, one for each open obligation.
    """

    case_id: CaseId
    referral: str
    hospital: str
    state: str
    tier: str | None
    owner: str | None
    destination: str | None
    lead_case_id: CaseId | None
    version: int
    head: str
    next_due_at: datetime | None
    is_emergent: bool
    document: str
    policy: str
    opened_at: datetime | None
    closed_at: datetime | None
    referral_received_at: datetime | None
    acknowledged_at: datetime | None
    decided_at: datetime | None
    decompressed_at: datetime | None
    folded_at: datetime
    leg: str | None
    unacknowledged_since: datetime | None
    deadlines: str


class Standing(NamedTuple):
    """What tells whether a case has been written since it was looked at."""

    version: int
    head: str
    next_due_at: datetime | None
    folded_at: datetime


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case as the store has it: its row and the documents of its log in order of `seq`.

    The log is there from link `first_seq` on, whose hash is `first_hash`. `last_seq` is 0 and
    `head` empty while the log is empty.
    """

    row: CaseRow
    log: tuple[str, ...]
    last_seq: int
    head: str
    first_seq: int = 1
    first_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """A page order and its delivery: `ordered`, `sending`, `accepted`, `failed`, `suppressed`.

    `ready_at`: from when it may be claimed (while `sending`, the end of the lease; after a failure,
    the next try); None once settled. `withdrawn` = why it is not owed any more.
    """

    order: PageOrder
    status: str
    attempts: int
    possibly_doubled: bool
    is_emergent: bool
    ordered_at: datetime
    ready_at: datetime | None
    settled_at: datetime | None
    withdrawn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A record owed to a Kafka topic; rows of one key go out in the order they were written."""

    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """An outbox row that a publisher holds for the length of its lease."""

    id: int
    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineItem:
    """Bytes that no door could read. `reason` is JSON {path, value, allowed, hint}.

    `status`: `unread`, then `acknowledged`, `mapped` or `dismissed` by a named human.
    """

    item_id: str
    source: str | None
    origin: str
    raw: bytes
    reason: str
    received_at: datetime
    status: str = "unread"
    settled_by: str | None = None
    settled_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadSource:
    """The unread quarantine of one source: what a bundled page stands for."""

    source: str | None
    count: int
    oldest_at: datetime
    newest_at: datetime
    first_item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaPosition:
    """The first offset of a partition that is not yet in the database."""

    topic: str
    partition: int
    next_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A credential, by the hash of its text: of a registered system (`source`) or of a `person`."""

    id: str
    hash: str
    source: str | None = None
    person: str | None = None
    name: str | None = None
    role: str | None = None
    site: str | None = None
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedLeg:
    """A leg's first completion; never recomputed. `seconds` between its two milestones."""

    case_id: CaseId
    leg: str
    tier: str
    hospital: str
    seconds: float
    completed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One attempt to send a page, as `page_attempt` keeps it."""

    page: str
    attempt: int
    route: str
    outcome: str
    provider_word: str | None
    at: datetime
    retry_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCopy:
    """The last good copy of a calendar feed; `problem` is why the last look gave no newer one."""

    feed: str
    checked_at: datetime
    fetched_at: datetime | None = None
    etag: str | None = None
    content: bytes | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTest:
    """A test page over one route of a person, and when it was confirmed that it arrived."""

    page: str
    person: str
    route: str
    setup: str
    ordered_at: datetime
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFindingRow:
    """One loss or change that the auditor found; `key` is the same when it is found again.

    `repair` says in words what was done about it; `gone_at` is when it was seen to be right again.
    """

    id: str
    key: str
    kind: str
    case_id: CaseId | None
    subject: str
    detail: str
    found_at: datetime
    repair: str | None = None
    repaired_at: datetime | None = None
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalArchive:
    """How the server's archiving of its write-ahead log goes: when it last did, and last failed."""

    archived_at: datetime | None
    failed_at: datetime | None
