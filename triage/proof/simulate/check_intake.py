"""Invariants 1, 2, 3: what was accepted is kept, once, and what nobody can read is seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson

from triage.consumers.records import read_record
from triage.domain.events import Sender, Side
from triage.handle import Incoming
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.intake.registry import Registry
from triage.intake.unreadable import Unreadable, quarantine_item
from triage.proof.people_and_places import hospitals
from triage.proof.simulate.run import Outcome
from triage.proof.simulate.verdict import Violation, excused
from triage.proof.simulate.world import HOSPITALS, World
from triage.store.column_types import read_sqlite_instant

_SEEN_WITHIN = timedelta(seconds=60)
_OF_THE_CENTRE = frozenset(
    f"{name}.v1"
    for name in (
        "treatment.decided",
        "opinion.given",
        "tier.set",
        "procedure.recorded",
        "page.acknowledged",
        "case.closed",
        "cases.joined",
        "cases.parted",
        "capacity.reported",
    )
)
_JOURNAL = "SELECT source, event_id, content_hash, raw, door, type, effect, event_document"
_UNREAD = "SELECT source, min(received_at) FROM quarantine GROUP BY source"


@dataclass(slots=True)
class Given:
    """What the doors were given and answered for: raw bytes by event, and unreadable items."""

    raws: dict[tuple[str, str, str], list[bytes]] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)
    everything: set[bytes] = field(default_factory=set)

    def add(self, found: Incoming | Unreadable, *, is_accepted: bool) -> None:
        """One result of the decoder."""
        if isinstance(found, Incoming):
            self.everything.add(found.raw)
            if is_accepted:
                self.raws.setdefault(found.event.key, []).append(found.raw)
        elif is_accepted:
            item = quarantine_item(found)
            self.items[item.item_id] = item.origin


def check_intake(outcome: Outcome) -> Iterator[Violation]:
    """Everything that a sender or the bus may take for stored."""
    world = outcome.world
    given = Given()
    yield from _from_the_bus(world, given)
    _from_http(outcome, given)
    yield from _journal(world, given)
    yield from _quarantine(world, given)


def _from_the_bus(world: World, given: Given) -> Iterator[Violation]:
    names = frozenset(hospital.source for hospital in hospitals(HOSPITALS))
    registry = Registry(centres=frozenset(world.roster.sites), hospitals=names)
    positions = {
        (topic, number): at
        for topic, number, at in world.raw.execute(
            "SELECT topic, partition, next_offset FROM kafka_position"
        )
    }
    for place, log in sorted(world.bus.logs.items()):
        position = positions.get((place.topic, place.partition), 0)
        if position < len(log):
            yield Violation(1, f"{place.topic}/{place.partition}: {len(log) - position} not read")
        for record in log:
            for found in read_record(record, registry, world.story.start).found:
                given.add(found, is_accepted=record.offset < position)


def _from_http(outcome: Outcome, given: Given) -> None:
    for sent in outcome.http:
        message = sent.message
        side = Side.CENTRE if message.source in outcome.world.roster.sites else Side.HOSPITAL
        found = decode(
            message.value or b"",
            headers=dict(message.headers),
            door=Door(name="http", admits=Sender(side=side, source=message.source)),
            received_at=outcome.world.story.start,
            sent_at=None,
            origin="http",
        )
        for each in found:
            if isinstance(each, Incoming):
                given.add(each, is_accepted=sent.is_accepted)


def _journal(world: World, given: Given) -> Iterator[Violation]:
    stored: dict[tuple[str, str, str], bytes] = {}
    for source, event_id, digest, raw, door, kind, effect, document in world.raw.execute(
        f"{_JOURNAL} FROM journal"
    ):
        key = (source, event_id, digest)
        if key in stored:
            yield Violation(2, f"event twice in the journal: {source} {event_id}")
        stored[key] = raw
        if door != "relay" and raw not in given.everything:
            yield Violation(1, f"journalled but never sent: {source} {event_id} {kind}")
        if effect and kind in _OF_THE_CENTRE and _side(document) == Side.HOSPITAL:
            yield Violation(2, f"a hospital did what only the centre may: {kind} {event_id}")
    for key, raws in given.raws.items():
        if key not in stored:
            yield Violation(1, f"accepted and lost: {key[0]} {key[1]}")
        elif stored[key] not in raws:
            yield Violation(1, f"journalled with other bytes: {key[0]} {key[1]}")


def _side(document: str) -> str:
    loaded: Mapping[str, Any] = orjson.loads(document)
    return str(loaded["side"])


def _quarantine(world: World, given: Given) -> Iterator[Violation]:
    kept = {item for (item,) in world.raw.execute("SELECT item_id FROM quarantine")}
    for item, origin in given.items.items():
        if item not in kept:
            yield Violation(3, f"unreadable and not in quarantine: {origin}")
    told = [each for each in world.phones.arrivals if each.document["case"] is None]
    for source, text in world.raw.execute(_UNREAD).fetchall():
        oldest = read_sqlite_instant(text)
        first = min((each.at for each in told if each.at >= oldest), default=None)
        limit = oldest + _SEEN_WITHIN
        limit += excused(world.notes.down, oldest, first or world.clock.now())
        if (first or world.clock.now()) > limit:
            yield Violation(3, f"nobody was told in time of unread records of {source}")
