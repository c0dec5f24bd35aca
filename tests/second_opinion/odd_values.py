"""What the generator draws from: boundary values, odd spellings, names outside the vocabulary."""

from datetime import timedelta

Json = object

# How long ago, around every window that a rule has (24 h for the earlier grade, 48 h for onsets).
AGES = [
    timedelta(hours=48),
    timedelta(hours=48) - timedelta(seconds=1),
    timedelta(hours=48) + timedelta(seconds=1),
    timedelta(hours=48) - timedelta(microseconds=1),
    timedelta(hours=48) + timedelta(microseconds=1),
    timedelta(hours=24),
    timedelta(hours=24) - timedelta(seconds=1),
    timedelta(hours=24) + timedelta(seconds=1),
    timedelta(hours=24) + timedelta(microseconds=1),
    timedelta(0),
    timedelta(hours=-5),
    timedelta(days=-400),
    timedelta(hours=10),
    timedelta(hours=60),
    timedelta(hours=200),
    timedelta(days=4000),
]
OFFSETS = [0, 60, -300, 345, -570, 840]

UNREADABLE_INSTANTS: list[Json] = [
    "2026-03-09",
    "2026-03-09T08:00:00",
    "2026-03-09T08:00",
    "2026-03-09T08:00Z",
    "20260309T080000Z",
    "2026-02-30T08:00:00Z",
    "2026-03-09T24:00:00Z",
    "2026-03-09T08:61:00Z",
    "2026-03-09T08:00:00+01",
    "2026-03-09T08:00:00+0100",
    "2026-03-09T08:00:00+25:00",
    "2026-03-09T08:00:00 Z",
    "2026-W10-1T08:00:00Z",
    "yesterday",
    "T08:00:00Z",
    1773129600,
    1773129600.5,
    "1773129600",
]

ODD: list[Json] = [
    "",
    " ",
    "n/a",
    "yes please",
    "unknwon",
    "none?",
    True,
    False,
    0,
    1,
    2,
    3,
    3.0,
    2.0,
    2.5,
    -1,
    -0.0,
    10**30,
    1e300,
    "2.0",
    "3",
    "NaN",
    "Infinity",
    "1e3",
    [],
    ["A"],
    [3],
    {},
    {"value": "A"},
    {"latest": "A"},
    None,
    "unknown",
    "UNKNOWN ",
]

WHOLE_EDGES: dict[str, list[Json]] = {
    "sins": [-1, 0, 6, 7, 12, 13, 18, 19, "7", " 13 ", "18", "19", "-1", 12.0, 12.5, 13.0, 1e2],
    "kps": [0, 39, 40, 41, 100, 101, -10, "40", "41", 40.0, 40.5, " 90 ", "101"],
}
WHOLE_ODD: list[Json] = ["", "six", "0x7", "1e1", "1_2", "VII", "\u0667", "7/18", [7], {"total": 7}]

NUMBER_EDGES: dict[str, list[Json]] = {
    "pvr_ml": [0, 199, 199.9, 199.99999, 200, 200.0, 201, 650, "650", "199.9", "200", " 200.0 "],
    "prognosis_months": [0, 2, 2.9, 2.999999, 3, 3.0, 3.1, 12, "2.9", "3", " 1 ", 1e300],
}
NUMBER_ODD: list[Json] = [
    -1,
    -0.5,
    "-1",
    "650 ml",
    "199,9",
    "1_000",
    "nan",
    "inf",
    "",
    "\u0665",
    [650],
]

OTHER_NAMES = [
    "bladdr",
    "aiss",
    "asi",
    "AIS",
    "Walking",
    "walkng",
    "esc",
    "thecal_compresion",
    "thecal_compressions",
    "thecalcompression",
    "thecal-compression",
    "thecal_compr",
    "compartement",
    "Compartment",
    "compartmnet",
    "comp",
    "sins_item",
    "sin",
    "trends",
    "deficit_onset",
    "deficit_onset_a",
    "pvr",
    "pvr_m",
    "previous_ais_att",
    "histolgy",
    "prognosis_month",
    "wish",
    "mri_scan",
    "age",
    "note",
    "neurological_level",
    "ais_basis",
    "",
    "x",
    "findings",
    "x.y",
]
ITEM_NAMES = ["locaton", "pian", "Pain", "lession", "total", "collapsed", "alignement", "", "x"]

BENIGN = {
    "ais": "E",
    "previous_ais": "E",
    "walking": "unaided",
    "walking_baseline": "unaided",
    "neuro_symptom": "none",
    "trend": "stable",
    "bladder": "normal",
    "saddle_sensation": "normal",
    "respiratory": "normal",
    "escc": "0",
    "thecal_compression": "none",
    "pain": "none",
    "compartment": "extradural",
}

# Rare dress of numbers and spans that no random line need carry.
RARE: list[Json] = [
    "09",
    "-0",
    "+9",
    "13.0",
    ".5",
    "5.",
    "1E3",
    "1,000",
    "+200",
    "00200",
    "\u0662",
    "9" * 400,
    10**400,
    5e-324,
    "2026-03-08T07:59:59.999999Z",
    "2026-03-09T08:00:00.1234567890123Z",
    "2026-03-08T07:59:60Z",
    "2026-03-08T07:59:61Z",
    "2026-03-09T08:00:00,5Z",
    "2026-3-9T08:00:00Z",
    "2026-03-09T08:00:00+23:59",
    "2026-03-09T08:00:00+24:00",
    {"latest": None},
    {"latest": "2026-03-09T08:00:00Z", "earliest": None},
    {"latest": "2026-03-09T08:00:00Z", "earliest": "x"},
    {"latest": "unknown", "earliest": "2026-03-09T08:00:00Z"},
    {"earliest": "2026-03-09T08:00:00Z"},
    {"latest": "2026-03-01T08:00:00Z", "earliest": "2026-03-09T08:00:00Z"},
    {"latest": "2026-03-09T08:00:00Z", "about": 1},
    {"Latest": "2026-03-09T08:00:00Z"},
    {"location": None},
    {"location": 5, "pain": 3},
    {"pain": "unknown"},
    {"pian": 3},
    {"pain": 3.0},
    {"pain": True},
    {"pain": "03"},
    {"pain": " 3 "},
]


def odd_values() -> list[Json]:
    """Every value of this file that is not a listed word, to be tried in every field."""
    edges = [value for row in [*WHOLE_EDGES.values(), *NUMBER_EDGES.values()] for value in row]
    return [*ODD, *WHOLE_ODD, *NUMBER_ODD, *UNREADABLE_INSTANTS, *RARE, *edges]
