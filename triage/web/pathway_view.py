"""The pathway of a case: milestones, tier changes and the decision in order of time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from triage.domain.instants import parse_instant
from triage.web.wall import Moment, Wall, wait_words
from triage.web.words import plain, role_words, tier_key

Point = tuple[datetime, str, str, str, str | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One point of the pathway. `gap` is the time since the step before; `was` a corrected time."""

    title: str
    detail: str
    at: Moment
    gap: str
    by: str
    was: Moment | None
    tier_key: str


def steps(document: Mapping[str, Any], wall: Wall) -> Iterator[Step]:
    """Milestones, tier changes and the decision in order of time."""
    points = sorted(
        [*_milestone_points(document), *_tier_points(document)],
        key=lambda point: (point[0], point[1]),
    )
    begin = [(points[0][0], points[0])] if points else []
    times = [*begin, *((point[0], point) for point in points)]
    for (before, _), (at, point) in pairwise(times):
        moment = wall.moment(at)
        assert moment is not None
        yield Step(
            title=point[1],
            detail=point[2],
            at=moment,
            gap=f"+{wait_words(at - before)}" if at > before else "",
            by=point[3],
            was=wall.moment(point[4]),
            tier_key=point[5],
        )


def _milestone_points(document: Mapping[str, Any]) -> Iterator[Point]:
    for name, entry in document.get("milestones", {}).items():
        at = parse_instant(entry.get("at"))
        if at is not None:
            detail = ""
            if name == "decision_made" and document.get("decision"):
                detail = plain(document["decision"])
            yield at, plain(name), detail, entry.get("recorded_by", ""), entry.get("was"), ""
    at = parse_instant(document.get("decision_at"))
    if at is not None and "decision_made" not in document.get("milestones", {}):
        yield at, "Decision made", plain(document.get("decision") or ""), "", None, ""


def _tier_points(document: Mapping[str, Any]) -> Iterator[Point]:
    for change in document.get("tier_history", ()):
        at = parse_instant(change.get("at"))
        if at is not None:
            by = role_words(change.get("by")) or "by rule"
            rules = " ".join(change.get("rules", ()))
            yield at, f"Tier {change['tier']}", rules, by, None, tier_key(change["tier"])
