"""The second opinion: right on the worked vignettes, and of one mind with production."""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.second_opinion.by_hand import EXPECTED, READINGS, VIGNETTES, calm_line
from tests.second_opinion.classify import evaluate
from tests.second_opinion.generate import lines
from tests.second_opinion.odd_values import OTHER_NAMES, odd_values
from tests.second_opinion.vocabulary import FIELDS, ITEM_POINTS
from triage.domain.instants import parse_instant
from triage.intake.classify_line import classify_line
from triage.policies.book import PolicyBook
from triage.policies.classify import classify
from triage.policies.load import load_policy_book
from triage.policies.read import read_findings
from triage.policies.shipped import shipped_texts

SEED = int(os.environ.get("TRIAGE_SECOND_OPINION_SEED", "20260310"))
CASES = int(os.environ.get("TRIAGE_SECOND_OPINION_CASES", "20000"))


@pytest.fixture(scope="module")
def book() -> PolicyBook:
    return load_policy_book(shipped_texts())


@pytest.mark.parametrize("name", EXPECTED)
def test_second_opinion_gives_the_worked_vignettes(name: str) -> None:
    tier, rules, flags = EXPECTED[name]
    answer = evaluate(VIGNETTES[name])
    assert (answer["tier"], answer["rules"], answer["flags"]) == (
        tier,
        rules.split(),
        flags.split(),
    )
    assert answer["unread"] == []


def test_every_vignette_of_the_policy_is_checked() -> None:
    assert set(VIGNETTES) == set(EXPECTED)


@pytest.mark.parametrize(
    ("why", "change", "all_rules", "unread"), READINGS, ids=[r[0] for r in READINGS]
)
def test_second_opinion_reads_values_as_the_text_says(
    why: str, change: dict[str, object], all_rules: str, unread: str
) -> None:
    answer = evaluate(calm_line(change))
    assert (answer["all_rules"], answer["unread"]) == (all_rules.split(), unread.split()), why


def test_sins_reads_every_sum_of_the_six_items() -> None:
    for points in ITEM_POINTS["location"]:
        items = {**{item: max(listed) for item, listed in ITEM_POINTS.items()}, "location": points}
        answer = evaluate(calm_line({"sins": sum(items.values()), "sins_items": items}))
        assert "CONTRADICTION" not in str(answer["flags"])
        assert answer["all_rules"] == ["U4"]


def test_generated_lines_reach_every_rule_and_flag() -> None:
    reached: set[str] = set()
    for line in lines(SEED, 3000):
        answer = evaluate(line)
        for part in ("all_rules", "flags", "unread"):
            found = answer[part]
            assert isinstance(found, list)
            reached.update(found)
    rules = "E1 E2 E3 E4 E5 E7 U1 U2 U3 U4 U5 U6 P1 P2 P3 P4 R1"
    flags = (
        "PROVISIONAL TIMER_60 EXAM_MISSING CONTRADICTION SPHINCTER REDIRECT_CES ONC_PARALLEL "
        "STEROID_CAUTION TISSUE_NEEDED PRECAUTIONS LATE_COMPLETE LATE_INCOMPLETE PALL_PARALLEL "
        "WISHES RE_IRRADIATION RE_REFERRAL ANTICOAG ESCC_NA"
    )
    paths = "bladdr sins_items.pain deficit_onset_at.latest level sins pvr_ml"
    assert set(f"{rules} {flags} {paths}".split()) <= reached


def production(line: Mapping[str, Any], book: PolicyBook) -> dict[str, object]:
    """The production answer in the shape of the second opinion."""
    now = parse_instant(line["now"])
    assert now is not None
    reading = read_findings(line["findings"], book)
    assessment = classify(reading.findings, book, now=now)
    return {
        "tier": str(assessment.tier),
        "rules": list(assessment.rules),
        "all_rules": list(assessment.all_rules),
        "flags": list(assessment.flags),
        "unread": list(reading.unread),
        "review": reading.review,
    }


def disagreements(wanted: Iterable[Mapping[str, Any]], book: PolicyBook) -> list[str]:
    """Every line on which the two differ: both answers, and the line to hand to either."""
    found = []
    for line in wanted:
        second, first = evaluate(line), production(line, book)
        if first != second:
            found.append(f"production {first}\nsecond     {second}\nline       {json.dumps(line)}")
    return found


def test_production_agrees_on_generated_lines(book: PolicyBook) -> None:
    found = disagreements(lines(SEED, CASES), book)
    assert not found, f"{len(found)} of {CASES} lines, seed {SEED}:\n" + "\n".join(found[:5])


def test_production_agrees_on_each_odd_value_alone(book: PolicyBook) -> None:
    odd = odd_values()
    changes = [{field: value} for field in FIELDS for value in odd]
    changes += [{name: "severe"} for name in OTHER_NAMES]
    found = disagreements([calm_line(change) for change in changes], book)
    assert not found, f"{len(found)} of {len(changes)} values:\n" + "\n".join(found[:5])


def test_production_agrees_on_vignettes_and_hand_made_readings(book: PolicyBook) -> None:
    wanted = [*VIGNETTES.values(), *(calm_line(change) for _, change, _, _ in READINGS)]
    found = disagreements(wanted, book)
    assert not found, "\n".join(found)


def as_printed(line: object, book: PolicyBook) -> dict[str, Any]:
    """What `triage classify` prints for the line, in the words of the second opinion."""
    answered = classify_line(json.dumps(line).encode(), 1, book)
    assert answered is not None
    printed, _ = answered
    if "error" in printed:
        return {"error": printed["error"]["path"]}
    parts = json.loads(json.dumps(printed))
    return {part: parts[part] for part in ("tier", "rules", "all_rules", "flags", "unread")}


def test_triage_classify_prints_what_the_second_opinion_says(book: PolicyBook) -> None:
    odd = [calm_line({field: value}) for field in FIELDS for value in odd_values()]
    for line in [*odd, *lines(SEED + 1, 3000)]:
        answer = evaluate(line)
        del answer["review"]  # an answer to the sender, not a part of the printed line
        assert as_printed(line, book) == answer, json.dumps(line)


@pytest.mark.parametrize("now", ["2026-03-10", "2026-03-10T08:00:00", "", "unknown", None, 0, []])
def test_both_refuse_a_line_without_a_readable_now(now: object, book: PolicyBook) -> None:
    line = {"id": "x", "now": now, "findings": {}}
    assert evaluate(line) == as_printed(line, book) == {"error": "now"}


@pytest.mark.parametrize("findings", [None, [], "", "unknown", 0, [{"ais": "A"}]])
def test_both_refuse_findings_that_are_no_object(findings: object, book: PolicyBook) -> None:
    line = {"id": "x", "now": "2026-03-10T08:00:00Z", "findings": findings}
    assert evaluate(line) == as_printed(line, book) == {"error": "findings"}


@pytest.mark.parametrize("field", FIELDS)
def test_generated_lines_tell_a_classifier_that_ignores_a_field(field: str) -> None:
    """The comparison bites: for every field some line is judged otherwise without it."""

    def judged(findings: Mapping[str, object]) -> list[object]:
        answer = evaluate({"now": "2026-03-10T08:00:00Z", "findings": findings})
        return [answer[part] for part in ("tier", "all_rules", "flags")]

    all_findings = [line["findings"] for line in lines(SEED, 500)]
    assert any(
        judged(findings) != judged({name: findings[name] for name in findings if name != field})
        for findings in all_findings
        if field in findings
    )
