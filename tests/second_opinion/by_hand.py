"""Cases whose answer was worked out by hand from the text."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VIGNETTES = {
    line["id"]: line
    for line in map(
        json.loads,
        (Path(__file__).parent / "vignettes.jsonl").read_text().splitlines(),
    )
}

# Policy section 7: tier, rules at the winning tier, flags.
# The palliative row is shown there after a consultant's decision; here it stands before it.
EXPECTED = {
    "breast-t6-lost-walking": ("EMERGENT", "E1 E2", "PRECAUTIONS"),
    "renal-t9-complete-10h": ("EMERGENT", "E2 E3", "PRECAUTIONS SPHINCTER"),
    "lymphoma-t8-ais-c": ("EMERGENT", "E2", "ONC_PARALLEL PRECAUTIONS STEROID_CAUTION"),
    "myeloma-l1-unstable": ("URGENT", "U4", "ONC_PARALLEL PRECAUTIONS STEROID_CAUTION"),
    "prostate-t10-grade-drop": ("EMERGENT", "E1 E2", "PRECAUTIONS"),
    "breast-l4-cauda": ("EMERGENT", "E3", "PRECAUTIONS SPHINCTER"),
    "prostate-pain-only": ("PRIORITY", "P1 P4", "EXAM_MISSING"),
    "breast-l3-incidental": ("ROUTINE", "R1", ""),
    "nsclc-no-examination": ("EMERGENT", "E5", "EXAM_MISSING PROVISIONAL"),
    "melanoma-t5-intramedullary": ("EMERGENT", "E1", "ESCC_NA PRECAUTIONS"),
    "nsclc-mild-trend-missing": ("URGENT", "U1", "PRECAUTIONS PROVISIONAL TIMER_60"),
    "thyroid-c6-radicular": ("URGENT", "U1", "PRECAUTIONS"),
    "pancreas-t6-palliative-decision": ("EMERGENT", "E1 E2", "PALL_PARALLEL PRECAUTIONS WISHES"),
    "unknown-primary-t12": (
        "URGENT",
        "U1 U2 U4",
        "PRECAUTIONS STEROID_CAUTION TISSUE_NEEDED",
    ),
    "hemangiopericytoma-l3-return": ("URGENT", "U1", "PRECAUTIONS RE_IRRADIATION RE_REFERRAL"),
}

# Every critical field known and benign: ROUTINE, so that one change shows what it does alone.
CALM: dict[str, object] = {
    "cancer": "known",
    "histology": "breast",
    "spinal_metastasis": "confirmed",
    "mri": "reported",
    "level": "T6",
    "escc": "0",
    "ais": "E",
    "walking": "unaided",
    "neuro_symptom": "none",
    "trend": "stable",
    "bladder": "normal",
    "saddle_sensation": "normal",
    "pain": "none",
    "sins": 3,
}
NO_SINS = {"sins": None}
BOTTOM_13 = {"pain": 3, "alignment": 4, "collapse": 3, "posterolateral": 3}

# Change to CALM, all rules that then hit, paths not understood.
READINGS: list[tuple[str, dict[str, object], str, str]] = [
    ("nothing changed", {}, "R1", ""),
    ("case and space", {"ais": " c "}, "E2 U1", ""),
    ("a JSON number is its decimal string", {"escc": 3.0}, "U2", ""),
    ("the string 2.0 is not 2", {"escc": "2.0"}, "P4", "escc"),
    ("a boolean is no number", {"sins": True}, "P4", "sins"),
    ("null is unknown, and not unread", {"bladder": None}, "P4", ""),
    ("empty text is outside the list", {"bladder": ""}, "P4", "bladder"),
    ("a list is outside the list", {"ais": ["A"]}, "P4", "ais"),
    ("whole number as text", {"sins": "13"}, "U4", ""),
    ("19 is above the scale", {"sins": 19}, "P4", "sins"),
    ("12.5 is not whole", {"sins": 12.5}, "P4", "sins"),
    ("199.9 mL is below", {"pvr_ml": "199.9"}, "R1", ""),
    ("200 mL is a sign", {"pvr_ml": 200}, "E3", ""),
    ("longstanding takes PVR off", {"pvr_ml": 650, "bladder": "longstanding"}, "R1", ""),
    ("a negative volume is unread", {"pvr_ml": -1}, "R1", "pvr_ml"),
    ("near miss of an absent field", {"thecal_compresion": "none"}, "P4", "thecal_compresion"),
    ("far name is only listed", {"thickness": 4}, "R1", "thickness"),
    ("near miss beside the field", {"aiss": "A"}, "R1", "aiss"),
    (
        "48 h exactly is inside",
        {"ais": "C", "deficit_onset_at": "2026-03-08T08:00:00Z"},
        "E2 U1",
        "",
    ),
    (
        "a second more is outside",
        {"ais": "C", "deficit_onset_at": "2026-03-08T07:59:59Z"},
        "U1 U3",
        "",
    ),
    (
        "bare date is unreadable",
        {"ais": "C", "deficit_onset_at": "2026-03-01"},
        "E2 U1",
        "deficit_onset_at",
    ),
    (
        "the later end is used",
        {
            "ais": "C",
            "deficit_onset_at": {
                "earliest": "2026-03-01T08:00:00Z",
                "latest": "2026-03-08T07:00:00Z",
            },
        },
        "U1 U3",
        "",
    ),
    (
        "no latest, no onset",
        {"ais": "C", "deficit_onset_at": {"earliest": "2026-03-01T08:00:00Z"}},
        "E2 U1",
        "",
    ),
    (
        "earlier grade 24 h old",
        {"ais": "D", "previous_ais": "E", "previous_ais_at": "2026-03-09T08:00:00Z"},
        "E1 U1",
        "",
    ),
    (
        "earlier grade older",
        {"ais": "D", "previous_ais": "E", "previous_ais_at": "2026-03-09T07:59:59Z"},
        "U1",
        "",
    ),
    ("a range counts at its top", {**NO_SINS, "sins_items": {"lesion": 0}}, "U4", ""),
    ("location alone is no SINS", {**NO_SINS, "sins_items": {"location": 3}}, "P4", ""),
    ("never less than the bottom", {"sins": 3, "sins_items": BOTTOM_13}, "U4", ""),
    ("points not listed", {"sins_items": {"pain": 2}}, "R1", "sins_items.pain"),
    ("cannot, for another cause", {"walking": "cannot_other"}, "R1", ""),
    (
        "walks with an aid, could not before",
        {"walking": "aided", "walking_baseline": "cannot"},
        "U1",
        "",
    ),
    ("thecal sent as unknown", {"thecal_compression": "unknown"}, "P4", ""),
    ("sac stands in at L3", {"escc": None, "thecal_compression": "none", "level": "L3"}, "R1", ""),
    ("and not at L2", {"escc": None, "thecal_compression": "none", "level": "L2"}, "P4", ""),
    ("compartment sent as unknown", {"compartment": None, "bladder": None}, "P4", ""),
    ("leptomeningeal, pain unknown", {"compartment": "leptomeningeal", "pain": None}, "U5", ""),
    ("breathing", {"respiratory": "compromised"}, "E4", ""),
    ("no cancer, pain", {"cancer": "none", "spinal_metastasis": "no", "pain": "severe"}, "R1", ""),
]


def calm_line(change: Mapping[str, object]) -> dict[str, Any]:
    """The calm case with some fields changed."""
    return {"id": "calm", "now": "2026-03-10T08:00:00Z", "findings": {**CALM, **change}}
