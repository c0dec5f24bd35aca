"""What a door could not read: kept byte for byte, with what, where and what was allowed."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

import orjson

from triage.store.records import QuarantineItem

_SHOWABLE = re.compile(r"[a-z0-9_]*(\.[a-z0-9_]+)+", re.ASCII)
_LONGEST = 80
_SOURCE = re.compile(r"[A-Za-z0-9._-]+:[A-Za-z0-9._-]+", re.ASCII)
_LONGEST_SOURCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """One byte string, or one member of a batch, that gave no event.

    `reason` has the keys path, value, allowed and hint; none of a sender's free text is in it, so
    it may be shown and sent back. `source` is a guess, fit for bundling pages. `is_contradiction`:
    readable, and claiming to be another than the credential's holder (HTTP: 403).
    """

    raw: bytes
    source: str | None
    origin: str
    reason: dict[str, str | None]
    received_at: datetime
    is_contradiction: bool = False


class NotUnderstood(Exception):
    """Inside the decoder: why this is no event."""

    def __init__(self, path: str, value: object, allowed: str, hint: str) -> None:
        super().__init__(path)
        self.reason = reason(path, value, allowed, hint)


class Contradiction(NotUnderstood):
    """The payload names another sender than the door knows."""


def reason(path: str, value: object, allowed: str, hint: str) -> dict[str, str | None]:
    """A reason in the shape of contract section 3; of the value only what cannot be personal."""
    return {"path": path, "value": _described(value), "allowed": allowed, "hint": hint}


def _described(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        is_harmless = len(value) <= _LONGEST and _SHOWABLE.fullmatch(value)
        return value if is_harmless else f"text of {len(value)} characters"
    kinds = {bool: "true or false", int: "a number", float: "a number", dict: "an object"}
    return kinds.get(type(value), "an array" if isinstance(value, list) else "something else")


def plausible_source(value: object) -> str | None:
    """The value when it has the shape of a registered source (`hospital:RX1`), else None."""
    if not isinstance(value, str) or len(value) > _LONGEST_SOURCE:
        return None
    return value if _SOURCE.fullmatch(value) else None


def quarantine_item(unreadable: Unreadable) -> QuarantineItem:
    """The row that a human will be paged for. The same bytes from the same place are one item."""
    return QuarantineItem(
        item_id=_item_id(unreadable.origin, unreadable.raw),
        source=unreadable.source,
        origin=unreadable.origin,
        raw=unreadable.raw,
        reason=orjson.dumps(unreadable.reason).decode(),
        received_at=unreadable.received_at,
    )


def _item_id(origin: str, raw: bytes) -> str:
    return hashlib.sha256(origin.encode("utf-8", "replace") + b"\0" + raw).hexdigest()[:20]
