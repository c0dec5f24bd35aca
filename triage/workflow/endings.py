"""When what is owed was met, or ended, among the instants of a case."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from triage.domain.case import Obligation
from triage.domain.tiers import Tier
from triage.workflow.facts import Moment
from triage.workflow.limits import Due


def ever_ran(obligation: Obligation) -> bool:
    """Whether it did not end before it began, or as it began."""
    if obligation.name == "review":  # what a closing tells the coordinator starts and ends with it
        return True
    return obligation.closed_at is None or obligation.closed_at > obligation.starts_at


def ended_or_met(
    met: datetime | None, closed: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """When it was met, else when it ended: what had ended by then was not met."""
    if met and closed and closed < met:
        met = None
    return met, None if met else closed


def is_late(due: Due, met: datetime | None, closed: datetime | None) -> bool:
    """It was met or ended after its due instant, which says nothing about the present one."""
    end = met or closed
    return end is None or end > due.at


def first_between(
    instants: Iterable[datetime], start: datetime, until: datetime | None
) -> datetime | None:
    """After `start`, and up to `until` (inclusive)."""
    for at in instants:
        if start < at and (until is None or at <= until):
            return at
    return None


def first_of(*instants: datetime | None) -> datetime | None:
    """Of those that are there."""
    return min([at for at in instants if at], default=None)


def still_binding(unmet: Sequence[tuple[Tier, datetime]], tier: Tier) -> datetime | None:
    """The earliest unmet due instant that still binds: what a higher tier asked for is gone."""
    if not unmet:
        return None
    return min((due for then, due in unmet if then.rank <= tier.rank), default=None)


def first_met(
    moments: Sequence[Moment], since: datetime | None, until: datetime | None
) -> datetime | None:
    """The first that we heard of from `since` (inclusive) to `until` (exclusive)."""
    for moment in moments:
        if (since is None or moment.received_at >= since) and (
            until is None or moment.received_at < until
        ):
            return moment.at
    return None


def first_by(moments: Sequence[Moment], until: datetime | None) -> datetime | None:
    """The first, where it happened up to `until` (inclusive), whenever we heard of it."""
    return next((each.at for each in moments[:1] if until is None or each.at <= until), None)
