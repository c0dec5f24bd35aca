"""One event: what happened to one referral, who says so, and on which three clocks.

The payload stays as it was sent. It is read where it is used, by the policy book that is pinned to
the case, so that a replay under the same book gives the same case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from triage.domain.instants import format_instant, parse_instant

CaseId = NewType("CaseId", str)


class EventType(StrEnum):
    """Every type of the contract, and those that only this service writes (`OURS`)."""

    REFERRAL_SUBMITTED = "referral.submitted.v1"
    REFERRAL_UPDATED = "referral.updated.v1"
    NEURO_EXAMINED = "neuro.examined.v1"
    IMAGING_REPORTED = "imaging.reported.v1"
    REFERRAL_CANCELLED = "referral.cancelled.v1"
    MILESTONE_REACHED = "milestone.reached.v1"
    MILESTONE_CORRECTED = "milestone.corrected.v1"
    TREATMENT_DECIDED = "treatment.decided.v1"
    OPINION_GIVEN = "opinion.given.v1"
    TIER_SET = "tier.set.v1"
    PROCEDURE_RECORDED = "procedure.recorded.v1"
    RADIOTHERAPY_RECORDED = "radiotherapy.recorded.v1"
    OUTCOME_RECORDED = "outcome.recorded.v1"
    PAGE_ACKNOWLEDGED = "page.acknowledged.v1"
    PAGE_RECEIPT = "page.receipt.v1"
    HANDOVER_OFFERED = "handover.offered.v1"
    HANDOVER_ACCEPTED = "handover.accepted.v1"
    CAPACITY_REPORTED = "capacity.reported.v1"
    CASES_JOINED = "cases.joined.v1"
    CASES_PARTED = "cases.parted.v1"
    CASE_CLOSED = "case.closed.v1"
    TIMER_RAISED = "timer.raised.v1"
    SHIFT_ENDED = "shift.ended.v1"
    PAGES_ORDERED = "pages.ordered.v1"


# Where a timer stands among the events of its receipt.
BEFORE, AFTER = "before", "after"

# What the sweep writes when a timer has run out.
BY_TIMER = frozenset({EventType.TIMER_RAISED, EventType.SHIFT_ENDED})
OURS = BY_TIMER | {EventType.PAGES_ORDERED}


class Side(StrEnum):
    """Who the door says the sender is; the payload never decides it."""

    HOSPITAL = "H"
    CENTRE = "C"
    PROVIDER = "P"
    OURSELVES = "O"
    UNREGISTERED = "U"  # on the receiving side's door, but no registered centre source


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A named person in an act: `by`, `from`, `to` of the contract."""

    person: str | None = None
    name: str | None = None
    role: str | None = None
    site: str | None = None

    @property
    def is_named(self) -> bool:
        """Somebody can be held to it: a name or a roster id, and a role."""
        return bool((self.name or self.person) and self.role)

    @property
    def identity(self) -> str:
        """The roster id where there is one, otherwise role and name: compares two acts' people."""
        return self.person or f"{self.role}:{self.name}"


def read_actor(value: object) -> Actor | None:
    """`{person, name, role, site}` as an Actor, role case-folded; None when it is no object."""
    if not isinstance(value, Mapping):
        return None
    role = _text(value.get("role"))
    return Actor(
        person=_text(value.get("person")),
        name=_text(value.get("name")),
        role=role.casefold() if role else None,
        site=_text(value.get("site")),
    )


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Side and source as the door established them; `actor` where a person's credential did."""

    side: Side
    source: str
    actor: Actor | None = None
    is_registered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event with its three clocks. `occurred_at` is never after `received_at` (clamped).

    `referral` is `<source>/<subject>` of the referral that is meant. `marks` tell what was odd
    (`time_missing`, `time_unreadable`, `time_after_receipt`, `subject_like_nhs_number`).
    """

    source: str
    id: str
    type: EventType
    referral: str
    case: CaseId
    occurred_at: datetime
    received_at: datetime
    sent_at: datetime | None = None
    sender: Sender
    data: Mapping[str, Any]
    content_hash: str
    marks: tuple[str, ...] = ()
    time_sent: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two messages the same event: source, id and content."""
        return (self.source, self.id, self.content_hash)

    @property
    def clinical_order(self) -> tuple[datetime, str, str, str]:
        """Occurred, then source, id, content: never the receipt."""
        return (self.occurred_at, self.source, self.id, self.content_hash)

    @property
    def receipt_order(self) -> tuple[datetime, int, datetime, str, str, str]:
        """Received; equal receipts in clinical order.

        A timer stands before or after everything of its receipt, as it was found: one that ran out
        before those events came, or one that they made due.
        """
        return (self.received_at, self._place, *self.clinical_order)

    @property
    def _place(self) -> int:
        if self.type not in BY_TIMER:
            return 0
        return {BEFORE: -1, AFTER: 1}.get(str(self.data.get("stands")), 0)

    @property
    def receipt(self) -> datetime:
        """The earlier of received and sent: no waiting in a queue makes a clock start later."""
        return min(self.received_at, self.sent_at) if self.sent_at else self.received_at


def event_document(event: Event) -> dict[str, Any]:
    """The event as JSON-ready data for the case log; `read_event` gives it back unchanged."""
    sender = event.sender
    actor = sender.actor
    return {
        "source": event.source,
        "id": event.id,
        "type": event.type.value,
        "referral": event.referral,
        "case": event.case,
        "occurred": format_instant(event.occurred_at),
        "received": format_instant(event.received_at),
        "sent": format_instant(event.sent_at) if event.sent_at else None,
        "side": sender.side.value,
        "sender": sender.source,
        "registered": sender.is_registered,
        "actor": [actor.person, actor.name, actor.role, actor.site] if actor else None,
        "data": event.data,
        "hash": event.content_hash,
        "marks": list(event.marks),
        "time": event.time_sent,
    }


def read_event(document: Mapping[str, Any]) -> Event:
    """The event of a case-log row; raises ValueError or KeyError when the row was tampered with."""
    actor = document["actor"]
    return Event(
        source=document["source"],
        id=document["id"],
        type=EventType(document["type"]),
        referral=document["referral"],
        case=CaseId(document["case"]),
        occurred_at=_stored_instant(document["occurred"]),
        received_at=_stored_instant(document["received"]),
        sent_at=_stored_instant(document["sent"]) if document["sent"] else None,
        sender=Sender(
            side=Side(document["side"]),
            source=document["sender"],
            actor=Actor(person=actor[0], name=actor[1], role=actor[2], site=actor[3])
            if actor
            else None,
            is_registered=document["registered"],
        ),
        data=document["data"],
        content_hash=document["hash"],
        marks=tuple(document["marks"]),
        time_sent=document["time"],
    )


def _stored_instant(text: str) -> datetime:
    instant = parse_instant(text)
    if instant is None:
        raise ValueError(f"stored instant is unreadable: {text}")
    return instant
