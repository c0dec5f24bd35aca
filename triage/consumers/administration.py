"""Kafka administration: make the topics, tell how far a reader is, list what is in quarantine.

Synchronous, with kafka-python; for people and start-up, not for the hot path. `security` takes
kafka-python's own names (SECURITY_KEYS); None = plain text.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from triage.consumers.kafka_connection import (
    SECURITY_KEYS,
    TIMEOUT_MS,
    AdministrationFailed,
    checked,
    connected,
    translated,
)
from triage.consumers.provisioning import Difference, Outcome, TopicResult, create_topics
from triage.consumers.topics import QUARANTINE

__all__ = [
    "SECURITY_KEYS",
    "AdministrationFailed",
    "ClusterView",
    "Difference",
    "Outcome",
    "PartitionLag",
    "QuarantinedRecord",
    "TopicResult",
    "create_topics",
    "describe",
    "lag",
    "quarantine",
]

_POLL_MS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionLag:
    """How far a group is in one partition. Offsets as Kafka counts: `end` is the next to come.

    `committed` is None where the group has never committed; it then starts at `begin`. `expired`
    = records that Kafka has deleted before the group read them: above 0, something is lost.
    """

    topic: str
    partition: int
    begin: int
    end: int
    committed: int | None

    @property
    def lag(self) -> int:
        return self.end - (self.begin if self.committed is None else self.committed)

    @property
    def expired(self) -> int:
        return 0 if self.committed is None else max(0, self.begin - self.committed)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedRecord:
    """What may be shown of a record in quarantine: never the value itself, unless asked for.

    `error` and `origin` (topic/partition/offset) are its headers, None where absent; `length` is
    that of the value in bytes.
    """

    partition: int
    offset: int
    at: datetime
    error: str | None
    origin: str | None
    length: int
    value: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """Who answers: the cluster's id and its brokers that serve (not those merely registered)."""

    cluster_id: str
    brokers: frozenset[int]


def describe(
    bootstrap: Sequence[str],
    *,
    security: Mapping[str, str] | None = None,
    timeout_ms: int = TIMEOUT_MS,
) -> ClusterView:
    """Asks the cluster who it is. Raises AdministrationFailed where it does not answer."""
    with connected(bootstrap, security, timeout_ms) as admin:
        answer = admin.describe_cluster()
    serving = (b["broker_id"] for b in answer["brokers"] if not b.get("is_fenced", False))
    return ClusterView(cluster_id=answer["cluster_id"], brokers=frozenset(serving))


def lag(
    bootstrap: Sequence[str],
    group: str,
    topics: Sequence[str],
    *,
    security: Mapping[str, str] | None = None,
) -> list[PartitionLag]:
    """Every partition of `topics`, by topic and number.

    The group's offset in Kafka trails the position in our database, which is the one that we
    resume from. Raises AdministrationFailed, also where a topic does not exist.
    """
    with connected(bootstrap, security) as admin:
        partitions = _partitions(admin, topics)
        begins = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
        ends = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        committed = _group_offsets(admin, group, partitions)
    return [
        PartitionLag(
            topic=place.topic,
            partition=place.partition,
            begin=begins[place].offset,
            end=ends[place].offset,
            committed=_committed_offset(committed.get(place)),
        )
        for place in partitions
    ]


def quarantine(
    bootstrap: Sequence[str],
    *,
    limit: int = 20,
    with_values: bool = False,
    security: Mapping[str, str] | None = None,
) -> list[QuarantinedRecord]:
    """The last `limit` records of the quarantine topic, oldest first. Commits nothing.

    Values may hold patients' data: `with_values` is for a person who has to read one.
    """
    with connected(bootstrap, security) as admin:
        partitions = _partitions(admin, [QUARANTINE])
        begins = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
        ends = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    spans = {p: (max(begins[p].offset, ends[p].offset - limit), ends[p].offset) for p in partitions}
    with translated(bootstrap):
        records = [_shown(r, with_values) for r in _read(bootstrap, spans, security)]
    records.sort(key=lambda record: (record.at, record.partition, record.offset))
    return records[-limit:]


def _partitions(admin: Any, topics: Sequence[str]) -> list[Any]:
    admin.wait_for_topics(topics, timeout_ms=0)
    return sorted(
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in admin.describe_topics(list(topics))
        for partition in topic["partitions"]
    )


def _group_offsets(admin: Any, group: str, partitions: Sequence[Any]) -> Mapping[Any, Any]:
    """A fresh cluster has no group coordinator until its first caller: that one has to wait."""
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while True:
        try:
            offsets: Mapping[Any, Any] = admin.list_group_offsets({group: partitions})[group]
            return offsets
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                raise
        time.sleep(_POLL_MS / 1000)


def _committed_offset(found: Any) -> int | None:
    return None if found is None or found.offset < 0 else int(found.offset)


def _read(
    bootstrap: Sequence[str],
    spans: Mapping[Any, tuple[int, int]],
    security: Mapping[str, str] | None,
) -> Iterator[Any]:
    """The records from the first to before the second offset of each partition's span."""
    wanted = {place: span for place, span in spans.items() if span[0] < span[1]}
    if not wanted:
        return
    consumer = KafkaConsumer(
        bootstrap_servers=list(bootstrap),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **checked(security),
    )
    try:
        consumer.assign(list(wanted))
        for place, (first, _) in wanted.items():
            consumer.seek(place, first)
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while any(consumer.position(place) < end for place, (_, end) in wanted.items()):
            if time.monotonic() > deadline:
                raise AdministrationFailed(
                    f"Kafka at {','.join(bootstrap)} stopped answering while it was read",
                    hint="look at the broker's log and try again, with a smaller limit",
                )
            for records in consumer.poll(timeout_ms=_POLL_MS).values():
                yield from records
    finally:
        consumer.close()


def _shown(record: Any, with_values: bool) -> QuarantinedRecord:
    headers = {key: value.decode("utf-8", "backslashreplace") for key, value in record.headers}
    return QuarantinedRecord(
        partition=record.partition,
        offset=record.offset,
        at=datetime.fromtimestamp(record.timestamp / 1000, tz=UTC),
        error=headers.get("x-error"),
        origin=headers.get("x-origin"),
        length=len(record.value or b""),
        value=record.value if with_values else None,
    )
