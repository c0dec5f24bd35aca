"""Records owed to Kafka: written with the case, claimed in order, marked when published."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Select, exists, or_, select, text, update

from triage.store.bulk import bulk_insert
from triage.store.records import OutboxItem, OutboxRow
from triage.store.rows import Outbox, table_of
from triage.store.session import Session

_OUTBOX = table_of(Outbox)
_PUBLISHER = text("SELECT pg_try_advisory_xact_lock(hashtextextended('outbox', 1))")
OUTBOX = bulk_insert(
    Outbox,
    skip=("lease_until", "published_at"),
    values_of=lambda owed: _columns(*owed),
)


def _columns(row: OutboxRow, now: datetime) -> tuple[Any, ...]:
    return (row.topic, row.key, row.value, orjson.dumps(row.headers).decode(), now)


class OutboxWrites(Session):
    """The outbox part of one transaction."""

    def outbox(self, rows: Sequence[OutboxRow], now: datetime) -> None:
        """Owe these records to Kafka."""
        self._write(OUTBOX, [(row, now) for row in rows])

    def claim_outbox(
        self, limit: int, *, now: datetime, lease_seconds: float = 30.0
    ) -> list[OutboxItem]:
        """Up to `limit` unpublished records, oldest first, ours until the lease ends.

        A record waits while an earlier one of its topic and key is in another publisher's hands,
        so that a compacted topic ends with the newest. Empty while another claim is under way.
        """
        if self.is_postgres and not self._connection.execute(_PUBLISHER).scalar():
            return []
        c = _OUTBOX.c
        items = [
            OutboxItem(
                id=row.id,
                topic=row.topic,
                key=row.key,
                value=bytes(row.value),
                headers=tuple((name, value) for name, value in orjson.loads(row.headers)),
            )
            for row in self._connection.execute(_owed(now, limit))
        ]
        if items:
            held = update(_OUTBOX).where(c.id.in_([item.id for item in items]))
            until = now + timedelta(seconds=lease_seconds)
            self._connection.execute(held.values(lease_until=until))
        return items

    def mark_published(self, ids: Sequence[int], now: datetime) -> None:
        """Kafka has acknowledged these records."""
        change = update(_OUTBOX).where(_OUTBOX.c.id.in_(list(ids)))
        self._connection.execute(change.values(published_at=now))


def _owed(now: datetime, limit: int) -> Select[Any]:
    """The oldest unpublished records that nobody holds, nor an earlier one of the same key."""
    c = _OUTBOX.c
    earlier = _OUTBOX.alias("earlier").c
    waits = exists().where(
        earlier.topic == c.topic,
        earlier.key == c.key,
        earlier.id < c.id,
        earlier.published_at.is_(None),
        earlier.lease_until > now,
    )
    free = or_(c.lease_until.is_(None), c.lease_until <= now)
    return select(_OUTBOX).where(c.published_at.is_(None), free, ~waits).order_by(c.id).limit(limit)
