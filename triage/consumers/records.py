"""Kafka records, read: each with its events, or with why it gave none."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from aiokafka import ConsumerRecord, TopicPartition

from triage.consumers.topics import ACTIONS
from triage.handle import Incoming
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.intake.faults import described
from triage.intake.registry import Registry
from triage.intake.unreadable import Unreadable, reason

_LOG = logging.getLogger(__name__)
DOOR = "kafka"
Spans = Mapping[TopicPartition, tuple[int, int]]  # first offset, and the one after the last


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRecord:
    """One record and what was found in it."""

    partition: TopicPartition
    offset: int
    raw: bytes
    received_at: datetime
    found: tuple[Incoming | Unreadable, ...]

    @property
    def origin(self) -> str:
        """`topic/partition/offset`."""
        return f"{_place(self.partition)}/{self.offset}"


def read_records(
    records: Iterable[ConsumerRecord], registry: Callable[[], Registry], received_at: datetime
) -> list[ReadRecord]:
    """Each record by itself; one that our own fault keeps from being read is for a human."""
    registered = registry()
    return [_read_or_kept(record, registered, received_at) for record in records]


def _read_or_kept(record: ConsumerRecord, registry: Registry, received_at: datetime) -> ReadRecord:
    try:
        return read_record(record, registry, received_at)
    except Exception as error:
        partition = TopicPartition(record.topic, record.partition)
        fault = described(error)
        _LOG.error("kafka.record_unread: %s/%d: %s", _place(partition), record.offset, fault)
        bare = ReadRecord(
            partition=partition,
            offset=record.offset,
            raw=record.value or b"",
            received_at=received_at,
            found=(),
        )
        return unhandled(bare, fault)


def read_record(record: ConsumerRecord, registry: Registry, received_at: datetime) -> ReadRecord:
    """The events of a record, or why there are none. A null value is read as no bytes."""
    partition = TopicPartition(record.topic, record.partition)
    place, raw = _place(partition), record.value or b""
    admits: Literal["centre", "hospital"] = "centre" if record.topic == ACTIONS else "hospital"
    found = decode(
        raw,
        headers=_headers(record.headers),
        door=Door(name=DOOR, admits=admits, registry=registry),
        received_at=received_at,
        sent_at=_sent_at(record.timestamp),
        origin=f"{place}/{record.offset}",
        place=place,
    )
    return ReadRecord(
        partition=partition,
        offset=record.offset,
        raw=raw,
        received_at=received_at,
        found=tuple(found),
    )


def _place(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"


def _headers(pairs: Iterable[tuple[str, bytes | None]]) -> dict[str, bytes]:
    """One value for each name. Two that differ are joined by a line break, which no attribute may
    hold: neither is taken for the sender's word."""
    headers: dict[str, bytes] = {}
    for name, value in pairs:
        text = value or b""
        known = headers.get(name, text)
        headers[name] = text if known == text else known + b"\n" + text
    return headers


def _sent_at(timestamp: int | None) -> datetime | None:
    """The broker's time, from milliseconds since 1970."""
    if timestamp is None or timestamp < 0:
        return None
    try:
        return datetime.fromtimestamp(timestamp / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def spans(records: Sequence[ReadRecord]) -> Spans:
    """What a batch covers of each partition; a partition's records are in order."""
    found: dict[TopicPartition, tuple[int, int]] = {}
    for record in records:
        first = found.get(record.partition, (record.offset, 0))[0]
        found[record.partition] = (first, record.offset + 1)
    return found


def unhandled(record: ReadRecord, kind: str) -> ReadRecord:
    """The record as one that a human must look at: a fault of ours (`kind`) is in the way."""
    sources = {item.event.source for item in record.found if isinstance(item, Incoming)}
    why = reason("", None, "a record that can be handled", "Look at it, then have it read again.")
    kept = Unreadable(
        raw=record.raw,
        source=min(sources, default=_place(record.partition)),
        origin=record.origin,
        reason={**why, "value": f"could not be handled: {kind}"},
        received_at=record.received_at,
    )
    return replace(record, found=(kept,))
