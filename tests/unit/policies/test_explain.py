"""What a clinician is told: explanation and reminders."""

from tests.unit.policies.conftest import CALM, NOW, Judge, ago
from triage.policies.book import PolicyBook
from triage.policies.classify import classify
from triage.policies.explain import explain, explain_rule
from triage.policies.read import read_findings
from triage.policies.remind import reminders


def test_explanation_names_rule_source_flag_and_assumption(judge: Judge, book: PolicyBook) -> None:
    found = judge(ais="C", trend=None, deficit_onset_at=ago(hours=20))
    told = explain(found, book)
    assert told.startswith("EMERGENT\n")
    assert "Severe motor deficit for 20 h: inside the 48 h window (E2)." in told
    assert "Chaichana 2008, PMID 18425015 [S35]" in told
    assert "Also hit, at a lower tier: U1" in told
    assert "PRECAUTIONS: Flat, log-roll" in told
    assert "trend: not counted as worsening" in told
    assert f"version {book.version} (draft, unsigned)" in told


def test_how_firm_a_rule_is(book: PolicyBook) -> None:
    assert explain_rule("P1", book).startswith("national standard: NICE NG234")
    assert explain_rule("E5", book).startswith("proposal of this project: ")


def test_words_for_pages_carry_no_figures(book: PolicyBook) -> None:
    for rule in book.documents.tiers.rule:
        assert "{" not in rule.class_
        assert rule.rows or rule.because
    assert book.rule_class("E1") == "worsening deficit"
    assert book.because("TIMER_60").startswith("A missing answer")


def ids(changes: dict[str, object], book: PolicyBook) -> dict[str, tuple[str, ...]]:
    findings = read_findings(CALM | changes, book).findings
    found = classify(findings, book, now=NOW)
    return {each.id: each.cautions for each in reminders(findings, found, book, now=NOW)}


def test_what_a_rule_says_by_itself_leaves_no_blank_open(book: PolicyBook) -> None:
    """A held rule is told without the findings that it hit on: they are others by now."""
    said = {rule: book.because(rule) for rule in book.compiled.rules}
    assert said["E1"] == "Worsening deficit"
    assert [rule for rule, words in said.items() if not words or "{" in words] == []


def test_reminders_follow_the_findings(book: PolicyBook) -> None:
    assert ids({}, book).keys() == {"analgesia", "safety_net"}
    emergent = ids({"ais": "C", "walking": "cannot", "histology": "lymphoma"}, book)
    assert {"steroid", "neutral_spine", "vte", "bloods"} <= emergent.keys()
    assert "safety_net" not in emergent
    assert emergent["steroid"][0] == "Talk to haematology or oncology first"
    assert ids({"ais": "C"}, book)["steroid"] == ("diabetes; infection",)
    assert "bladder" in ids({"pvr_ml": 400}, book)
