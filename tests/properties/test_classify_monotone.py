"""Properties of classification on random patients: never calmer when worse, never a crash."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from triage.intake.classify_line import classify_stream
from triage.intake.strict_json import UnreadableJson, read_json
from triage.policies.classify import Assessment, classify
from triage.policies.load import load_policy_book
from triage.policies.read import read_findings
from triage.policies.shipped import shipped_texts

BOOK = load_policy_book(shipped_texts())
NOW = datetime(2026, 3, 10, 8, tzinfo=UTC)
HOURS = [200.0, 60.0, 48.01, 48.0, 10.0, 0.0, -2.0]


def instants(hours: float) -> str:
    return (NOW - timedelta(hours=hours)).isoformat()


# The rows of clinical-policy.md section 2, benign to worse.
ROWS: dict[str, list[Any]] = {
    "ais": ["E", "D", "C", "B", "A"],
    "walking": ["unaided", "aided", "cannot"],
    "neuro_symptom": ["none", "radicular", "sensory", "gait", "weakness"],
    "bladder": ["normal", "altered", "retention_incontinence"],
    "saddle_sensation": ["normal", "reduced", "absent"],
    "pvr_ml": [0, 120, 199.9, 200, 650],
    "escc": ["0", "1a", "1b", "1c", "2", "3"],
    "thecal_compression": ["none", "partial", "severe"],
    "trend": ["improving", "stable", "worsening"],
    "sins": list(range(19)),
    "pain": ["none", "nonmechanical", "suggestive", "mechanical", "severe"],
    "deficit_onset_at": [instants(hours) for hours in HOURS],
    "bladder_onset_at": [instants(hours) for hours in HOURS],
    "respiratory": ["normal", "compromised"],
    "cancer": ["none", "suspected", "known"],
    "spinal_metastasis": ["no", "suspected", "confirmed"],
    "compartment": ["extradural", "intradural_extramedullary", "intramedullary"],
}
OTHERS: dict[str, list[Any]] = {
    "compartment": ["leptomeningeal"],
    "walking": ["cannot_other"],
    "bladder": ["longstanding"],
    "escc": ["na"],
    "walking_baseline": ["unaided", "aided", "cannot", "cannot_other"],
    "level": ["C0", "C4", "C5", "T6", "L2", "L3", "S5"],
    "previous_ais": ["A", "C", "D", "E"],
    "previous_ais_at": [instants(3), instants(30)],
    "histology": ["lymphoma", "none"],
    "kps": [20, 90],
    "sins_items": [{"pain": 3, "collapse": 2}, {"location": 3}],
}
VALUES = {
    name: [*ROWS.get(name, []), *OTHERS.get(name, []), "unknown"]
    for name in ROWS.keys() | OTHERS.keys()
}
PATIENTS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in sorted(VALUES.items())}
)


def judge(raw: dict[str, Any]) -> Assessment:
    return classify(read_findings(raw, BOOK).findings, BOOK, now=NOW)


def row_of(name: str, patient: dict[str, Any]) -> list[Any]:
    """For somebody who could not walk before, walking with an aid is the change."""
    if name == "walking" and patient.get("walking_baseline") == "cannot":
        return ["unaided", "aided"]
    return ROWS[name]


@settings(max_examples=600, deadline=None)
@given(PATIENTS, st.sampled_from(sorted(ROWS)), st.data())
def test_no_finding_made_worse_lowers_the_tier(
    patient: dict[str, Any], name: str, data: st.DataObject
) -> None:
    row = row_of(name, patient)
    place = data.draw(st.integers(0, len(row) - 1))
    worse = data.draw(st.sampled_from([*row[place:], *(["unknown"] if place == 0 else [])]))
    before, after = judge(patient | {name: row[place]}), judge(patient | {name: worse})
    assert after.tier.rank >= before.tier.rank, (name, row[place], worse, before.rules, after.rules)


@settings(max_examples=300, deadline=None)
@given(PATIENTS)
def test_answer_is_consistent_with_itself(patient: dict[str, Any]) -> None:
    found = judge(patient)
    assert set(found.rules) <= set(found.all_rules)
    assert found.all_rules == tuple(sorted(found.all_rules))
    assert len(found.reasons) == len(found.rules)
    assert all(any(f"({rule})." in reason for reason in found.reasons) for rule in found.rules)
    assert set(found.needs) <= set(found.assumed)
    assert found.timer_60 == ("TIMER_60" in found.flags)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
NAMES = st.sampled_from([*sorted(VALUES), "pvr_ml", "sins_items", "bladdr"]) | st.text(max_size=6)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(NAMES, ANYTHING, max_size=8))
def test_nothing_that_is_sent_breaks_reading(raw: dict[str, Any]) -> None:
    reading = read_findings(raw, BOOK)
    found = classify(reading.findings, BOOK, now=NOW)
    assert found.rules
    assert reading.unread == tuple(sorted(reading.unread))
    assert not reading.unknown & reading.values.keys()


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]":, \\ae1N', max_size=40).map(str.encode))
def test_no_bytes_break_a_line(raw: bytes) -> None:
    written: list[bytes] = []
    status = classify_stream([raw], written.append, BOOK)
    assert len(written) == bool(raw.removeprefix(b"\xef\xbb\xbf").strip())
    assert status == bool(written and b'"error"' in written[0])
    with suppress(UnreadableJson):
        read_json(raw)
