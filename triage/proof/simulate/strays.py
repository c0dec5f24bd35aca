"""Invariants 9 and 10 at the moment when a page is handed over: ought it still to ring?"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import Any, Protocol

import orjson
from aiokafka import ConsumerRecord, TopicPartition

from triage.domain.paging import ACKNOWLEDGEMENT
from triage.domain.tiers import Tier
from triage.notify.relay import LEASE_SECONDS
from triage.store.column_types import read_sqlite_instant, sqlite_instant
from triage.workflow.owing import HAND_OVER_RUNG, SHIFT_END_RUNG

_IN_HAND = timedelta(seconds=6)
_ON_ITS_WAY = timedelta(seconds=1)
_ENDING = ("page.acknowledged.v1", "case.closed.v1", "referral.cancelled.v1")


_WAITING = (
    "SELECT page, ready_at FROM page WHERE is_emergent = 1 AND ready_at <= ?"
    " ORDER BY ready_at LIMIT 1"
)
_CLAIMED = (
    "SELECT max(ready_at) FROM page WHERE is_emergent = 0 AND status = 'sending' AND ready_at > ?"
)
_LEASE = timedelta(seconds=LEASE_SECONDS)
_JUST_NOW = timedelta(milliseconds=10)


class Seen(Protocol):
    """What is looked at."""

    @property
    def raw(self) -> Any: ...
    @property
    def bus(self) -> Any: ...
    @property
    def notes(self) -> Any: ...


def stray(world: Seen, page: Mapping[str, Any], asked_at: datetime) -> Iterator[tuple[int, str]]:
    """The invariant that handing this page over breaks, and why."""
    if page["case"] is None or page["obligation"] != ACKNOWLEDGEMENT:
        return
    if page["rung"] in (HAND_OVER_RUNG, SHIFT_END_RUNG):
        return
    quiet: Mapping[str, datetime] = world.notes.quiet_since
    since = quiet.get(page["case"])
    if since is not None and since < asked_at - _IN_HAND:
        yield 9, f"rang at {asked_at} though answered or closed at {since}: {page['page']}"
    if page["tier"] != Tier.EMERGENT and _is_read(world.bus, asked_at):
        yield from _backlog(world, page, asked_at)


def _is_read(bus: Any, asked_at: datetime) -> bool:
    """A page that was on its way when the bus came back could not be held for what lies on it."""
    just_back = bus.back_at is not None and asked_at - bus.back_at < _ON_ITS_WAY
    return not (bus.is_away or just_back)


def _backlog(world: Seen, page: Mapping[str, Any], asked_at: datetime) -> Iterator[tuple[int, str]]:
    """A record that ends the ladder waited unread on the bus while the page was sent."""
    row = world.raw.execute(
        "SELECT referral FROM cases WHERE case_id = ?", (page["case"],)
    ).fetchone()
    if row is None:
        return
    positions = {
        (topic, number): at
        for topic, number, at in world.raw.execute(
            "SELECT topic, partition, next_offset FROM kafka_position"
        )
    }
    before = (asked_at - _IN_HAND).timestamp() * 1000
    logs: Mapping[TopicPartition, list[ConsumerRecord]] = world.bus.logs
    for place, log in logs.items():
        for record in log[positions.get((place.topic, place.partition), 0) :]:
            if record.key == row[0].encode() and record.timestamp < before and _ends(record):
                what = f"{place.topic}/{place.partition}/{record.offset}"
                yield 10, f"rang at {asked_at}, unread since {what}: {page['page']}"


def _ends(record: ConsumerRecord) -> bool:
    try:
        event = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return False
    if not isinstance(event, dict) or event.get("type") not in _ENDING:
        return False
    if event["type"] != "page.acknowledged.v1":
        return bool(record.topic.startswith("triage.actions") or "cancelled" in event["type"])
    return bool(event["data"].get("answer") == "coming")


def overtaken(raw: Connection, now: datetime) -> Iterator[tuple[int, str]]:
    """Invariant 8 after a claim: an EMERGENT page that was ready, left for lesser ones.

    One that became ready in the very instant of the claim may have come after it.
    """
    waiting = raw.execute(_WAITING, (sqlite_instant(now),)).fetchone()
    (held,) = raw.execute(_CLAIMED, (sqlite_instant(now + _LEASE - _JUST_NOW),)).fetchone()
    if waiting is None or held is None:
        return
    page, ready_at = waiting[0], read_sqlite_instant(waiting[1])
    if read_sqlite_instant(held) - _LEASE > ready_at:
        yield 8, f"EMERGENT and ready at {ready_at}, lesser pages were claimed before it: {page}"
