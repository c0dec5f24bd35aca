"""A backlog on the bus: which pages wait until it has been read, and for how long.

What lies unread may acknowledge or close the very case that a page is about (design invariant 10).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

# A consumer that reads a backlog says so every two seconds; silent for longer, it is dead, and what
# it did not read holds nothing up.
SAID_FOR = timedelta(seconds=5)
EMERGENT_WAITS = timedelta(seconds=5)
OTHERS_WAIT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Hold:
    """Pages that are not sent yet: those of lesser tiers, and EMERGENT ones owed before
    `emergent_from` (exclusive). Pages without a tier (unreadable records) wait only as long as
    EMERGENT ones do, so that none goes before them."""

    emergent_from: datetime | None


def hold(backlog_since: datetime | None, now: datetime) -> Hold | None:
    """What to hold at `now` for a backlog that is being read since that instant; None for nothing.

    An EMERGENT page that came to be owed after that waits for nothing, an older one for five
    seconds at most, any other for five minutes at most.
    """
    if backlog_since is None or now - backlog_since >= OTHERS_WAIT:
        return None
    is_young = now - backlog_since < EMERGENT_WAITS
    return Hold(emergent_from=backlog_since if is_young else None)
