"""Invariants 7, 8, 9, 10, 13: pages arrive, once where it can be, in time, and nobody is rung
for what has been answered."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Set
from datetime import datetime, timedelta
from typing import Any

import orjson

from triage.domain.roster.roster import DESK_INBOX
from triage.domain.tiers import Tier
from triage.proof.simulate.phones import Arrival
from triage.proof.simulate.run import Outcome
from triage.proof.simulate.verdict import Violation, excused
from triage.proof.simulate.world import World
from triage.store.column_types import read_sqlite_instant

_ARRIVES_WITHIN = timedelta(seconds=60)
_IN_HAND = timedelta(seconds=6)  # a page may be claimed and wait for a slot that long
_SHORTEST = 6
_PRIVATE = re.compile(rb'"(?:value|birth_date|note)": ?"([^"]{%d,})"' % _SHORTEST)
_PAGES = (
    "SELECT page, case_id, is_emergent, status, withdrawn, ordered_at, ready_at, tier"
    " FROM page ORDER BY ordered_at, page"
)
_GAVE_WAY = (
    "SELECT page.page, case_log.received_at FROM page JOIN page_attempt USING (page)"
    " JOIN case_log USING (case_id) WHERE page_attempt.provider_word = 'superseded'"
    " AND case_log.document ->> '$.type' = 'cases.parted.v1'"
)


def check_pages(outcome: Outcome) -> Iterator[Violation]:
    """Every page that was ordered, and every one that arrived."""
    world = outcome.world
    arrivals: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in world.phones.arrivals:
        arrivals[arrival.document["page"]].append(arrival)
    pages = world.raw.execute(_PAGES).fetchall()
    again = _owed_again(world)
    for row in pages:
        yield from _arrives(world, row, arrivals[row[0]], again.get(row[0], []))
    for page, found in arrivals.items():
        yield from _doubled(page, found)
    yield from _queued(world, arrivals, {row[0]: read_sqlite_instant(row[5]) for row in pages})
    yield from _nothing_private(world)
    for invariant, what in world.notes.strays:
        yield Violation(invariant, what)
    yield from _owners(world)


def _owed_again(world: World) -> dict[str, list[datetime]]:
    """Of pages that gave way to those of a case that theirs was joined with: when it was parted."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for page, parted in world.raw.execute(_GAVE_WAY).fetchall():
        found[page].append(read_sqlite_instant(parted))
    return found


def _arrives(
    world: World, row: Any, found: list[Arrival], again: list[datetime]
) -> Iterator[Violation]:
    page, _, is_emergent, status, withdrawn, ordered_text, *_ = row
    now, ordered_at = world.clock.now(), read_sqlite_instant(ordered_text)
    first = min((each.at for each in found), default=None)
    ordered_at = max([ordered_at, *(at for at in again if at <= (first or now))])
    if status == "accepted" and first is None:
        yield Violation(7, f"recorded as sent, and at no provider: {page}")
        return
    if withdrawn is not None or status == "suppressed":
        return
    limit = _ARRIVES_WITHIN + excused(world.notes.down, ordered_at, first or now)
    waited = (first or now) - ordered_at
    if first is None and waited > limit:
        yield Violation(7, f"ordered at {ordered_at} and at no provider: {page}")
    elif is_emergent and waited > limit:
        yield Violation(8, f"EMERGENT page took {waited}: {page}")


def _doubled(page: str, found: list[Arrival]) -> Iterator[Violation]:
    """A second ring on one route says that it may be one, unless a time-out was in between."""
    seen: set[str] = set()
    for each in sorted(found, key=lambda arrival: (arrival.asked_at, arrival.document["attempt"])):
        if each.document["route"] in seen and not each.document["possibly_doubled"]:
            yield Violation(7, f"rang twice, not marked: {page} by {each.document['route']}")
        if each.is_answered and each.document["route"] != DESK_INBOX:
            seen.add(each.document["route"])


def _queued(
    world: World, arrivals: dict[str, list[Arrival]], ordered: dict[str, datetime]
) -> Iterator[Violation]:
    """No EMERGENT page waits for its first attempt while lesser ones begin theirs."""
    begun = sorted(
        min(each.asked_at for each in found)
        for page, found in arrivals.items()
        if found and found[0].document["tier"] != Tier.EMERGENT
    )
    for page, found in arrivals.items():
        if not found or found[0].document["tier"] != Tier.EMERGENT or page not in ordered:
            continue
        first = min(found, key=lambda each: each.asked_at)
        patience = ordered[page] + _IN_HAND
        patience += excused(world.notes.down, ordered[page], first.asked_at)
        place = bisect_right(begun, patience)
        meanwhile = begun[place : place + 1]
        if first.document["attempt"] == 1 and meanwhile and meanwhile[0] < first.asked_at:
            yield Violation(8, f"EMERGENT page queued behind lesser ones: {page}")


def _nothing_private(world: World) -> Iterator[Violation]:
    """A secret has no quotation mark, so it stands between two of them; most of what stands there
    stands in page after page, and is looked through once."""
    secrets = {
        match
        for message in world.story.messages
        for match in _PRIVATE.findall(message.value or b"")
    }
    begin = {secret[:_SHORTEST] for secret in secrets}  # a text without these has no secret
    harmless: set[bytes] = set()
    for arrival in world.phones.arrivals:
        parts = set(orjson.dumps(dict(arrival.document)).split(b'"')) - harmless
        if any(_shows(part, secrets, begin) for part in parts):
            yield Violation(13, f"a page shows what is private: {arrival.document['page']}")
        else:
            harmless |= parts


def _shows(part: bytes, secrets: Set[bytes], begin: Set[bytes]) -> bool:
    if begin.isdisjoint([part[at : at + _SHORTEST] for at in range(len(part))]):
        return False
    return any(secret in part for secret in secrets)


def _owners(world: World) -> Iterator[Violation]:
    """An EMERGENT ladder is not stopped by a coordinator."""
    for case, owner in world.raw.execute(
        "SELECT case_id, owner FROM cases WHERE tier = 'EMERGENT' AND owner IS NOT NULL"
        " AND state <> 'closed' AND unacknowledged_since IS NULL"
    ).fetchall():
        if owner not in ("registrar", "fellow", "consultant", "second_consultant"):
            yield Violation(9, f"{case}: EMERGENT and quiet in the hands of the {owner}")
