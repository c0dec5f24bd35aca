"""Look-ups in the book's schedule: limits, holders, promises, timers. Numbers stay in the book."""

from datetime import datetime, timedelta

from triage.domain.roster.roster import Site
from triage.domain.roster.site_hours import add_working_days, add_working_time
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.policies.durations import Span, Unit

NOBODY_STATED = ("coordinator",)


def due_after(span: Span, start: datetime, site: Site) -> datetime:
    """The instant `span` after `start`; working time counts only the receiving site's hours."""
    if span.unit is Unit.WORKING_HOUR:
        return add_working_time(site, start, span.length)
    if span.unit is Unit.WORKING_DAY:
        return add_working_days(site, start, span.count)
    return start + span.length


def holders(book: PolicyBook, obligation: str) -> tuple[str, ...]:
    """The roles that hold an obligation; the coordinator where the book names nobody."""
    row = book.ladders.holder.get(obligation)
    return row.roles if row else NOBODY_STATED


def promise_default(book: PolicyBook, tier: Tier) -> timedelta:
    """How long `coming` holds when no minutes are given."""
    row = book.ladders.promise.default
    return row.emergent if tier is Tier.EMERGENT else row.below


def hand_over_wait(book: PolicyBook, tier: Tier) -> timedelta:
    """How long a person who was handed a case has to answer."""
    row = book.ladders.promise.hand_over_wait
    return row.emergent if tier is Tier.EMERGENT else row.below


def timer_wait(book: PolicyBook, timer: str) -> timedelta:
    """How long a timer runs before it raises; KeyError for a timer that the book has not."""
    return {row.id: row.after for row in book.timers.timer}[timer]


def elapsed_limit(book: PolicyBook, obligation: str, tier: Tier) -> timedelta | None:
    """The shortest limit by day and night of an obligation that starts at receipt, if any."""
    for row in book.deadlines.obligation:
        if row.name == obligation:
            limits = [
                limit.within.length
                for clock in row.clock
                for limit in clock.tier[tier].limits
                if not limit.within.is_working
            ]
            return min(limits, default=None)
    return None


def minutes(value: object, default: timedelta) -> timedelta:
    """A promise in minutes as sent; anything that is no number from 0 up gives the default."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 100_000:
        return default
    return timedelta(minutes=value)
