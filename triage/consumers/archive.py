"""Inbound records that Kafka still has, found again by when they were sent: for the auditor."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from triage.consumers.kafka_connection import checked
from triage.consumers.records import read_record
from triage.consumers.topics import INBOUND
from triage.handle import Incoming
from triage.intake.registry import NOBODY
from triage.store.records import EventKey

_LOG = logging.getLogger(__name__)
_TIMEOUT_MS = 5_000
_POLL_MS = 500
_POLLS = 6
_RECORDS = 2_000  # of one millisecond and what follows it at once, in all partitions


class KafkaArchive:
    """Reads with an assignment of its own: no group, no offset of anybody is touched."""

    def __init__(self, bootstrap: Sequence[str], security: Mapping[str, str]) -> None:
        self._bootstrap, self._security = list(bootstrap), security

    def find(self, key: EventKey, sent_at: datetime) -> Incoming | None:
        """The event as it came, with its bytes and place; None when Kafka does not have it (any
        more), or does not answer. `sent_at` is the broker's time of the record."""
        try:
            consumer: Any = KafkaConsumer(
                bootstrap_servers=self._bootstrap,
                enable_auto_commit=False,
                bootstrap_timeout_ms=_TIMEOUT_MS,
                request_timeout_ms=_TIMEOUT_MS,
                **checked(self._security),
            )
            try:
                return self._search(consumer, key, sent_at)
            finally:
                consumer.close()
        except KafkaError as error:
            _LOG.warning("archive.not_read: %s", type(error).__name__)
            return None

    def _search(self, consumer: Any, key: EventKey, sent_at: datetime) -> Incoming | None:
        partitions = [
            TopicPartition(topic, number)
            for topic in INBOUND
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        at = int(sent_at.timestamp() * 1000)
        places = consumer.offsets_for_times(dict.fromkeys(partitions, at)) if partitions else {}
        consumer.assign([place for place, found in places.items() if found is not None])
        for place, found in places.items():
            if found is not None:
                consumer.seek(place, found.offset)
        return self._read(consumer, key, at) if consumer.assignment() else None

    @staticmethod
    def _read(consumer: Any, key: EventKey, at: int) -> Incoming | None:
        """From each partition's first record at that time on, until all are past it."""
        waiting, read = set(consumer.assignment()), 0
        for _ in range(_POLLS):
            for place, records in consumer.poll(timeout_ms=_POLL_MS).items():
                for record in records:
                    read += 1
                    if record.timestamp > at:
                        waiting.discard(place)
                    for item in read_record(record, NOBODY, _received(record)).found:
                        if isinstance(item, Incoming) and item.event.key == key:
                            return item
            if not waiting or read > _RECORDS:
                return None
        return None


def _received(record: Any) -> datetime:
    """Only the bytes are wanted: the log has when it was received."""
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)
