"""SINS from its six items: a sum, or a range whose top is used (clinical-policy.md 1 and 6.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from triage.policies.tables import SinsDocument

LOCATION = "location"
PREFIX = "sins_items."


class Sins(NamedTuple):
    """The value used everywhere (None: unknown) and whether total and items contradict."""

    value: int | None
    is_conflict: bool


@dataclass(frozen=True, slots=True)
class SinsTable:
    """`points[item]`: the points that count; `location[level]`: those of the level's class.

    `keys` are the items' names among the findings, the location left out.
    """

    points: Mapping[str, frozenset[int]]
    location: Mapping[str, int]
    keys: tuple[tuple[str, int], ...]

    def read(self, values: Mapping[str, Any]) -> Sins:
        """From total, items and level. A location alone is no SINS."""
        total = values.get("sins")
        bottom, missing, known = 0, 0, 0
        for key, most in self.keys:
            points = values.get(key)
            if points is None:
                missing += most
            else:
                bottom += points
                known += 1
        if not known:
            return Sins(total, False)
        located = values.get(PREFIX + LOCATION)
        if located is None:
            located = self.location.get(values.get("level", ""))
        if located is None:
            missing += max(self.points[LOCATION])
        else:
            bottom += located
        if total is None:
            return Sins(bottom + missing, False)
        return Sins(max(total, bottom), not bottom <= total <= bottom + missing)


def sins_table(document: SinsDocument) -> SinsTable:
    """The table compiled from the book."""
    items: dict[str, dict[str, int]] = document.items.model_dump()
    points = {name: frozenset(given.values()) for name, given in items.items()}
    return SinsTable(
        points=points,
        location={
            level: items[LOCATION][name]
            for name, levels in document.location.items()
            for level in levels
        },
        keys=tuple(
            (PREFIX + name, max(given)) for name, given in points.items() if name != LOCATION
        ),
    )
