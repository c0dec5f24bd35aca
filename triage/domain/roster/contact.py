"""How a person wants to be reached: which route for which tier, how much later, how often."""

from dataclasses import dataclass
from datetime import timedelta

from triage.domain.tiers import Tier

NO_WAIT = timedelta()
A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRule:
    """When a route is used. `tiers` None: for all of them.

    Below EMERGENT a route with `after` is used that long after the person's first page of a ladder,
    if nobody has answered by then. `repeat` further attempts follow, one `every` so long, at any
    tier, also until somebody answers.
    """

    tiers: frozenset[Tier] | None = None
    after: timedelta = NO_WAIT
    repeat: int = 0
    every: timedelta = A_MINUTE

    def is_for(self, tier: Tier | None) -> bool:
        """Whether the route serves this tier; None = unread messages, which may be anything."""
        return self.tiers is None or tier in self.tiers


EVERY_PAGE = ContactRule()
