"""Every combination of banded findings, without visiting each: groups that share no row's meaning.

Findings that meet in a derived value are enumerated together, all combinations; between such groups
only the sets of rows that they fail meet, and those are joined exactly. So a question about all of
the (about 10^13) combinations is answered for all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from triage.policies.bands import GRADE_DROP, UNKNOWN
from triage.policies.book import PolicyBook
from triage.policies.program import Settled

PREVIOUS, AGE = "previous_ais", "previous_ais age"
Combination = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that meet in a derived value. `masks`: rows that each combination fails."""

    inputs: tuple[tuple[str, tuple[str, ...]], ...]
    masks: Mapping[Combination, int]

    @property
    def size(self) -> int:
        """How many combinations were enumerated: all of them."""
        return len(self.masks)

    @property
    def distinct(self) -> frozenset[int]:
        """The sets of failed rows that occur."""
        return frozenset(self.masks.values())

    def position(self, name: str) -> int:
        """Where a finding stands in a combination."""
        return [each for each, _ in self.inputs].index(name)


class Space:
    """All combinations of one book."""

    def __init__(self, book: PolicyBook) -> None:
        self.book = book
        self.program = book.compiled.program
        self.groups = tuple(self._group(names) for names in _components(book))

    @property
    def size(self) -> int:
        """How many combinations there are in all."""
        return prod(group.size for group in self.groups)

    def _group(self, names: frozenset[str]) -> Group:
        inputs = tuple(_inputs(self.book, names))
        settled = [each for each in self.program.derived if self._variables(each.name) & names]
        order = [name for name, _ in inputs]
        masks = {
            combination: self.failed(dict(zip(order, combination, strict=True)), settled)
            for combination in product(*(values for _, values in inputs))
        }
        return Group(inputs, masks)

    def _variables(self, derived: str) -> set[str]:
        rows = next(row.rows for row in self.book.derived.derived if row.name == derived)
        return {name for row in rows for name in row.when}

    def failed(self, given: Mapping[str, str], settled: Iterable[Settled]) -> int:
        """The final rows that these values of one group fail, derived findings included."""
        failed = self.raw(given)
        for each in settled:
            failed |= each.settle(failed)[1]
        return failed & self.program.final

    def raw(self, given: Mapping[str, str]) -> int:
        """All rows that these values fail before derived findings are settled."""
        masks, failed = self.program.masks, 0
        for name, value in given.items():
            if name == PREVIOUS:
                failed |= masks[GRADE_DROP]["yes" if self._drops(given) else "no"]
            elif name == "level":
                failed |= masks["level"][value] | self._zoned(value)
            elif name != AGE:
                failed |= masks[name][value]
        return failed

    def _drops(self, given: Mapping[str, str]) -> bool:
        rank = self.book.compiled.bands.grade_rank
        before, after = given[PREVIOUS], given["ais"]
        return (
            UNKNOWN not in (before, after) and rank[after] > rank[before] and given[AGE] != "over"
        )

    def _zoned(self, level: str) -> int:
        failed = 0
        for zone in self.book.derived.zone:
            name = "other"
            for part in ("high_cervical", "below_conus"):
                name = part if level in getattr(zone, part) else name
            failed |= self.program.masks[zone.name][UNKNOWN if level == UNKNOWN else name]
        return failed

    def exists(self, fits: int, fails: int, apart: Group | None = None, has: int = 0) -> bool:
        """Whether some combination fits all rows of `fits` and fails all of `fails`.

        With `apart`, that group is not chosen: it fails the rows of `has`, and what it does to
        the rows of `fits` is not asked.
        """
        states = {has & fails}
        for group in self.groups:
            if group is apart:
                continue
            allowed = _largest(mask & fails for mask in group.distinct if not mask & fits)
            if not allowed:
                return False
            states = _largest(state | mask for state in states for mask in allowed)
        return fails in states


def _largest(masks: Iterable[int]) -> set[int]:
    """Those that no other contains: where all are to fail, failing more is never in the way."""
    kept: list[int] = []
    for mask in sorted(set(masks), key=int.bit_count, reverse=True):
        if all(mask | other != other for other in kept):
            kept.append(mask)
    return set(kept)


def _components(book: PolicyBook) -> list[frozenset[str]]:
    """The variables, grouped: those that meet in one derived finding belong together."""
    named = [name for name in book.compiled.program.masks if not _is_derived(book, name)]
    groups = [{name} for name in named if name not in (GRADE_DROP, PREVIOUS)]
    groups.append({"ais", GRADE_DROP, PREVIOUS})
    groups += [{zone.of, zone.name} for zone in book.derived.zone]
    for row in book.derived.derived:
        groups.append({name for one in row.rows for name in one.when})
    merged: list[set[str]] = []
    for group in groups:
        touching = [other for other in merged if other & group]
        merged = [other for other in merged if not other & group]
        merged.append(group.union(*touching))
    return [frozenset(group) for group in merged]


def _is_derived(book: PolicyBook, name: str) -> bool:
    return any(row.name == name for row in book.derived.derived)


def _inputs(book: PolicyBook, names: frozenset[str]) -> Iterable[tuple[str, tuple[str, ...]]]:
    zones = {zone.name for zone in book.derived.zone}
    for name in sorted(names - zones - {GRADE_DROP}):
        yield name, tuple(book.compiled.program.masks[name])
    if PREVIOUS in names:
        yield AGE, ("within", "over", UNKNOWN)
