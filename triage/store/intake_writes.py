"""What a batch leaves besides its cases: journal, quarantine, Kafka position."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from triage.domain.backlog import SAID_FOR
from triage.store.bulk import bulk_insert
from triage.store.column_types import FLAG, INSTANT, TEXT
from triage.store.failures import RepeatedKey, StoreBusy, is_unique_violation
from triage.store.prepared import Prepared
from triage.store.records import EventKey, JournalEntry, QuarantineItem, SeenEvent, UnreadSource
from triage.store.rows import Backlog, Journal, Position, Quarantine, table_of
from triage.store.session import (
    EVENT_KEYS_POSTGRES,
    EVENT_KEYS_SQLITE,
    Session,
    instant_parameter,
)

JOURNAL = bulk_insert(Journal)
QUARANTINE = bulk_insert(
    Quarantine, conflict="ON CONFLICT (item_id) DO NOTHING", returning="item_id"
)

_QUARANTINE = table_of(Quarantine)
_POSITION = table_of(Position)
_BACKLOG = table_of(Backlog)
_ANSWER = "j.source, j.event_id, j.content_hash, j.case_id, j.received_at, j.effect, j.reason"
_SAME = "j.source = k.source AND j.event_id = k.event_id AND j.content_hash = k.content_hash"
_OTHER = "j.source = k.source AND j.event_id = k.event_id AND j.content_hash <> k.content_hash"
# LATERAL with OFFSET or LIMIT: one index search for each key, also while the table is young and the
# planner, for want of statistics, would rather read all of it (12 ms against 3 ms at 20,000 rows).
_SEEN = {
    True: f"SELECT {_ANSWER} FROM {EVENT_KEYS_POSTGRES} CROSS JOIN LATERAL"
    f" (SELECT * FROM journal j WHERE {_SAME} OFFSET 0) j",
    False: f"SELECT {_ANSWER} FROM {EVENT_KEYS_SQLITE} CROSS JOIN journal j WHERE {_SAME}",
}
_KEY = "SELECT DISTINCT k.source, k.event_id, k.content_hash"
_OTHER_CONTENTS = {
    True: f"{_KEY} FROM {EVENT_KEYS_POSTGRES} CROSS JOIN LATERAL"
    f" (SELECT 1 FROM journal j WHERE {_OTHER} LIMIT 1) j",
    False: f"{_KEY} FROM {EVENT_KEYS_SQLITE} CROSS JOIN journal j WHERE {_OTHER}",
}
_SEEN_BY = {
    is_postgres: text(sql).columns(
        source=TEXT,
        event_id=TEXT,
        content_hash=TEXT,
        case_id=TEXT,
        received_at=INSTANT,
        effect=FLAG,
        reason=TEXT,
    )
    for is_postgres, sql in _SEEN.items()
}
_SEEN_ANSWERS = Prepared(_SEEN_BY[False], _SEEN_BY[True])
_OTHER_CONTENTS_BY = {is_postgres: text(sql) for is_postgres, sql in _OTHER_CONTENTS.items()}
_MOVE = Prepared(
    text(
        "INSERT INTO kafka_position (topic, partition, next_offset)"
        " VALUES (:topic, :partition, :next)"
        " ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset"
        " WHERE kafka_position.next_offset <= :first"
    )
)
_MOVE_ON = Prepared(
    text(
        "UPDATE kafka_position SET next_offset = :next"
        " WHERE topic = :topic AND partition = :partition AND next_offset = :stored"
    )
)
_SAY_BEHIND = text(
    "INSERT INTO kafka_backlog (consumer, since, said_at) VALUES (:consumer, :now, :now)"
    " ON CONFLICT (consumer) DO UPDATE SET said_at = excluded.said_at, since ="
    " CASE WHEN kafka_backlog.said_at > :fresh THEN kafka_backlog.since ELSE excluded.since END"
).bindparams(instant_parameter("now"), instant_parameter("fresh"))
_BEHIND_SINCE = Prepared(
    select(func.min(_BACKLOG.c.since)).where(_BACKLOG.c.said_at > instant_parameter("fresh"))
)
_UNREAD_SOURCES = Prepared(
    select(
        _QUARANTINE.c.source,
        func.count(),
        func.min(_QUARANTINE.c.received_at),
        func.max(_QUARANTINE.c.received_at),
    )
    .where(_QUARANTINE.c.status == "unread")
    .group_by(_QUARANTINE.c.source)
    .order_by(func.min(_QUARANTINE.c.received_at))
)
_UNREAD_ITEMS = Prepared(
    select(_QUARANTINE.c.item_id)
    .where(
        _QUARANTINE.c.status == "unread",
        _QUARANTINE.c.source.is_not_distinct_from(bindparam("source", type_=TEXT)),
    )
    .order_by(_QUARANTINE.c.received_at, _QUARANTINE.c.item_id)
)
_FORGOTTEN_AFTER = timedelta(hours=1)


class PositionReads(Session):
    """Where Kafka partitions are resumed."""

    def positions(self, topics: Iterable[str] | None = None) -> dict[tuple[str, int], int]:
        """The first offset that is not stored, by (topic, partition); of all topics for None."""
        chosen = select(_POSITION)
        if topics is not None:
            chosen = chosen.where(_POSITION.c.topic.in_(list(topics)))
        return {(topic, number): at for topic, number, at in self._connection.execute(chosen)}

    def backlog_since(self, now: datetime) -> datetime | None:
        """Since when a consumer has been reading a backlog; None when none says so."""
        since: datetime | None
        ((since,),) = self._rows(_BEHIND_SINCE, {"fresh": now - SAID_FOR})
        return since


class IntakeWrites(PositionReads):
    """Journal, quarantine and positions of one transaction."""

    def seen(self, keys: Sequence[EventKey]) -> dict[EventKey, SeenEvent]:
        """Which of these events are in the journal already, and what was answered."""
        if not keys:
            return {}
        found = self._rows(_SEEN_ANSWERS, self._event_keys(keys))
        return {(row[0], row[1], row[2]): SeenEvent(*row[3:]) for row in found}

    def other_contents(self, keys: Sequence[EventKey]) -> set[EventKey]:
        """Those of the keys whose source and id are in the journal with other content."""
        if not keys:
            return set()
        sql = _OTHER_CONTENTS_BY[self.is_postgres]
        return {
            (row[0], row[1], row[2])
            for row in self._connection.execute(sql, self._event_keys(keys))
        }

    def journal(self, entries: Sequence[JournalEntry]) -> None:
        """Append events that `seen` did not know. Raises StoreBusy when a concurrent writer was
        first (do the transaction again), RepeatedKey when the entries repeat one another."""
        keys = {(entry.source, entry.event_id, entry.content_hash) for entry in entries}
        if len(keys) != len(entries):
            raise RepeatedKey("journal entries repeat an event within one batch")
        try:
            self._write(JOURNAL, entries)
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            raise StoreBusy("an event was journalled by another transaction meanwhile") from None

    def quarantine(self, items: Sequence[QuarantineItem]) -> list[str]:
        """Keep unreadable bytes for a human; returns the ids that were not there before."""
        return self._write_new(QUARANTINE, list({item.item_id: item for item in items}.values()))

    def quarantine_sources(self) -> list[UnreadSource]:
        """The unread quarantine by source, longest waiting first: what is paged, bundled."""
        return [
            UnreadSource(
                source=source,
                count=count,
                oldest_at=oldest_at,
                newest_at=newest_at,
                first_item=self.unread_items(source)[0],
            )
            for source, count, oldest_at, newest_at in self._rows(_UNREAD_SOURCES)
        ]

    def unread_items(self, source: str | None) -> list[str]:
        """The ids of a source's unread items, longest waiting first."""
        return [row[0] for row in self._rows(_UNREAD_ITEMS, {"source": source})]

    def settle_quarantine(
        self, items: Sequence[str], *, status: str, by: str, at: datetime, note: str | None = None
    ) -> int:
        """A named human has looked: `acknowledged`, `mapped` or `dismissed`. Returns how many."""
        c = _QUARANTINE.c
        change = (
            update(_QUARANTINE)
            .where(self._among("item_id"), c.status.in_(("unread", "acknowledged")))
            .values(status=status, settled_by=by, settled_at=at, note=note)
        )
        return self._connection.execute(change, {"ids": self._list(items)}).rowcount

    def move_position(
        self, topic: str, partition: int, first: int, following: int, *, stored: int | None = None
    ) -> bool:
        """Claim the records `first` to `following` - 1 of a partition for this transaction.

        False = fenced: somebody stored some of them already, so none may be stored here; seek to
        the stored position instead. A partition without a row is ours to begin. `stored` is the
        position that the caller knows (None or 0: none yet); where the database has another, also a
        lower one or none, as after a failover that lost the last commits, it is fenced as well.
        """
        where = {"topic": topic, "partition": partition, "first": first, "next": following}
        if stored:
            return self._change(_MOVE_ON, {**where, "stored": stored}) == 1
        return self._change(_MOVE, where) == 1

    def say_behind(self, consumer: str, now: datetime) -> None:
        """This consumer reads a backlog; of one that was silent meanwhile it begins anew."""
        at = {"consumer": consumer, "now": now, "fresh": now - SAID_FOR}
        self._connection.execute(_SAY_BEHIND, at)

    def say_caught_up(self, consumer: str, now: datetime) -> None:
        """This consumer has read it. What dead consumers left behind goes with it."""
        c = _BACKLOG.c
        gone = or_(c.consumer == consumer, c.said_at <= now - _FORGOTTEN_AFTER)
        self._connection.execute(delete(_BACKLOG).where(gone))
