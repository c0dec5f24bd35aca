"""What follows from the rows that fit: rules, tier, flags, assumptions."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from triage.domain.tiers import Tier
from triage.policies.rows import Layout, RulePlan

# Patients resemble each other: most patterns of fitting rows come again. Bounded, about 8 MB.
_REMEMBERED = 8192


class Outcome(NamedTuple):
    """As in `Assessment`; `winners` are the rules at the winning tier, most telling first."""

    tier: Tier
    winners: tuple[RulePlan, ...]
    rules: tuple[str, ...]
    all_rules: tuple[str, ...]
    flags: tuple[str, ...]
    assumed: tuple[str, ...]
    needs: tuple[str, ...]


def outcomes(layout: Layout) -> Callable[[int], Outcome]:
    """The function from fitting rows to their outcome, for one book."""

    @lru_cache(maxsize=_REMEMBERED)
    def outcome(fitting: int) -> Outcome:
        return _outcome(layout, fitting)

    return outcome


def _outcome(layout: Layout, fitting: int) -> Outcome:
    tier = next((each for each, mask in layout.tiers if fitting & mask), layout.otherwise_tier)
    hits = tuple([rule.id for rule in layout.rules_by_id if fitting & rule.mask])
    winners = tuple([rule for rule in layout.rules if rule.tier is tier and fitting & rule.mask])
    all_rules = hits or (layout.otherwise.id,)
    flags = [flag.id for flag in layout.flags if fitting & flag.plain]
    for flag in layout.asking:
        if not fitting & flag.plain and flag.is_set(fitting, flags, tier):
            flags.append(flag.id)
    assumed = [row for bit, row in layout.assumptions if fitting & bit]
    return Outcome(
        tier,
        winners,
        tuple(sorted([winner.id for winner in winners])) or (layout.otherwise.id,),
        all_rules,
        tuple(sorted(flags)),
        tuple([row.field for row in assumed]),
        tuple([row.field for row in assumed if row.ask]),
    )
