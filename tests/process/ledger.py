"""What the database holds after the storm, compared with what is on the topics and at the desk."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from kafka import KafkaConsumer, TopicPartition
from sqlalchemy import make_url

from tests.process.receiving import Desk
from tests.process.topics import everything
from triage.consumers.topics import ACTIONS, REFERRALS

INBOUND = (REFERRALS, ACTIONS)
_FROM_KAFKA = "journal WHERE door = 'kafka'"  # receipts of pages are in it too
_MISSING_IN_LOG = """
SELECT count(*) FROM journal j WHERE effect AND NOT EXISTS (SELECT 1 FROM case_log l
 WHERE (l.case_id, l.source, l.event_id, l.content_hash)
     = (j.case_id, j.source, j.event_id, j.content_hash))"""
_TWICE_IN_LOG = """
SELECT count(*) FROM (SELECT 1 FROM case_log
 GROUP BY case_id, source, event_id, content_hash HAVING count(*) > 1) AS twice"""
_BROKEN_CHAIN = """
SELECT count(*) FROM case_log a LEFT JOIN case_log b ON b.case_id = a.case_id AND b.seq = a.seq - 1
 WHERE a.seq > 1 AND b.hash IS DISTINCT FROM a.previous_hash"""
_OTHER_HEAD = """
SELECT count(*) FROM cases c WHERE c.head NOT IN (SELECT hash FROM case_log l
 WHERE l.case_id = c.case_id ORDER BY seq DESC LIMIT 1)"""


def rows(database: str, statement: str) -> list[tuple[Any, ...]]:
    plain = make_url(database).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(plain) as connection:
        return connection.execute(statement).fetchall()


def count(database: str, of: str) -> int:
    """E.g. `journal`, or `page WHERE withdrawn IS NULL`."""
    return int(rows(database, f"SELECT count(*) FROM {of}")[0][0])


def stored_events(database: str) -> int:
    """Events that came over Kafka."""
    return count(database, _FROM_KAFKA)


def positions(database: str) -> dict[tuple[str, int], int]:
    found = rows(database, "SELECT topic, partition, next_offset FROM kafka_position")
    return {(topic, partition): after for topic, partition, after in found}


def ends(bootstrap: str) -> dict[tuple[str, int], int]:
    """The end of every inbound partition that holds anything."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap.split(","))
    try:
        parts = [
            TopicPartition(topic, number)
            for topic in INBOUND
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        found = consumer.end_offsets(parts)
        return {(part.topic, part.partition): end for part, end in found.items() if end}
    finally:
        consumer.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What became of the records: `records` = events + duplicates + unreadable + lost."""

    records: int
    events: int
    duplicates: int
    unreadable: int
    lost: int


def check_intake(database: str, bootstrap: str) -> Intake:
    """Every record ended in exactly one place, byte for byte. A key without `/` is garbage here."""
    records = [record for topic in INBOUND for record in everything(bootstrap, topic)]
    readable = [record for record in records if b"/" in record.key]
    copies: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for record in readable:
        copies[record.topic, record.value, tuple(record.headers)].append(record)
    journal = {o.partition("#")[0]: bytes(raw) for o, raw in _raw(database, _FROM_KAFKA)}
    lost = 0
    for same in copies.values():
        kept = [record for record in same if _origin(record) in journal]
        lost += not kept
        assert len(kept) <= 1, "one event is in the journal twice"
        assert all(_holds(journal[_origin(each)], each.value) for each in kept)
    assert stored_events(database) == len(copies) - lost
    unread = {origin: bytes(raw) for origin, raw in _raw(database, "quarantine")}
    garbage = {_origin(r): r.value or b"" for r in records if b"/" not in r.key}
    lost += len(garbage.keys() - unread.keys())
    assert unread.items() <= garbage.items(), "something else is in quarantine"
    return Intake(
        records=len(records),
        events=len(copies),
        duplicates=len(readable) - len(copies),
        unreadable=len(garbage),
        lost=lost,
    )


def check_logs(database: str) -> None:
    """Each event with effect is in its case's log once; the chains hold, up to each case's head."""
    for statement in (_MISSING_IN_LOG, _TWICE_IN_LOG, _BROKEN_CHAIN, _OTHER_HEAD):
        assert rows(database, statement) == [(0,)], statement


def _raw(database: str, table: str) -> list[tuple[Any, ...]]:
    return rows(database, f"SELECT origin, raw FROM {table}")


def _origin(record: Any) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"


def _holds(raw: bytes, value: bytes) -> bool:
    """The record itself, its headers before it (binary mode), or the one member of its array."""
    return raw == value or raw.endswith(b"\n\n" + value) or b"[" + raw + b"]" == value


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Pages by what became of them. `owed`: ordered and not withdrawn before they were sent;
    `doubled`: arrivals beyond the first of each page."""

    owed: int
    withdrawn: int
    arrived: int
    doubled: int
    lost: int


def check_pages(database: str, desk: Desk) -> Paging:
    """What is owed to the desk has arrived, and nothing else has; what came again says so.

    Of one page's arrivals at most one is unmarked. It need not be the first: a relay that was
    stopped between its claim and its request sends after the relay that took over and marked.
    """
    ordered = rows(
        database,
        "SELECT page, withdrawn IS NULL OR status = 'accepted' FROM page"
        " WHERE route_kind = 'webhook'",
    )
    arrivals: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for page in desk.pages():
        arrivals[page["page"]].append(page)
    assert arrivals.keys() <= {page for page, _ in ordered}, "a page that nobody ordered"
    unmarked = [
        page
        for page, came in arrivals.items()
        if sum(not each["possibly_doubled"] for each in came) > 1
    ]
    assert not unmarked, f"came again without saying so: {unmarked[:3]}"
    owed = {page for page, is_owed in ordered if is_owed}
    return Paging(
        owed=len(owed),
        withdrawn=len(ordered) - len(owed),
        arrived=len(arrivals),
        doubled=sum(len(came) - 1 for came in arrivals.values()),
        lost=len(owed - arrivals.keys()),
    )


def unpaged_emergencies(database: str, desk: Desk, roles: Sequence[str]) -> list[tuple[str, str]]:
    """Open EMERGENT cases without an owner for which one of `roles` was never called."""
    called = {(page["case"], page["role"]) for page in desk.pages()}
    found = rows(
        database,
        "SELECT case_id FROM cases WHERE tier = 'EMERGENT' AND owner IS NULL AND state <> 'closed'",
    )
    assert found, "no EMERGENT case without owner: nothing is shown"
    return [(case, role) for (case,) in found for role in roles if (case, role) not in called]


def is_sent(database: str) -> bool:
    """No page waits to be sent."""
    return count(database, "page WHERE ready_at IS NOT NULL AND settled_at IS NULL") == 0


def is_settled(database: str) -> bool:
    """No page waits to be sent, and no due case to be looked at."""
    late = "cases WHERE next_due_at < now() - interval '2 seconds'"
    return is_sent(database) and count(database, late) == 0
