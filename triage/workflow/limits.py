"""What the clocks of a book ask at each tier, and by when that is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from triage.domain.paging import short_tag
from triage.domain.roster.roster import Site
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.policies.schedule_tables import Limit, ObligationClock, ObligationRow, OnlyRule
from triage.workflow.terms import due_after


class Due(NamedTuple):
    """Until when something is owed at a tier, by which limit. `nominal`: the policy's full time."""

    at: datetime
    nominal: timedelta
    limit: Limit
    tier: Tier


def due_by(
    limits: Sequence[Limit],
    start: datetime,
    tier: Tier,
    site: Site,
    carried: datetime | None = None,
) -> Due | None:
    """The strictest of the limits, never later than what is `carried`; None without a limit."""
    if not limits:
        return None
    strictest = limits[0]
    due = due_after(strictest.within, start, site)
    for limit in limits[1:]:
        other = due_after(limit.within, start, site)
        if other < due:
            due, strictest = other, limit
    return Due(min(due, carried) if carried else due, due - start, strictest, tier)


def limits_of(clock: ObligationClock, tier: Tier, rules: tuple[str, ...]) -> tuple[Limit, ...]:
    """What a clock asks at a tier that these rules gave; nothing where there are words instead."""
    stated = clock.tier[tier]
    if stated.only_rule and len(rules) == 1 and rules[0] in stated.only_rule:
        return _only(stated.only_rule[rules[0]])
    return stated.limits


def _only(instead: OnlyRule) -> tuple[Limit, ...]:
    if instead.within is None:
        return ()
    return (Limit(within=instead.within, kind=instead.kind, source=instead.source),)


@lru_cache(maxsize=256)
def limited(
    book: PolicyBook, tiers: frozenset[Tier]
) -> tuple[tuple[ObligationRow, ObligationClock], ...]:
    """The clocks that state a limit at one of these tiers; the others only have words."""
    return tuple(
        (row, clock)
        for row in book.deadlines.obligation
        for clock in row.clock
        if any(clock.tier[tier].limits for tier in tiers)
    )


@lru_cache(maxsize=4096)
def run_tag(name: str, clock: str, start: datetime) -> str:
    """Asked for at every fold of a case; instants are in UTC, so equal ones have one text."""
    return short_tag(name, clock, start.isoformat())
