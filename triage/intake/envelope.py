"""From a CloudEvents envelope to an event: attributes, address, clocks (contract section 1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage.domain.case_id import case_id, read_case_id
from triage.domain.events import OURS, CaseId, Event, EventType, Sender
from triage.domain.instants import parse_instant
from triage.intake.content import content_hash
from triage.intake.door import Door
from triage.intake.unreadable import Contradiction, NotUnderstood

LONGEST_NAME = 256
SENDABLE = {kind.value: kind for kind in EventType if kind not in OURS}

_SPECVERSION = "1.0"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TEN_DIGITS = re.compile(r"\d{10}", re.ASCII)
_LONGEST_TIME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where and when something was received. `place` bundles what has no readable source."""

    door: Door
    origin: str
    received_at: datetime
    sent_at: datetime | None
    place: str | None = None


def read_event(envelope: Mapping[str, Any], receipt: Receipt) -> Event:
    """The event of an envelope. Raises NotUnderstood, or Contradiction of the door's credential."""
    _require_specversion(envelope)
    kind = _kind(envelope.get("type"))
    identity, source = _name(envelope, "id"), _source(envelope)
    data = _data(envelope.get("data"))
    sender = _sender(receipt.door, source, data)
    referral, case = _address(envelope, source, data)
    occurred_at, time_marks = _occurred(envelope, receipt.received_at)
    return Event(
        source=source,
        id=identity,
        type=kind,
        referral=referral,
        case=case,
        occurred_at=occurred_at,
        received_at=receipt.received_at,
        sent_at=receipt.sent_at,
        sender=sender,
        data=data,
        content_hash=content_hash(envelope),
        marks=(*time_marks, *_odd_names(envelope, sender)),
        time_sent=_time_sent(envelope.get("time")),
    )


def _require_specversion(envelope: Mapping[str, Any]) -> None:
    found = envelope.get("specversion")
    if found != _SPECVERSION:
        raise NotUnderstood("specversion", found, _SPECVERSION, "Send CloudEvents 1.0.")


def _kind(name: object) -> EventType:
    if isinstance(name, str) and name in SENDABLE:
        return SENDABLE[name]
    base = name.rpartition(".v")[0] if isinstance(name, str) else ""
    near = [known for known in SENDABLE if known.rpartition(".v")[0] == base]
    hint = f"Send {near[0]}." if near else "Send one of the types of the interface description."
    raise NotUnderstood("type", name, "a known type with its version", hint)


def _source(envelope: Mapping[str, Any]) -> str:
    source = _name(envelope, "source")
    if "/" in source:
        raise NotUnderstood("source", source, "a name without /", "Send it as registered.")
    return source


def _name(envelope: Mapping[str, Any], path: str, longest: int = LONGEST_NAME) -> str:
    found = envelope.get(path)
    if not isinstance(found, str) or not found.strip() or len(found) > longest:
        allowed = f"a text of 1 to {longest} characters"
        raise NotUnderstood(path, found, allowed, f"Send {path} as a text that is not empty.")
    if _CONTROL.search(found):
        raise NotUnderstood(path, found, "no control characters", "Send it without them.")
    return found


def _data(found: object) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise NotUnderstood("data", found, "an object", "Send the payload as an object in data.")
    return found


def _sender(door: Door, source: str, data: Mapping[str, Any]) -> Sender:
    sender = door.sender(source)
    if sender is None:
        hint = "Send under the source that the credential is for."
        raise Contradiction("source", source, "the credential's own source", hint)
    if door.contradicts(data):
        hint = "Leave by out, or name the person that the credential is for."
        raise Contradiction("data.by", data.get("by"), "the credential's own person", hint)
    return sender


def _address(
    envelope: Mapping[str, Any], source: str, data: Mapping[str, Any]
) -> tuple[str, CaseId]:
    """The referral that is meant and its case; an empty referral where our case id was given."""
    if envelope.get("referral") is not None:
        referral = _referral(envelope)
        return referral, case_id(referral)
    if data.get("case") is not None:
        case = read_case_id(data["case"])
        if case is None:
            allowed, hint = "a case id, as 7K3Q-9MPD-2XWA", "Send the case id from its page."
            raise NotUnderstood("data.case", data["case"], allowed, hint)
        return "", case
    referral = f"{source}/{_name(envelope, 'subject')}"
    return referral, case_id(referral)


def _referral(envelope: Mapping[str, Any]) -> str:
    referral = _name(envelope, "referral", 2 * LONGEST_NAME + 1)
    source, _, subject = referral.partition("/")
    if not source.strip() or not subject.strip():
        allowed, hint = "<source>/<subject>", "Send the referral as its hospital names it."
        raise NotUnderstood("referral", referral, allowed, hint)
    return referral


def _occurred(
    envelope: Mapping[str, Any], received_at: datetime
) -> tuple[datetime, tuple[str, ...]]:
    """When it happened, never after the receipt, and what was odd about the sender's clock."""
    sent = envelope.get("time")
    if sent is None or sent == "":
        return received_at, ("time_missing",)
    occurred_at = parse_instant(sent)
    if occurred_at is None:
        return received_at, ("time_unreadable",)
    if occurred_at > received_at:
        return received_at, ("time_after_receipt",)
    return occurred_at, ()


def _time_sent(sent: object) -> str | None:
    return None if sent is None else str(sent)[:_LONGEST_TIME]


def _odd_names(envelope: Mapping[str, Any], sender: Sender) -> tuple[str, ...]:
    referral = envelope.get("referral")
    subjects = (envelope.get("subject"), referral and str(referral).partition("/")[2])
    marks = ["subject_like_nhs_number"] if any(map(is_like_nhs_number, subjects)) else []
    return (*marks, *(() if sender.is_registered else ("source_unregistered",)))


def is_like_nhs_number(subject: object) -> bool:
    """Ten digits, in any usual grouping, whose last is the check digit of the first nine.

    Modulus 11 as the NHS Data Dictionary gives it for NHS NUMBER.
    """
    if not isinstance(subject, str):
        return False
    digits = subject.replace(" ", "").replace("-", "")
    if not _TEN_DIGITS.fullmatch(digits):
        return False
    weighted = sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9]))
    return (11 - weighted % 11) % 11 == int(digits[9])
