"""What a month was like: for those who were paged, and for those who waited."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from triage.domain.instants import parse_instant
from triage.domain.paging import ACKNOWLEDGEMENT
from triage.domain.tiers import Tier
from triage.proof.simulate.world import World

_NIGHT = (23, 7)  # somebody who is paged between these hours is woken
_DAY_SHIFT = (8, 20)


@dataclass(frozen=True, slots=True)
class Ring:
    """One page to one person or role, on whichever of their routes it came first."""

    at: datetime  # on the site's wall clock
    who: str
    role: str
    tier: str


@dataclass(frozen=True, slots=True)
class Wait:
    """From the start of a run to the answer; the longest of its tier."""

    tier: str
    runs: int
    longest: timedelta
    longest_case: str
    unanswered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFigures:
    """`load` = pages, EMERGENT pages and nights woken of each person; `shifts` = pages of each
    shift by its first instant; `missed` = obligation and tier; `unreachable` = who and why."""

    title: str
    days: int
    cases: int
    by_tier: Mapping[str, int]
    rings: tuple[Ring, ...]
    load: Mapping[str, tuple[int, int, int]]
    shifts: Mapping[str, tuple[int, float, int]]
    waits: tuple[Wait, ...]
    missed: Mapping[tuple[str, str], int]
    unreachable: Mapping[tuple[str, str], int]


def figures(world: World, title: str, days: int) -> MonthFigures:
    """Read from what a run left in its store and at its telephones."""
    zone = world.roster.sites[world.roster.default_site].zone
    rings = tuple(_rings(world, zone))
    documents = [
        orjson.loads(text)
        for (text,) in world.raw.execute(
            "SELECT document FROM cases WHERE state <> 'unopened' ORDER BY case_id"
        )
    ]
    return MonthFigures(
        title=title,
        days=days,
        cases=len(documents),
        by_tier=dict(Counter(document["tier"] for document in documents)),
        rings=rings,
        load=_load(rings),
        shifts=_shifts(rings, days),
        waits=tuple(_waits(documents, world.clock.now())),
        missed=_missed(documents),
        unreachable=_unreachable(world),
    )


def _rings(world: World, zone: ZoneInfo) -> Iterator[Ring]:
    """Two routes of one step are one ring; so is a page that is tried again."""
    seen: set[tuple[Any, ...]] = set()
    for arrival in world.phones.arrivals:
        page = arrival.document
        step = (*page["page"].split(".")[:5], page["role"])
        if step not in seen:
            seen.add(step)
            who = page["person"] or f"nobody ({page['role']})"
            yield Ring(arrival.at.astimezone(zone), who, page["role"], page["tier"] or "unread")


def _load(rings: tuple[Ring, ...]) -> dict[str, tuple[int, int, int]]:
    found: dict[str, list[Ring]] = defaultdict(list)
    for ring in rings:
        found[ring.who].append(ring)
    return {
        who: (
            len(each),
            sum(ring.tier == Tier.EMERGENT for ring in each),
            len({_night(ring.at) for ring in each} - {None}),
        )
        for who, each in sorted(found.items())
    }


def _night(at: datetime) -> str | None:
    """The night that an instant falls into, by the date on which it began."""
    begins, ends = _NIGHT
    if at.hour >= begins:
        return at.date().isoformat()
    return (at - timedelta(days=1)).date().isoformat() if at.hour < ends else None


def _shifts(rings: tuple[Ring, ...], days: int) -> dict[str, tuple[int, float, int]]:
    """Pages, mean and most of a shift, of day shifts and of night shifts."""
    counts: dict[str, Counter[str]] = {"day": Counter(), "night": Counter()}
    for ring in rings:
        is_day = _DAY_SHIFT[0] <= ring.at.hour < _DAY_SHIFT[1]
        began = ring.at if ring.at.hour >= _DAY_SHIFT[0] else ring.at - timedelta(days=1)
        counts["day" if is_day else "night"][began.date().isoformat()] += 1
    return {
        kind: (count.total(), count.total() / days, max(count.values(), default=0))
        for kind, count in counts.items()
    }


def _waits(documents: list[Mapping[str, Any]], now: datetime) -> Iterator[Wait]:
    """Every run of an acknowledgement, at the tier that its case had when it started."""
    runs: dict[str, list[tuple[timedelta, str, bool]]] = defaultdict(list)
    for document in documents:
        for each in document["obligations"]:
            if each["name"] != ACKNOWLEDGEMENT:
                continue
            started = _at(each["starts_at"])
            ended = each["met_at"] or each["closed_at"]
            wait = (_at(ended) if ended else now) - started
            runs[_tier_at(document, started)].append((wait, document["case"], not ended))
    for tier in Tier:
        if found := runs.get(tier.value):
            longest, case, _ = max(found)
            yield Wait(tier.value, len(found), longest, case, sum(each[2] for each in found))


def _tier_at(document: Mapping[str, Any], at: datetime) -> str:
    tier = str(document["tier"])
    for change in reversed(document["tier_history"]):
        tier = change["tier"]
        if _at(change["at"]) <= at:
            break
    return tier


def _missed(documents: list[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    return dict(
        Counter(
            (each["name"], document["tier"])
            for document in documents
            for each in document["obligations"]
            if each["breached_at"]
        ).most_common()
    )


def _unreachable(world: World) -> dict[tuple[str, str], int]:
    """Roles that nobody served, and people whose providers did not take it."""
    found: Counter[tuple[str, str]] = Counter()
    for (text,) in world.raw.execute("SELECT order_document FROM page"):
        order = orjson.loads(text)
        if order["person"] is None:
            found[(order["role"], order["chosen_by"])] += 1
    for text, word in world.raw.execute(
        "SELECT order_document, provider_word FROM page_attempt a JOIN page p USING (page)"
        " WHERE a.outcome = 'failed'"
    ):
        order = orjson.loads(text)
        found[(order["person"] or order["role"], f"{order['route']}: {word}")] += 1
    return dict(found.most_common())


def _at(text: str) -> datetime:
    instant = parse_instant(text)
    assert instant is not None
    return instant
