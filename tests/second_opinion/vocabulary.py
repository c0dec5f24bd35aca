"""The words of the findings vocabulary, case-folded, and the points of SINS."""

LEVELS = (
    [f"c{n}" for n in range(8)]
    + [f"t{n}" for n in range(1, 13)]
    + [f"l{n}" for n in range(1, 6)]
    + [f"s{n}" for n in range(1, 6)]
)

AIS = ["a", "b", "c", "d", "e"]
WALKING = ["unaided", "aided", "cannot", "cannot_other"]

TEXT = {
    "cancer": ["known", "suspected", "none"],
    "histology": [
        "breast",
        "prostate",
        "renal",
        "nsclc",
        "sclc",
        "lymphoma",
        "myeloma",
        "leukaemia",
        "germ_cell",
        "melanoma",
        "thyroid",
        "colorectal",
        "pancreas",
        "hepatocellular",
        "sarcoma",
        "hemangiopericytoma",
        "neuroendocrine",
        "ovarian",
        "other",
        "none",
    ],
    "spinal_metastasis": ["confirmed", "suspected", "no"],
    "mri": ["reported", "done", "requested", "none"],
    "level": LEVELS,
    "compartment": ["extradural", "intradural_extramedullary", "intramedullary", "leptomeningeal"],
    "escc": ["0", "1a", "1b", "1c", "2", "3", "na"],
    "thecal_compression": ["none", "partial", "severe"],
    "ais": AIS,
    "previous_ais": AIS,
    "walking": WALKING,
    "walking_baseline": WALKING,
    "neuro_symptom": ["none", "radicular", "sensory", "gait", "weakness"],
    "trend": ["worsening", "stable", "improving"],
    "bladder": ["normal", "altered", "retention_incontinence", "longstanding"],
    "saddle_sensation": ["normal", "reduced", "absent"],
    "respiratory": ["normal", "compromised"],
    "pain": ["none", "nonmechanical", "suggestive", "mechanical", "severe"],
    "wishes": ["wants", "declines"],
    "prior_radiotherapy": ["yes", "no"],
    "re_referral": ["yes", "no"],
    "anticoagulated": ["yes", "no"],
}

WHOLE = {"sins": (0, 18), "kps": (0, 100)}
NUMBERS = ["pvr_ml", "prognosis_months"]
ONSETS = ["deficit_onset_at", "bladder_onset_at"]
INSTANTS = ["previous_ais_at"]

FIELDS = [*TEXT, *WHOLE, *NUMBERS, *ONSETS, *INSTANTS, "sins_items"]

# "flags only; they never reach the tier" (contract 2), and `histology` and `mri`, which only
# flags name (policy 2): every other field is one that the rules read.
FLAGS_ONLY = [
    "histology",
    "mri",
    "kps",
    "prognosis_months",
    "wishes",
    "prior_radiotherapy",
    "re_referral",
    "anticoagulated",
]
READ_BY_RULES = [field for field in FIELDS if field not in FLAGS_ONLY]

# Policy 6.3. "location: junctional 3; mobile 2; semirigid 1; rigid 0", and so on.
ITEM_POINTS = {
    "location": [0, 1, 2, 3],
    "pain": [0, 1, 3],
    "lesion": [0, 1, 2],
    "alignment": [0, 2, 4],
    "collapse": [0, 1, 2, 3],
    "posterolateral": [0, 1, 3],
}
# 'worse' is asked of each field that rules read, and `sins` is read from these as well.
COMPARED = [*READ_BY_RULES, *(f"sins_items.{item}" for item in ITEM_POINTS)]
