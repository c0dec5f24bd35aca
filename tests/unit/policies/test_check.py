"""`check` finds nothing wrong with the shipped book, and every planted fault."""

from datetime import date

import pytest

from tests.unit.policies.test_book import changed
from triage.policies.book import PolicyBook
from triage.policies.load import load_policy_book
from triage.policies.verify import check

TODAY = date(2026, 3, 10)


def test_shipped_book_is_sound(book: PolicyBook) -> None:
    report = check(book, today=TODAY)
    assert report.problems == ()
    assert report.is_sound
    assert report.warnings == ("book.toml signature: draft, unsigned",)
    assert "16 rules" in " ".join(report.counted)


def test_past_review_dates_are_warned_of(book: PolicyBook) -> None:
    warnings = check(book, today=date(2027, 4, 1)).warnings
    assert "tiers.toml: to be reviewed by 2027-03-31, which is past" in warnings
    assert not any("past" in each for each in check(book, today=date(2027, 3, 31)).warnings)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        # Dead rows.
        ("tiers.toml", 'ais = ["unknown"] }, missing', 'ais = ["unknown"], sev = ["4"] }, missing',
         "tiers.toml P4 row 1: dead"),
        ("tiers.toml", '{ when = { high = ["yes"] }', '{ when = { high = ["yes"], escc = ["0"], '
         'thecal_compression = ["none"] }', "tiers.toml U2 row 1: dead"),
        ("tiers.toml", "{ pain = [", '{ sev = ["2"], pain = [',
         "tiers.toml P1: dead: it never decides the tier"),
        ("flags.toml", 'hit = ["E5", "U6"]', 'hit = ["E5"], when = { high = ["no"] }',
         "flags.toml PROVISIONAL row 2: dead"),
        ("flags.toml", 'tier = ["URGENT"], when = { trend', 'tier = ["PRIORITY"], when = { trend',
         "flags.toml TIMER_60 row 1: dead"),
        ("derived.toml", '{ is = "3", when = { ais = ["B", "C"] } }',
         '{ is = "3", when = { ais = ["A"] } }', "derived.toml sev row 2: dead"),
        ("assumptions.toml", 'when = { compartment = ["unknown"] }',
         'when = { escc = ["0"], compression_unknown = ["yes"], thecal_compression = ["absent"] }',
         "assumptions.toml compartment: dead"),
        # Calmer when worse.
        ("tiers.toml", '{ when = { neuro_unknown = ["yes"], high = ["yes"] }',
         '{ when = { neuro_unknown = ["yes"], high = ["yes"], sev = ["0"] }',
         "tiers.toml E5: calmer: ais from E to D"),
        ("tiers.toml", 'pain = ["suggestive", "mechanical", "severe"]',
         'pain = ["suggestive", "mechanical"]', "P1: calmer: pain from mechanical to severe"),
        ("tiers.toml", 'sev = ["3", "4"], deficit_time = ["unknown"]',
         'sev = ["3"], deficit_time = ["unknown"]', "calmer: ais from C to A"),
        ("tiers.toml", 'sph = ["yes"], bladder_time = ["within"] }, because = "New bladder',
         'sph = ["yes"], bladder_time = ["over"] }, because = "New bladder',
         "E3: calmer: bladder_time from over to within"),
        ("derived.toml", '{ is = "yes", when = { escc = ["2", "3"] } }',
         '{ is = "yes", when = { escc = ["2"] } }', "P2: calmer: escc from 1a to 3"),
        # Times that make no sense.
        ("ladders.toml", 'after = "5 min"', 'after = "13 min"', "rungs closer than minimum_gap"),
        ("ladders.toml", 'due = "15 min"', 'due = "20 min"', "is not the deadline"),
        ("ladders.toml", 'rounds = { from = "15 min"', 'rounds = { from = "25 min"',
         "rounds must begin when it is due"),
        ("deadlines.toml", 'within = "2 h", kind = "analogue", source = ["S9"',
         'within = "30 min", kind = "analogue", source = ["S9"', "EMERGENT has longer than"),
        ("timers.toml", 'after = "60 min"', 'after = "0 min"', "TIMER_60: it leaves no time"),
    ],
)  # fmt: skip
def test_planted_fault_is_found(file: str, old: str, new: str, told: str) -> None:
    report = check(load_policy_book(changed(file, old, new)), today=TODAY)
    assert any(told in problem for problem in report.problems), report.problems
    assert not report.is_sound
