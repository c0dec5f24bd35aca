"""SINS and the derived values (policy, sections 1, 2 and 6.3)."""

from dataclasses import dataclass
from fractions import Fraction

from tests.second_opinion.reading import Seen
from tests.second_opinion.vocabulary import AIS, ITEM_POINTS, LEVELS

HOUR = 3600


def is_between(level: str, first: str, last: str) -> bool:
    """'Level order: C0, C1..C7, T1..T12, L1..L5, S1..S5'; both ends count, unknown is outside."""
    if level not in LEVELS:
        return False
    return LEVELS.index(first) <= LEVELS.index(level) <= LEVELS.index(last)


def location_points(level: str) -> int | None:
    """'junctional (C0-C2, C7-T2, T11-L1, L5-S1) 3; mobile (C3-C6, L2-L4) 2; semirigid (T3-T10) 1;
    rigid (S2-S5) 0'"""
    junctional = [("c0", "c2"), ("c7", "t2"), ("t11", "l1"), ("l5", "s1")]
    if any(is_between(level, first, last) for first, last in junctional):
        return 3
    if is_between(level, "c3", "c6") or is_between(level, "l2", "l4"):
        return 2
    if is_between(level, "t3", "t10"):
        return 1
    if is_between(level, "s2", "s5"):
        return 0
    return None


def sins_range(seen: Seen) -> tuple[int, int] | None:
    """'All six known: the sum. Some known: a range ...; a missing location is taken from `level`
    when that is known. No readable item, or `location` alone: SINS is unknown (a level is no
    SINS).'"""
    items = dict(seen.items)
    if not [item for item in items if item != "location"]:
        return None
    if "location" not in items:
        from_level = location_points(seen.said("level"))
        if from_level is not None:
            items["location"] = from_level
    bottom = sum(items.values())
    top = bottom
    for item, points in ITEM_POINTS.items():
        if item not in items:
            top = top + max(points)
    return bottom, top


def sins_total(seen: Seen) -> int | None:
    """'`sins`: the total; or from `sins_items`', 'its top is the value used everywhere'. 'Total
    and items both sent: the total, but never less than the bottom of the items' range.'"""
    span = sins_range(seen)
    if "sins" in seen.number:
        total = int(seen.number["sins"])
        if span is not None and total < span[0]:
            return span[0]
        return total
    if span is not None:
        return span[1]
    return None


def severity(seen: Seen) -> int:
    """'the highest of: 4 if `ais` A; 3 if `ais` B or C; 2 if `ais` D; 3 if `walking` = cannot and
    `walking_baseline` is not `cannot`; 2 if `walking` = aided and `walking_baseline` is not
    `aided`; 2 if `neuro_symptom` is gait or weakness; 1 if radicular or sensory; otherwise 0'"""
    found = [0]
    if seen.said("ais") == "a":
        found.append(4)
    if seen.said("ais") in ("b", "c"):
        found.append(3)
    if seen.said("ais") == "d":
        found.append(2)
    if seen.said("walking") == "cannot" and seen.said("walking_baseline") != "cannot":
        found.append(3)
    if seen.said("walking") == "aided" and seen.said("walking_baseline") != "aided":
        found.append(2)
    if seen.said("neuro_symptom") in ("gait", "weakness"):
        found.append(2)
    if seen.said("neuro_symptom") in ("radicular", "sensory"):
        found.append(1)
    return max(found)


def has_grade_drop(seen: Seen, now: Fraction) -> bool:
    """'`previous_ais` and `ais` are both A..E, `ais` is nearer to A, and the earlier grade is at
    most 24 h old or of unknown time.'"""
    before, present = seen.said("previous_ais"), seen.said("ais")
    if before not in AIS or present not in AIS:
        return False
    if AIS.index(present) >= AIS.index(before):
        return False
    if "previous_ais_at" not in seen.instant:
        return True
    return now - seen.instant["previous_ais_at"] <= 24 * HOUR


def has_sphincter_sign(seen: Seen) -> bool:
    """'`bladder` in {altered, retention_incontinence}; or `saddle_sensation` in {reduced, absent};
    or `pvr_ml` >= 200 and `bladder` is not `longstanding`'"""
    if seen.said("bladder") in ("altered", "retention_incontinence"):
        return True
    if seen.said("saddle_sensation") in ("reduced", "absent"):
        return True
    large = "pvr_ml" in seen.number and seen.number["pvr_ml"] >= 200
    return large and seen.said("bladder") != "longstanding"


def is_compression_unknown(seen: Seen) -> bool:
    """'compression is unknown when `thecal_compression` was sent as unknown, or `escc` is unknown
    and not stood in for'. 'Known: it stands in for an unknown `escc` only at `level` L3..S5'"""
    if seen.sent_as_unknown("thecal_compression"):
        return True
    if seen.said("escc") != "unknown":
        return False
    stands_in = seen.said("thecal_compression") != "unknown"
    return not (stands_in and is_between(seen.said("level"), "l3", "s5"))


def age(seen: Seen, name: str, now: Fraction) -> Fraction | None:
    """'`deficit_h` = hours from `deficit_onset_at` to `now`'; here in seconds, None = unknown."""
    if name in seen.instant:
        return now - seen.instant[name]
    return None


def compartment_of(seen: Seen) -> str:
    """'absent = extradural. Sent as `unknown`: not extradural for ESCC_NA and TIMER_60, but never
    U5'"""
    if "compartment" not in seen.sent:
        return "extradural"
    return seen.said("compartment")


@dataclass
class Derived:
    """Everything that the rules and flags look at beside the findings. Ages in seconds."""

    sev: int
    grade_drop: bool
    sph: bool
    high: bool
    neuro_unknown: bool
    no_cancer: bool
    sins: int | None
    sins_range: tuple[int, int] | None
    deficit: Fraction | None
    bladder: Fraction | None
    compartment: str
    compression_unknown: bool


def derive(seen: Seen, now: Fraction) -> Derived:
    """`high`: '`escc` 2 or 3, or `thecal_compression` severe'. `neuro_unknown`: 'at least two of
    {`ais`, `walking`, `neuro_symptom`} unknown'. `no_cancer`: '`cancer` = none **and**
    `spinal_metastasis` = no'."""
    missing = [n for n in ("ais", "walking", "neuro_symptom") if seen.said(n) == "unknown"]
    return Derived(
        sev=severity(seen),
        grade_drop=has_grade_drop(seen, now),
        sph=has_sphincter_sign(seen),
        high=seen.said("escc") in ("2", "3") or seen.said("thecal_compression") == "severe",
        neuro_unknown=len(missing) >= 2,
        no_cancer=seen.said("cancer") == "none" and seen.said("spinal_metastasis") == "no",
        sins=sins_total(seen),
        sins_range=sins_range(seen),
        deficit=age(seen, "deficit_onset_at", now),
        bladder=age(seen, "bladder_onset_at", now),
        compartment=compartment_of(seen),
        compression_unknown=is_compression_unknown(seen),
    )
