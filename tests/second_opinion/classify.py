"""The second evaluator: one parsed `triage classify` line in, the answer out."""

from collections.abc import Mapping
from fractions import Fraction

from tests.second_opinion.derived import derive
from tests.second_opinion.flags import flags_of
from tests.second_opinion.reading import read
from tests.second_opinion.rules import all_hits, tier_of, winning
from tests.second_opinion.scalars import read_instant


def evaluate(line: Mapping[str, object]) -> dict[str, object]:
    """`tier`, `rules`, `all_rules`, `flags`, `unread` as `triage classify` prints them (contract
    3), and `review`: whether a human must look at what could not be read.

    An unreadable line ('`findings` not an object, `now` missing or without offset') gives
    `{"error": <the path at fault>}` alone.
    """
    now = read_instant(line.get("now"))
    if not isinstance(now, Fraction):
        return {"error": "now"}
    findings = line.get("findings")
    if not isinstance(findings, dict):
        return {"error": "findings"}
    seen = read(findings)
    derived = derive(seen, now)
    hits = all_hits(seen, derived)
    tier = tier_of(hits)
    return {
        "tier": tier,
        "rules": sorted(winning(hits, tier)),
        "all_rules": sorted(hits),
        "flags": flags_of(seen, derived, hits, tier),
        "unread": sorted(seen.unread),
        "review": seen.review,
    }
