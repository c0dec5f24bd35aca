"""From findings to the bands that the book's rows name: numbers, windows, levels, grade drop."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from triage.policies.program import Program
from triage.policies.sins import Sins, SinsTable
from triage.policies.tables import Cut, DerivedDocument, FieldRow, Window

UNKNOWN = "unknown"
GRADE_DROP, SINS_CONFLICT = "grade_drop", "sins_conflict"
Earlier = Sequence[tuple[str, datetime | None]]


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of one patient, by field (`sins_items.pain` and so on for the items).

    `unknown` are the fields sent as unknown; the others that `values` lacks were not sent.
    """

    values: Mapping[str, Any]
    unknown: frozenset[str]


@dataclass(frozen=True, slots=True)
class Drop:
    """A grade nearer to A than an earlier one; `age` is None when that one's time is not known."""

    before: str
    after: str
    age: timedelta | None


@dataclass(frozen=True, slots=True)
class Bands:
    """Masks of the program, laid out by the findings that they are looked up with.

    Under None stands what a finding that was left out fails. `told_apart` are the fields for which
    that is not the same as unknown.
    """

    choices: tuple[tuple[str, Mapping[str | None, int]], ...]
    told_apart: tuple[tuple[str, Mapping[str | None, int]], ...]
    cuts: tuple[tuple[str, tuple[int, ...], tuple[int, ...], int], ...]
    sins_cut: tuple[tuple[int, ...], tuple[int, ...], int]
    windows: tuple[tuple[str, timedelta, int, int, int], ...]
    drop: tuple[int, int]
    conflict: tuple[int, int]
    grade_rank: Mapping[str, int]
    drop_window: timedelta
    sins: SinsTable

    def failed(self, findings: Findings, now: datetime, drop: Drop | None, sins: Sins) -> int:
        """The rows that these findings fail, before derived findings are settled."""
        values, unknowns = findings.values, findings.unknown
        get = values.get
        failed = self.drop[drop is not None] | self.conflict[sins.is_conflict]
        for name, masks in self.choices:
            failed |= masks[get(name)]
        for name, masks in self.told_apart:
            failed |= masks[get(name, UNKNOWN if name in unknowns else None)]
        for name, edges, bands, unknown in self.cuts:
            value = get(name)
            failed |= unknown if value is None else bands[bisect_right(edges, value) - 1]
        edges, bands, unknown = self.sins_cut
        number = sins.value
        failed |= unknown if number is None else bands[bisect_right(edges, number) - 1]
        for name, within, inside, over, unknown in self.windows:
            value = get(name)
            if value is None:
                failed |= unknown
            else:
                failed |= inside if now - value <= within else over
        return failed

    def grade_drop(self, values: Mapping[str, Any], at: datetime, earlier: Earlier) -> Drop | None:
        """A drop to the present grade, found at `at`, from any grade at most the window older."""
        grade = values.get("ais")
        before = values.get("previous_ais")
        if grade is None or (before is None and not earlier):
            return None
        if before is not None:
            earlier = ((before, values.get("previous_ais_at")), *earlier)
        rank = self.grade_rank
        for before, then in earlier:
            age = None if then is None else at - then
            if rank[grade] > rank[before] and (age is None or age <= self.drop_window):
                return Drop(before, grade, age)
        return None


def variables(
    fields: Mapping[str, FieldRow], document: DerivedDocument
) -> dict[str, tuple[str, ...]]:
    """Every variable that a row of the book may name, with its values."""
    named: dict[str, tuple[str, ...]] = {
        name: tuple(dict.fromkeys((*row.values, UNKNOWN, row.absent)))
        for name, row in fields.items()
        if row.kind == "choice"
    }
    for cut in document.cut:
        named[cut.name] = (*(band.name for band in cut.bands), UNKNOWN)
    for window in document.window:
        named[window.name] = ("within", "over", UNKNOWN)
    for zone in document.zone:
        named[zone.name] = ("high_cervical", "below_conus", "other", UNKNOWN)
    named[GRADE_DROP] = named[SINS_CONFLICT] = ("no", "yes")
    return named


def bands(
    program: Program,
    fields: Mapping[str, FieldRow],
    document: DerivedDocument,
    sins: SinsTable,
) -> Bands:
    """Compile the masks of one book by the fields they are looked up with."""
    masks = program.masks
    choices = {name: row for name, row in fields.items() if row.kind == "choice"}
    plain = {name: masks[name] for name, row in choices.items() if row.absent == UNKNOWN}
    for zone in document.zone:
        by_zone = dict.fromkeys(fields[zone.of].values, masks[zone.name]["other"])
        by_zone |= dict.fromkeys(zone.high_cervical, masks[zone.name]["high_cervical"])
        by_zone |= dict.fromkeys(zone.below_conus, masks[zone.name]["below_conus"])
        by_zone[UNKNOWN] = masks[zone.name][UNKNOWN]
        plain[zone.of] = {value: mask | plain[zone.of][value] for value, mask in by_zone.items()}
    return Bands(
        choices=tuple(
            (name, _with_absent(given, UNKNOWN))
            for name, given in plain.items()
            if any(given.values())
        ),
        told_apart=tuple(
            (name, _with_absent(masks[name], row.absent))
            for name, row in choices.items()
            if row.absent != UNKNOWN
        ),
        cuts=tuple(
            (cut.of, *_cut(cut, masks[cut.name])) for cut in document.cut if cut.of != "sins"
        ),
        sins_cut=next(_cut(cut, masks[cut.name]) for cut in document.cut if cut.of == "sins"),
        windows=tuple(_window(window, masks[window.name]) for window in document.window),
        drop=(masks[GRADE_DROP]["no"], masks[GRADE_DROP]["yes"]),
        conflict=(masks[SINS_CONFLICT]["no"], masks[SINS_CONFLICT]["yes"]),
        grade_rank={grade: rank for rank, grade in enumerate(fields["ais"].values)},
        drop_window=document.grade_drop.within,
        sins=sins,
    )


def _with_absent(masks: Mapping[str, int], absent: str) -> dict[str | None, int]:
    found: dict[str | None, int] = dict.fromkeys([None], masks[absent])
    found.update(masks.items())
    return found


def _cut(cut: Cut, masks: Mapping[str, int]) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    edges = tuple(band.from_ for band in cut.bands)
    return edges, tuple(masks[band.name] for band in cut.bands), masks[UNKNOWN]


def _window(window: Window, masks: Mapping[str, int]) -> tuple[str, timedelta, int, int, int]:
    return window.of, window.within, masks["within"], masks["over"], masks[UNKNOWN]
