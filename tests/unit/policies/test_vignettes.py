"""The worked vignettes of the clinical policy (section 7), with what is printed there."""

import json
from pathlib import Path

import pytest

from triage.domain.instants import parse_instant
from triage.policies.book import PolicyBook
from triage.policies.classify import classify
from triage.policies.read import read_findings

_FILE = Path(__file__).parents[2] / "scenarios" / "vignettes.jsonl"
VIGNETTES = {line["id"]: line for line in map(json.loads, _FILE.read_text().splitlines())}

# The palliative row of the table gives the state after a consultant's decision, which is not
# classification's to make: here it is as the findings alone have it.
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
    "unknown-primary-t12": ("URGENT", "U1 U2 U4", "PRECAUTIONS STEROID_CAUTION TISSUE_NEEDED"),
    "hemangiopericytoma-l3-return": ("URGENT", "U1", "PRECAUTIONS RE_IRRADIATION RE_REFERRAL"),
}


def test_every_vignette_has_its_row() -> None:
    assert VIGNETTES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_vignette(name: str, book: PolicyBook) -> None:
    line = VIGNETTES[name]
    reading = read_findings(line["findings"], book)
    now = parse_instant(line["now"])
    assert now is not None
    found = classify(reading.findings, book, now=now)

    given = (str(found.tier), " ".join(found.rules), " ".join(found.flags))
    assert given == EXPECTED[name]
    assert reading.unread == ()
    assert len(found.reasons) == len(found.rules)
    assert all("{" not in reason for reason in found.reasons)
