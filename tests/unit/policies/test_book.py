"""A book that does not hold together is refused with file, row and reason."""

from datetime import timedelta

import pytest

from triage.domain.errors import UnsoundPolicy
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.policies.durations import Span, Unit, read_elapsed, read_span
from triage.policies.load import load_policy_book
from triage.policies.shipped import shipped_texts


def changed(file: str, old: str, new: str) -> dict[str, str]:
    """The shipped texts with one piece of one file replaced."""
    texts = shipped_texts()
    assert old in texts[file]
    texts[file] = texts[file].replace(old, new, 1)
    return texts


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("tiers.toml", '"S41"', '"S999"', "tiers.toml E1: source is not in sources.toml: S999"),
        ("tiers.toml", 'id = "E2"', 'id = "E1"', "tiers.toml E1: the name is used twice"),
        ("tiers.toml", 'grade_drop = ["yes"]', 'grade_dorp = ["yes"]',
         "tiers.toml E1: no such finding: grade_dorp"),
        ("tiers.toml", 'trend = ["worsening"], sev = ["2"]', 'trend = ["worse"], sev = ["2"]',
         "E1: trend cannot be ['worse']; allowed: improving, stable, worsening, unknown"),
        ("tiers.toml", "{ pain = [", '{ histology = ["renal"], pain = [',
         "tiers.toml P1: histology may never reach the tier"),
        ("tiers.toml", "dropped {drop}", "{dorp}", "tiers.toml E1: nothing fills in {dorp}"),
        ("tiers.toml", "telling = 3", 'telling = "first"', "tiers.toml rule / row 1 E1 / telling"),
        ("tiers.toml", "otherwise = true\nbecause", 'applied = "?"\nbecause',
         "tiers.toml: exactly one rule must say otherwise = true"),
        ("flags.toml", 'hit = ["E5", "U6"]', 'hit = ["E9"]', "PROVISIONAL: no such rule"),
        ("findings.toml", "rules = false", "rules = true",
         "findings.toml mri: it is said to be read by rules, and none reads it"),
        ("sins.toml", '"S5"]', '"S4"]', "location: every level must have exactly one class"),
        ("ladders.toml", 'after = "5 min"', "after = 5",
         "acknowledgement / EMERGENT / rungs / row 2 / after: duration has no unit: 5"),
        ("ladders.toml", 'roles = ["consultant"] },', 'roles = ["surgeon"] },',
         "ladders.toml acknowledgement EMERGENT: no such role: surgeon"),
        ("ladders.toml", "mri = {", "mry = {", "ladders.toml holder: missing, or without"),
        ("deadlines.toml", 'ROUTINE = { words = "tumour board" }', "",
         "deadlines.toml senior_opinion: no row for ROUTINE"),
        ("deadlines.toml", 'within = "2 h"', 'within = "2 hours"',
         "unreadable duration: '2 hours'"),
        ("timers.toml", 'rule = "D7"', 'rule = "D8"', "timers.toml D7: no such rule: D8"),
        ("book.toml", "sins = 2027-03-31\n", "", "book.toml review_by: a date is missing"),
        ("authority.toml", "[closing]", "[closed]", "authority.toml closing: Field required"),
        ("derived.toml", 'from = 7 }', "from = 14 }", "derived.toml sins_band: bands must rise"),
        ("sources.toml", "S1 =", "S1 ==", "sources.toml: not TOML"),
    ],
)  # fmt: skip
def test_unsound_book_is_refused(file: str, old: str, new: str, told: str) -> None:
    with pytest.raises(UnsoundPolicy) as refused:
        load_policy_book(changed(file, old, new))
    assert told in refused.value.what


@pytest.mark.parametrize("tier", Tier)
def test_every_tier_needs_its_ladder(tier: Tier) -> None:
    texts = shipped_texts()
    rows = texts["ladders.toml"].split("\n[")
    texts["ladders.toml"] = "\n[".join(
        row for row in rows if not row.startswith(f"acknowledgement.{tier}]")
    )
    with pytest.raises(UnsoundPolicy, match=f"acknowledgement: no ladder for {tier}"):
        load_policy_book(texts)


def test_missing_file_is_named() -> None:
    texts = shipped_texts()
    del texts["flags.toml"]
    with pytest.raises(UnsoundPolicy, match=r"missing or unknown file: flags\.toml"):
        load_policy_book(texts)


def test_version_follows_content_not_layout(book: PolicyBook) -> None:
    commented = changed("tiers.toml", "# Every rule", "# Note.\n# Every rule")
    assert load_policy_book(commented).version == book.version
    other = load_policy_book(changed("derived.toml", "from = 200", "from = 300"))
    assert other.version != book.version


def test_book_is_a_draft_until_everybody_signed() -> None:
    texts = shipped_texts()
    for name in ("clinical_safety_officer", "spine_lead", "oncology_lead", "signed_on"):
        assert load_policy_book(texts).is_draft
        texts["book.toml"] = texts["book.toml"].replace(f'{name} = ""', f'{name} = "Sample"')
    signed = load_policy_book(texts)
    assert not signed.is_draft
    assert not signed.version.endswith("-draft")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("15 min", Span(15, Unit.MINUTE)),
        ("4 h", Span(4, Unit.HOUR)),
        ("4 working h", Span(4, Unit.WORKING_HOUR)),
        ("2 working d", Span(2, Unit.WORKING_DAY)),
    ],
)
def test_spans(text: str, span: Span) -> None:
    assert read_span(text) == span
    assert str(span) == text


@pytest.mark.parametrize("text", ["", "15", "15min", "-5 min", "1.5 h", "two h", 15, 0.5, None])
def test_span_needs_a_unit(text: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        read_span(text)


def test_working_time_is_no_elapsed_time() -> None:
    assert read_elapsed("90 min") == timedelta(minutes=90)
    with pytest.raises(ValueError, match="working time is not allowed"):
        read_elapsed("2 working d")


def test_deadlines_as_the_policy_prints_them(book: PolicyBook) -> None:
    clocks = {clock.name: clock for row in book.deadlines.obligation for clock in row.clock}

    def limits(name: str, tier: Tier) -> str:
        found = clocks[name].tier[tier].limits
        return ", ".join(f"{limit.within} {limit.kind}" for limit in found)

    assert limits("acknowledgement", Tier.EMERGENT) == "15 min analogue"
    assert limits("acknowledgement", Tier.PRIORITY) == "4 working h proposal, 24 h national"
    assert limits("acknowledgement", Tier.ROUTINE) == "2 working d proposal"
    assert limits("mri_from_suspicion", Tier.URGENT) == "24 h national"
    assert limits("decision_from_suspicion", Tier.URGENT) == "24 h former"
    assert limits("theatre_from_decision", Tier.EMERGENT) == "6 h analogue"
    assert limits("radiotherapy", Tier.PALLIATIVE_MDT) == "24 h national"
    only = clocks["theatre_from_decision"].tier[Tier.URGENT].only_rule["U4"]
    assert str(only.within) == "72 h"
