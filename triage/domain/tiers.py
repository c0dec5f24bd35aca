"""The five tiers, and how they rank."""

from enum import StrEnum


class Tier(StrEnum):
    """How urgent a case is. `PALLIATIVE-MDT` stands beside the other four, not below them."""

    EMERGENT = "EMERGENT"
    URGENT = "URGENT"
    PRIORITY = "PRIORITY"
    ROUTINE = "ROUTINE"
    PALLIATIVE_MDT = "PALLIATIVE-MDT"

    @property
    def rank(self) -> int:
        """Higher is more urgent; PALLIATIVE-MDT ranks below all and is never compared by rules."""
        return _RANK[self]


_RANK = {
    Tier.EMERGENT: 4,
    Tier.URGENT: 3,
    Tier.PRIORITY: 2,
    Tier.ROUTINE: 1,
    Tier.PALLIATIVE_MDT: 0,
}

SETTABLE_TIERS = (Tier.EMERGENT, Tier.URGENT, Tier.PRIORITY, Tier.ROUTINE)


def highest(first: Tier, second: Tier) -> Tier:
    """The more urgent of two tiers."""
    return first if first.rank >= second.rank else second
