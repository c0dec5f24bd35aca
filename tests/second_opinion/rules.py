"""The rules of section 2, one function each: does it hit?"""

from fractions import Fraction

from tests.second_opinion.derived import HOUR, Derived, is_between
from tests.second_opinion.reading import Seen


def is_within_48(seconds: Fraction | None) -> bool:
    """'Exactly 48 h is inside; later is outside.' 'A negative number (onset after `now`) is inside
    every window.' Unknown 'counts as <= 48 h'."""
    return seconds is None or seconds <= 48 * HOUR


def is_beyond_48(seconds: Fraction | None) -> bool:
    """Unknown 'never fires U3 or LATE_*'."""
    return seconds is not None and seconds > 48 * HOUR


def e1(seen: Seen, d: Derived) -> bool:
    """'`grade_drop`, or `trend` = worsening and `sev` >= 2'"""
    return d.grade_drop or (seen.said("trend") == "worsening" and d.sev >= 2)


def e2(seen: Seen, d: Derived) -> bool:
    """'`sev` >= 3 and (`deficit_h` <= 48 or unknown)'"""
    return d.sev >= 3 and is_within_48(d.deficit)


def e3(seen: Seen, d: Derived) -> bool:
    """'`sph` and (`bladder_h` <= 48 or unknown)'"""
    return d.sph and is_within_48(d.bladder)


def e4(seen: Seen, d: Derived) -> bool:
    """'`respiratory` = compromised (any level, any severity); **or** all of: `sev` >= 2, `level`
    C0..C4, (`escc` 2, 3 or unknown, or SINS >= 13), and (`deficit_h` <= 48 or unknown, or `trend`
    unknown)'"""
    if seen.said("respiratory") == "compromised":
        return True
    if d.sev < 2:
        return False
    if not is_between(seen.said("level"), "c0", "c4"):
        return False
    unstable = d.sins is not None and d.sins >= 13
    if seen.said("escc") not in ("2", "3", "unknown") and not unstable:
        return False
    return is_within_48(d.deficit) or seen.said("trend") == "unknown"


def e5(seen: Seen, d: Derived) -> bool:
    """'`neuro_unknown` and `high`'"""
    return d.neuro_unknown and d.high


def e7(seen: Seen, d: Derived) -> bool:
    """'`sev` exactly 2, and `high`, and (`deficit_h` <= 48 or unknown)'"""
    return d.sev == 2 and d.high and is_within_48(d.deficit)


def u1(seen: Seen, d: Derived) -> bool:
    """'`sev` >= 1'"""
    return d.sev >= 1


def u2(seen: Seen, d: Derived) -> bool:
    """'`high`'"""
    return d.high


def u3(seen: Seen, d: Derived) -> bool:
    """'`sev` >= 3 and `deficit_h` > 48; or `sph` and `bladder_h` > 48'"""
    if d.sev >= 3 and is_beyond_48(d.deficit):
        return True
    return d.sph and is_beyond_48(d.bladder)


def u4(seen: Seen, d: Derived) -> bool:
    """'SINS >= 13'"""
    return d.sins is not None and d.sins >= 13


def u5(seen: Seen, d: Derived) -> bool:
    """'`compartment` intramedullary; or intradural_extramedullary or leptomeningeal with
    (`sev` >= 1 or `pain` is not `none`)'. `pain` unknown: 'not "none", so it completes U5's
    second branch'."""
    if d.compartment == "intramedullary":
        return True
    if d.compartment in ("intradural_extramedullary", "leptomeningeal"):
        return d.sev >= 1 or seen.said("pain") != "none"
    return False


def u6(seen: Seen, d: Derived) -> bool:
    """'`neuro_unknown` and not `no_cancer`'"""
    return d.neuro_unknown and not d.no_cancer


def p1(seen: Seen, d: Derived) -> bool:
    """'`pain` in {suggestive, mechanical, severe} and not `no_cancer`'"""
    return seen.said("pain") in ("suggestive", "mechanical", "severe") and not d.no_cancer


def p2(seen: Seen, d: Derived) -> bool:
    """'`escc` 1a, 1b or 1c, or `thecal_compression` partial'"""
    return seen.said("escc") in ("1a", "1b", "1c") or seen.said("thecal_compression") == "partial"


def p3(seen: Seen, d: Derived) -> bool:
    """'SINS 7..12'"""
    return d.sins is not None and 7 <= d.sins <= 12


def p4(seen: Seen, d: Derived) -> bool:
    """'any of {`ais`, `walking`, `bladder`, SINS, compression} unknown'. '`no_cancer` does not
    switch it off'"""
    for name in ("ais", "walking", "bladder"):
        if seen.said(name) == "unknown":
            return True
    return d.sins is None or d.compression_unknown


RULES = {
    "E1": e1,
    "E2": e2,
    "E3": e3,
    "E4": e4,
    "E5": e5,
    "E7": e7,
    "U1": u1,
    "U2": u2,
    "U3": u3,
    "U4": u4,
    "U5": u5,
    "U6": u6,
    "P1": p1,
    "P2": p2,
    "P3": p3,
    "P4": p4,
}


def all_hits(seen: Seen, d: Derived) -> list[str]:
    """'Evaluate **all** rules.' R1: 'no other rule hit'."""
    hits = [name for name, rule in RULES.items() if rule(seen, d)]
    return hits or ["R1"]


def tier_of(hits: list[str]) -> str:
    """'Tier = the highest tier with a hit.'"""
    for letter, tier in (("E", "EMERGENT"), ("U", "URGENT"), ("P", "PRIORITY")):
        if any(rule.startswith(letter) for rule in hits):
            return tier
    return "ROUTINE"


def winning(hits: list[str], tier: str) -> list[str]:
    """'`rules` = the hits at the winning tier.'"""
    return [rule for rule in hits if rule[0] == tier[0]]
