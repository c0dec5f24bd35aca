"""Worse and better: the property table of policy section 2, and what stands outside it."""

from fractions import Fraction

from tests.second_opinion.reading import Seen
from tests.second_opinion.vocabulary import ITEM_POINTS

Value = str | Fraction | None

BENIGN_TO_WORSE: dict[str, list[str]] = {
    "ais": ["e", "d", "c", "b", "a"],
    "walking": ["unaided", "aided", "cannot"],
    "neuro_symptom": ["none", "radicular", "sensory", "gait", "weakness"],
    "bladder": ["normal", "altered", "retention_incontinence"],
    "saddle_sensation": ["normal", "reduced", "absent"],
    "escc": ["0", "1a", "1b", "1c", "2", "3"],
    "thecal_compression": ["none", "partial", "severe"],
    "trend": ["improving", "stable", "worsening"],
    "pain": ["none", "nonmechanical", "suggestive", "mechanical", "severe"],
    "respiratory": ["normal", "compromised"],
    "cancer": ["none", "suspected", "known"],
    "spinal_metastasis": ["no", "suspected", "confirmed"],
}
# 'extradural, then intradural_extramedullary or leptomeningeal, then intramedullary'
_COMPARTMENT = {
    "extradural": 0,
    "intradural_extramedullary": 1,
    "leptomeningeal": 1,
    "intramedullary": 2,
}
# '`pvr_ml` ascending', '`sins` 0 .. 18', '`deficit_h`, `bladder_h` descending': a later onset.
_ITEM = "sins_items."
_NUMBERS = ("pvr_ml", "sins", *(_ITEM + item for item in ITEM_POINTS))
_INSTANTS = ("deficit_onset_at", "bladder_onset_at")
ORDERED = (*BENIGN_TO_WORSE, "compartment", *_NUMBERS, *_INSTANTS)


def value_of(seen: Seen, field: str) -> Value:
    """What was read in a field; None = not assessed."""
    if field in seen.text:
        return seen.text[field]
    if field in seen.number:
        return seen.number[field]
    if field.startswith(_ITEM) and field.removeprefix(_ITEM) in seen.items:
        return Fraction(seen.items[field.removeprefix(_ITEM)])
    return seen.instant.get(field)


def place(field: str, value: Value) -> Fraction | None:
    """How bad a value is within its row; None for unknown or 'outside these orders'."""
    if value is None:
        return None
    if field == "compartment":
        return Fraction(_COMPARTMENT[str(value)])
    if field in _NUMBERS or field in _INSTANTS:
        return Fraction(value)
    row = BENIGN_TO_WORSE.get(field, [])
    return Fraction(row.index(str(value))) if value in row else None


def is_worse(field: str, value: Value, before: Value) -> bool:
    """Both inside the row, and the later one in it."""
    here, there = place(field, value), place(field, before)
    return here is not None and there is not None and here > there


def is_most_benign(field: str, value: Value) -> bool:
    """The first value of a row. The earlier an onset the better: it has no most benign one."""
    return place(field, value) == 0 and field not in _INSTANTS
