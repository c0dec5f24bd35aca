"""Bytes in, events out. What gives no event is kept with the reason; nothing here raises."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from triage.handle import Incoming
from triage.intake.door import Door
from triage.intake.envelope import Receipt, read_event
from triage.intake.members import is_array, members
from triage.intake.strict_json import UnreadableJson, read_json
from triage.intake.unreadable import (
    Contradiction,
    NotUnderstood,
    Unreadable,
    plausible_source,
    reason,
)

MOST_MEMBERS = 5_000

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_STRUCTURED = b"application/cloudevents"


def decode(
    raw: bytes,
    *,
    headers: Mapping[str, bytes],
    door: Door,
    received_at: datetime,
    sent_at: datetime | None,
    origin: str,
    place: str | None = None,
) -> list[Incoming | Unreadable]:
    """The events of one Kafka record or HTTP body, at least one result, in the order sent.

    Structured (an object, or an array as a batch of at most MOST_MEMBERS) or binary mode (headers
    `ce_*` or `ce-*`, the body is `data`). A batch's members stand or fall alone and have origins
    `<origin>#<n>`, n from 1. The raw bytes of an event in binary mode are its headers, one
    `name: value` on each line, an empty line, and the body. `place` (topic and partition, or the
    connection) bundles what has no readable source.
    """
    receipt = Receipt(
        door=door, origin=origin, received_at=received_at, sent_at=sent_at, place=place
    )
    attributes = _attributes(headers)
    if attributes:
        return [_binary(raw, attributes, headers, receipt)]
    if is_array(raw.removeprefix(_BYTE_ORDER_MARK)):
        return _batch(raw, receipt)
    return [_structured(raw, receipt)]


def _attributes(headers: Mapping[str, bytes]) -> dict[str, tuple[str, bytes]]:
    """By attribute name: header name and value. Empty where the event is not in binary mode."""
    found: dict[str, tuple[str, bytes]] = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower == "content-type" and value.strip().lower().startswith(_STRUCTURED):
            return {}
        if lower[:3] in ("ce_", "ce-"):
            found[lower[3:]] = (name, value)
    return found


def _structured(raw: bytes, receipt: Receipt) -> Incoming | Unreadable:
    text = raw.removeprefix(_BYTE_ORDER_MARK)
    if not text.strip():
        hint = "Send the event itself; nothing is closed or withdrawn by an empty record."
        return _unreadable(raw, receipt, None, reason("", None, "an event", hint))
    try:
        document = read_json(text)
    except UnreadableJson as error:
        return _unreadable(raw, receipt, error.document, _json_reason(error))
    return _event(document, raw, receipt)


def _batch(raw: bytes, receipt: Receipt) -> list[Incoming | Unreadable]:
    parts = members(raw.removeprefix(_BYTE_ORDER_MARK))
    if parts is None:
        return [_structured(raw, receipt)]  # the whole is no JSON; the reader says why
    if not 1 <= len(parts) <= MOST_MEMBERS:
        allowed = f"1 to {MOST_MEMBERS} events"
        why = {**reason("", None, allowed, "Send smaller batches."), "value": f"{len(parts)}"}
        return [_unreadable(raw, receipt, None, why)]
    return [
        _structured(part, _member(receipt, number)) for number, part in enumerate(parts, start=1)
    ]


def _member(receipt: Receipt, number: int) -> Receipt:
    return Receipt(
        door=receipt.door,
        origin=f"{receipt.origin}#{number}",
        received_at=receipt.received_at,
        sent_at=receipt.sent_at,
        place=receipt.place,
    )


def _binary(
    raw: bytes,
    attributes: Mapping[str, tuple[str, bytes]],
    headers: Mapping[str, bytes],
    receipt: Receipt,
) -> Incoming | Unreadable:
    lines = [name.encode("utf-8", "replace") + b": " + value for name, value in headers.items()]
    whole = b"\n".join(lines) + b"\n\n" + raw
    envelope: dict[str, Any] = {}
    try:
        for attribute, (name, value) in attributes.items():
            envelope[attribute] = _attribute(name, value)
        envelope["data"] = read_json(raw.removeprefix(_BYTE_ORDER_MARK))
    except NotUnderstood as error:
        return _unreadable(whole, receipt, envelope, error.reason)
    except UnreadableJson as error:
        return _unreadable(whole, receipt, envelope, _json_reason(error, "data"))
    return _event(envelope, whole, receipt)


def _attribute(name: str, value: bytes) -> str:
    """A header's text; over HTTP it comes percent-encoded (CloudEvents HTTP binding 3.1.3.2)."""
    try:
        text = value.decode("utf-8")
        return unquote(text, errors="strict") if name[2] == "-" else text
    except UnicodeDecodeError:
        raise NotUnderstood(name.lower()[3:], None, "UTF-8", "Send the header as UTF-8.") from None


def _event(document: object, raw: bytes, receipt: Receipt) -> Incoming | Unreadable:
    if not isinstance(document, dict):
        hint = "Send each event as one object."
        return _unreadable(raw, receipt, None, reason("", document, "an object", hint))
    try:
        event = read_event(document, receipt)
    except NotUnderstood as error:
        is_contradiction = isinstance(error, Contradiction)
        return _unreadable(raw, receipt, document, error.reason, is_contradiction)
    return Incoming(event=event, raw=raw, door=receipt.door.name, origin=receipt.origin)


def _json_reason(error: UnreadableJson, path: str = "") -> dict[str, str | None]:
    """Where it breaks, never what stands there: that may be anything."""
    where = ".".join(filter(None, (path, error.path)))
    if len(where) > _LONGEST_PATH or not where.isascii():
        where = where.partition(".")[0][:_LONGEST_PATH]
    return reason(where, None, error.allowed, error.hint)


_LONGEST_PATH = 80


def _unreadable(
    raw: bytes,
    receipt: Receipt,
    document: object,
    why: dict[str, str | None],
    is_contradiction: bool = False,
) -> Unreadable:
    claimed = plausible_source(document.get("source")) if isinstance(document, dict) else None
    return Unreadable(
        raw=raw,
        source=claimed or receipt.place,
        origin=receipt.origin,
        reason=why,
        received_at=receipt.received_at,
        is_contradiction=is_contradiction,
    )
