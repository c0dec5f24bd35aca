"""The mix of invented patients: every tier occurs, few are EMERGENT, nothing is misspelt."""

from collections import Counter
from datetime import UTC, datetime
from random import Random

from triage.domain.tiers import Tier
from triage.policies.classify import classify
from triage.policies.load import load_policy_book
from triage.policies.read import read_findings
from triage.policies.shipped import shipped_texts
from triage.proof import presentations

NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
BOOK = load_policy_book(shipped_texts())


def test_about_one_referral_in_seven_is_emergent_and_every_tier_occurs() -> None:
    dice, tiers = Random(11), Counter[Tier]()
    for _ in range(3_000):
        findings = presentations.choose(dice).findings(dice, NOW)
        reading = read_findings(findings, BOOK)
        assert not reading.unread
        tiers[Tier(classify(reading.findings, BOOK, now=NOW).tier)] += 1
    assert 0.12 < tiers[Tier.EMERGENT] / 3_000 < 0.18
    assert set(tiers) == {Tier.EMERGENT, Tier.URGENT, Tier.PRIORITY, Tier.ROUTINE}


def test_what_gets_worse_becomes_emergent() -> None:
    dice = Random(5)
    for _ in range(50):
        reading = read_findings(presentations.worse(dice), BOOK)
        assert classify(reading.findings, BOOK, now=NOW).tier == Tier.EMERGENT
