"""One batch, one transaction: events, quarantine and positions, or nothing of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from aiokafka import TopicPartition

from triage.consumers.records import ReadRecord, spans
from triage.consumers.topics import QUARANTINE
from triage.handle import Desk, Incoming, Outcome, handle
from triage.intake.unreadable import Unreadable, quarantine_item
from triage.store.records import OutboxRow, QuarantineItem
from triage.store.store import Store
from triage.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Stored:
    """What a transaction took in. `fenced` partitions had been stored by another: none of their
    records are in it."""

    incoming: Sequence[Incoming]
    outcomes: Sequence[Outcome]
    quarantined: int
    fenced: frozenset[TopicPartition]


def store_batch(
    store: Store,
    records: Sequence[ReadRecord],
    desk: Desk,
    *,
    now: datetime,
    unfenced: Collection[TopicPartition] = (),
    known: Mapping[TopicPartition, int] = MappingProxyType({}),
) -> Stored:
    """Store the records and move their partitions' positions. Raises StoreUnavailable.

    `unfenced` partitions are taken in without a position (their log was cut back below it); `known`
    are the stored positions as the consumer knows them.
    """
    with store.begin() as tx:
        fenced = frozenset(
            partition
            for partition, (first, after) in sorted(spans(records).items())
            if partition not in unfenced
            and not tx.move_position(
                partition.topic, partition.partition, first, after, stored=known.get(partition)
            )
        )
        found = [
            each for record in records if record.partition not in fenced for each in record.found
        ]
        incoming = [each for each in found if isinstance(each, Incoming)]
        unreadable = [each for each in found if isinstance(each, Unreadable)]
        outcomes = handle(tx, incoming, desk, now=now)
        return Stored(incoming, outcomes, _keep(tx, unreadable, desk, now), fenced)


def _keep(tx: Transaction, unreadable: Sequence[Unreadable], desk: Desk, now: datetime) -> int:
    """Quarantine what is new, tell the topic, and have the sweep page for it at once."""
    items = {item.item_id: item for item in map(quarantine_item, unreadable)}
    new = tx.quarantine(list(items.values()))
    if new:
        tx.notify("due")
    if desk.publishes:
        causes = {each.origin: each for each in unreadable}
        tx.outbox([_record(items[item], causes[items[item].origin]) for item in new], now)
    return len(new)


def _record(item: QuarantineItem, cause: Unreadable) -> OutboxRow:
    where, allowed = cause.reason["path"] or "record", cause.reason["allowed"]
    headers = (("x-error", f"{where}: not {allowed}"), ("x-origin", item.origin))
    return OutboxRow(topic=QUARANTINE, key=item.item_id, value=item.raw, headers=headers)
