"""Rules, timers and flags at their edges. Expected values are those of the clinical policy."""

from datetime import timedelta

import pytest

from tests.unit.policies.conftest import CALM, NOW, Judge, ago
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.policies.classify import classify
from triage.policies.read import Findings, read_findings


def test_calm_patient_is_routine(judge: Judge) -> None:
    found = judge()
    assert (found.tier, found.rules, found.flags) == (Tier.ROUTINE, ("R1",), ())
    assert found.reasons == ("Every critical finding is known and benign (R1).",)
    assert found.assumed == ()


def test_nothing_known_is_urgent(book: PolicyBook) -> None:
    found = classify(Findings({}, frozenset()), book, now=NOW)
    assert (found.tier, found.rules, found.all_rules) == (Tier.URGENT, ("U6",), ("P4", "U6"))
    assert "PROVISIONAL" in found.flags
    assert found.u6
    assert not found.timer_60


@pytest.mark.parametrize(
    ("onset", "rules"),
    [
        (ago(hours=48), "E2 U1"),
        (ago(hours=48, seconds=0.000001), "U1 U3"),
        (ago(hours=48, seconds=-1), "E2 U1"),
        (ago(hours=-5), "E2 U1"),
        (None, "E2 U1"),
        ({"earliest": ago(hours=200), "latest": ago(hours=10)}, "E2 U1"),
        ({"earliest": ago(hours=10), "latest": ago(hours=200)}, "E2 U1"),
        ({"earliest": ago(hours=200)}, "E2 U1"),
        ("2026-03-01", "E2 U1"),
        ("2026-03-01T08:00:00", "E2 U1"),
    ],
)
def test_window_of_the_deficit(judge: Judge, onset: object, rules: str) -> None:
    assert " ".join(judge(ais="C", deficit_onset_at=onset).all_rules) == rules


@pytest.mark.parametrize(
    ("onset", "rules"),
    [(ago(hours=48), "E3"), (ago(hours=48, seconds=1), "U3"), (None, "E3"), ("yes", "E3")],
)
def test_window_of_the_sphincter_sign(judge: Judge, onset: object, rules: str) -> None:
    assert " ".join(judge(bladder="altered", bladder_onset_at=onset).rules) == rules


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"pvr_ml": 199}, "R1"),
        ({"pvr_ml": 199.9}, "R1"),
        ({"pvr_ml": 200}, "E3"),
        ({"pvr_ml": "200.0"}, "E3"),
        ({"pvr_ml": 10**400}, "E3"),
        ({"pvr_ml": 650, "bladder": "longstanding"}, "R1"),
        ({"pvr_ml": 650, "bladder": None}, "E3 P4"),
        ({"saddle_sensation": "reduced", "bladder": "longstanding"}, "E3"),
        ({"sins": 6}, "R1"),
        ({"sins": 7}, "P3"),
        ({"sins": 12}, "P3"),
        ({"sins": 13}, "U4"),
        ({"sins": None}, "P4"),
        ({"walking": "cannot_other"}, "R1"),
        ({"walking": "aided", "walking_baseline": "aided"}, "R1"),
        ({"walking": "aided", "walking_baseline": "cannot"}, "U1"),
        ({"walking": "cannot", "walking_baseline": "cannot"}, "R1"),
        ({"walking": "cannot", "walking_baseline": "unknown"}, "E2 U1"),
        ({"respiratory": "compromised"}, "E4"),
        ({"escc": "na"}, "R1"),
        ({"escc": None}, "P4"),
        ({"escc": None, "level": "L3", "thecal_compression": "none"}, "R1"),
        ({"escc": None, "level": "L2", "thecal_compression": "none"}, "P4"),
        ({"escc": None, "level": None, "thecal_compression": "none"}, "P4"),
        ({"escc": "0", "thecal_compression": "unknown"}, "P4"),
        ({"escc": "0", "thecal_compression": "grave"}, "P4"),
        ({"escc": "0", "thecal_compresion": "severe"}, "P4"),
        ({"escc": "1c"}, "P2"),
        ({"thecal_compression": "severe"}, "U2"),
        ({"compartment": "intramedullary"}, "U5"),
        ({"compartment": "leptomeningeal"}, "R1"),
        ({"compartment": "leptomeningeal", "pain": "nonmechanical"}, "U5"),
        ({"compartment": "leptomeningeal", "pain": None}, "U5"),
        ({"compartment": "unknown", "pain": None}, "R1"),
        ({"pain": "severe"}, "P1"),
        ({"pain": "severe", "cancer": "none", "spinal_metastasis": "no"}, "R1"),
        ({"pain": "severe", "cancer": "none", "spinal_metastasis": None}, "P1"),
        ({"ais": None, "walking": None}, "P4 U6"),
        ({"ais": None, "walking": None, "cancer": "none", "spinal_metastasis": "no"}, "P4"),
        ({"ais": None, "neuro_symptom": None, "escc": "2"}, "E5 P4 U2 U6"),
        ({"trend": "worsening"}, "R1"),
        ({"trend": "worsening", "ais": "D"}, "E1 U1"),
        ({"ais": "D", "escc": "3"}, "E7 U1 U2"),
        ({"ais": "D", "escc": "3", "deficit_onset_at": ago(hours=60)}, "U1 U2"),
    ],
)
def test_all_rules(judge: Judge, changes: dict[str, object], rules: str) -> None:
    assert " ".join(judge(**changes).all_rules) == rules


@pytest.mark.parametrize(
    ("changes", "hits"),
    [
        ({"level": "C4", "escc": "2"}, True),
        ({"level": "C4", "escc": None}, True),
        ({"level": "C4", "escc": "1c", "sins": 13}, True),
        ({"level": "C4", "escc": "1c"}, False),
        ({"level": "C4", "escc": "na"}, False),
        ({"level": "C5", "escc": "2"}, False),
        ({"level": None, "escc": "2"}, False),
        ({"level": "C4", "escc": "2", "deficit_onset_at": ago(hours=60)}, False),
        ({"level": "C4", "escc": "2", "deficit_onset_at": ago(hours=60), "trend": None}, True),
    ],
)
def test_high_cervical_deficit(judge: Judge, changes: dict[str, object], hits: bool) -> None:
    assert ("E4" in judge(ais="D", **changes).all_rules) is hits


@pytest.mark.parametrize(
    ("before", "hours", "hits"),
    [("D", 24, True), ("D", 24.001, False), ("D", None, True), ("C", 1, False), ("D", -3, True)],
)
def test_grade_drop(judge: Judge, before: str, hours: float | None, hits: bool) -> None:
    at = None if hours is None else ago(hours=hours)
    found = judge(ais="C", previous_ais=before, previous_ais_at=at)
    assert (found.grade_drop, "E1" in found.rules) == (hits, hits)


def test_grade_drop_is_measured_at_the_examination(book: PolicyBook) -> None:
    findings = read_findings(CALM | {"ais": "D", "walking": "unaided"}, book).findings
    examined, later = NOW - timedelta(hours=30), NOW
    earlier = [("E", NOW - timedelta(hours=50))]

    then = classify(findings, book, now=later, ais_at=examined, earlier_ais=earlier)
    assert "E1" in then.rules
    assert "AIS has dropped from E to D in 20 h (E1)." in then.reasons
    assert "E1" not in classify(findings, book, now=later, earlier_ais=earlier).rules


@pytest.mark.parametrize(
    ("changes", "is_set"),
    [
        ({"ais": "D", "trend": None}, True),
        ({"ais": "D", "trend": "stable"}, False),
        ({"neuro_symptom": "radicular", "bladder": None}, True),
        ({"escc": "2", "bladder": None}, True),
        ({"sins": 13, "bladder": None}, False),
        ({"sins": 13, "bladder": None, "compartment": "unknown"}, True),
        ({"bladder": None}, False),
        ({"ais": "D", "trend": None, "saddle_sensation": "absent"}, False),
    ],
)
def test_timer_60(judge: Judge, changes: dict[str, object], is_set: bool) -> None:
    found = judge(**changes)
    assert (found.timer_60, "TIMER_60" in found.flags) == (is_set, is_set)
    assert not is_set or "PROVISIONAL" in found.flags


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"ais": "C"}, "PRECAUTIONS PROVISIONAL"),
        ({"ais": "C", "deficit_onset_at": ago(hours=3)}, "PRECAUTIONS"),
        ({"ais": "A", "walking": "cannot", "deficit_onset_at": ago(hours=50)},
         "LATE_COMPLETE PALL_PARALLEL PRECAUTIONS"),
        ({"ais": "B", "walking": "cannot", "deficit_onset_at": ago(hours=50)},
         "LATE_INCOMPLETE PRECAUTIONS"),
        ({"ais": "E", "walking": "cannot", "deficit_onset_at": ago(hours=3)},
         "CONTRADICTION PRECAUTIONS"),
        ({"pvr_ml": 200}, "CONTRADICTION SPHINCTER"),
        ({"escc": "2", "mri": "requested"}, "CONTRADICTION"),
        ({"bladder": "altered", "spinal_metastasis": "no"}, "REDIRECT_CES SPHINCTER"),
        ({"bladder": "altered", "bladder_onset_at": ago(hours=50)}, ""),
        ({"histology": "sclc"}, "ONC_PARALLEL"),
        ({"histology": "myeloma"}, "ONC_PARALLEL STEROID_CAUTION"),
        ({"histology": None}, ""),
        ({"histology": "none", "cancer": "suspected"}, "STEROID_CAUTION TISSUE_NEEDED"),
        ({"histology": None, "cancer": None}, "STEROID_CAUTION TISSUE_NEEDED"),
        ({"sins": None, "pain": "mechanical"}, "PRECAUTIONS"),
        ({"sins": None, "pain": "suggestive"}, ""),
        ({"prognosis_months": 2.9}, "PALL_PARALLEL"),
        ({"prognosis_months": 3}, ""),
        ({"kps": 40}, "PALL_PARALLEL"),
        ({"kps": 41}, ""),
        ({"wishes": "declines", "re_referral": "yes"}, "RE_REFERRAL WISHES"),
        ({"anticoagulated": "yes", "prior_radiotherapy": "yes"}, "ANTICOAG RE_IRRADIATION"),
        ({"compartment": "unknown"}, "ESCC_NA"),
        ({"escc": "na"}, ""),
    ],
)  # fmt: skip
def test_flags(judge: Judge, changes: dict[str, object], flags: str) -> None:
    assert " ".join(judge(**changes).flags) == flags


@pytest.mark.parametrize(
    "changes",
    [
        {"histology": "lymphoma"}, {"kps": 10}, {"prognosis_months": 0.5}, {"wishes": "declines"},
        {"prior_radiotherapy": "yes"}, {"re_referral": "yes"}, {"anticoagulated": "yes"},
        {"mri": "none"},
    ],
)  # fmt: skip
def test_who_the_patient_is_never_changes_how_fast(
    judge: Judge, changes: dict[str, object]
) -> None:
    for tier in ({}, {"sins": 8}, {"ais": "D"}, {"ais": "C"}):
        plain, changed = judge(**tier), judge(**tier, **changes)
        assert (changed.tier, changed.all_rules) == (plain.tier, plain.all_rules)


def test_reasons_come_most_telling_first_with_hours(judge: Judge) -> None:
    found = judge(
        ais="C", walking="cannot", trend="worsening", deficit_onset_at=ago(hours=10.5), pvr_ml=500
    )
    assert found.reasons == (
        "Lost walking 10 h 30 min ago and still worsening: inside the 48 h window (E2).",
        "Bladder, bowel or saddle sign of unknown onset: counted as at most 48 h old (E3).",
        "Severe motor deficit and still worsening (E1).",
    )


def test_what_is_missing_is_named(judge: Judge) -> None:
    found = judge(ais=None, sins=None, escc=None)
    assert found.reasons == ("Not assessed: AIS grade, SINS, compression (P4).",)
    assert found.assumed == ("ais", "escc", "sins")
    assert found.needs == ("ais", "escc", "sins")


def test_version_says_that_nobody_signed(judge: Judge, book: PolicyBook) -> None:
    assert judge().policy == book.version
    assert book.version.startswith("0.1+")
    assert book.version.endswith("-draft")
