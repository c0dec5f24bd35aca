"""Events as Kafka records: structured, in binary mode, or as a batch of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from random import Random
from typing import Any

import orjson

Header = tuple[str, bytes]
_JSON = b"application/json"
_CLOUDEVENT = b"application/cloudevents+json"
_CLOUDEVENT_BATCH = b"application/cloudevents-batch+json"


class Kind(StrEnum):
    """What the maker of a message meant it to be, for those who count what became of it."""

    EVENT = "event"
    REPEAT = "repeat"  # the same event once more, byte for byte
    CONFLICT = "conflict"  # an id used again with other content: a new event
    WRONG_DOOR = "wrong door"  # readable, and its sender may not send it
    GARBAGE = "garbage"  # unreadable: ends in quarantine


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedMessage:
    """One record to publish at `at`. `key` is the referral that is meant."""

    at: datetime
    topic: str
    key: bytes
    headers: tuple[Header, ...]
    value: bytes | None
    kind: Kind = Kind.EVENT


def structured(event: Mapping[str, Any]) -> tuple[tuple[Header, ...], bytes]:
    """Headers and value of one event as one JSON object."""
    return (("content-type", _CLOUDEVENT),), orjson.dumps(event)


def as_record(event: Mapping[str, Any], dice: Random) -> tuple[tuple[Header, ...], bytes]:
    """Mostly structured; some senders use binary mode, a few always send arrays."""
    way = dice.random()
    if way < 0.85:
        return structured(event)
    if way < 0.95:
        return _binary(event)
    return (("content-type", _CLOUDEVENT_BATCH),), orjson.dumps([event])


def _binary(event: Mapping[str, Any]) -> tuple[tuple[Header, ...], bytes]:
    attributes = tuple(
        (f"ce_{name}", str(value).encode())
        for name, value in event.items()
        if name not in ("data", "datacontenttype")
    )
    return (*attributes, ("content-type", _JSON)), orjson.dumps(event["data"])


def envelope(
    *,
    source: str,
    event_id: str,
    event_type: str,
    time: datetime,
    data: Mapping[str, Any],
    **names: str,
) -> dict[str, Any]:
    """A CloudEvents 1.0 event; `names` holds `subject` or `referral`."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": event_type,
        "time": time.isoformat(),
        **names,
        "datacontenttype": "application/json",
        "data": data,
    }
