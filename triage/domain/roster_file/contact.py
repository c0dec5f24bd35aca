"""The contact rule of a route in a roster file: `tiers`, `after`, `repeat`, `every`."""

import re
from datetime import timedelta

from triage.domain.roster.contact import A_MINUTE, NO_WAIT, ContactRule
from triage.domain.roster_file.entry import Entry
from triage.domain.tiers import Tier

_MINUTES = re.compile(r"(\d{1,3}) ?(min|minutes?)")
_LONGEST = timedelta(hours=1)
_MOST_REPEATS = 10


def contact_rule(entry: Entry) -> ContactRule:
    """The rule of a route's table; what is unusable is noted and left out."""
    tiers = entry.may_have("tiers", _read_tiers)
    after = entry.may_have("after", _read_wait, NO_WAIT)
    repeat = entry.may_have("repeat", _read_repeat, 0)
    every = entry.may_have("every", _read_wait, A_MINUTE)
    if every < A_MINUTE:
        entry.note("every", "is under a minute: a telephone needs the time to ring")
        every = A_MINUTE
    return ContactRule(tiers=tiers, after=after, repeat=repeat, every=every)


def _read_tiers(value: object) -> frozenset[Tier]:
    known = {tier.value: tier for tier in Tier}
    if not isinstance(value, list) or not value or any(each not in known for each in value):
        raise ValueError(f"no list of tiers: {value!r}; allowed: {', '.join(known)}")
    return frozenset(known[each] for each in value)


def _read_wait(value: object) -> timedelta:
    found = _MINUTES.fullmatch(value) if isinstance(value, str) else None
    wait = timedelta(minutes=int(found[1])) if found else None
    if wait is None or wait > _LONGEST:
        raise ValueError(f"no wait: {value!r}; write '2 min', at most '60 min'")
    return wait


def _read_repeat(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_REPEATS:
        raise ValueError(f"no number of repeats: {value!r}; allowed: 0 to {_MOST_REPEATS}")
    return value
