"""A timer that ran out, as the event that raises the tier or, at a shift's end, calls everybody."""

import hashlib
from datetime import datetime

from triage.domain.case import Case, Timer
from triage.domain.events import AFTER, BEFORE, Event, EventType, Sender, Side

SOURCE = "triage:timer"
# The rules of timers that raise no tier: the owner's shift is over, or the case is at another site.
SHIFT_END, SENT_ON = "SHIFT_END", "SENT_ON"


def timer_event(case: Case, timer: Timer, now: datetime, *, before: bool = False) -> Event:
    """What it does, occurred when the timer was due, received when the sweep found it.

    Found by what was received up to `now`, it counts after that; with `before`, it ran out before
    what is received at `now`, and counts first.
    """
    calls = timer.rule in (SHIFT_END, SENT_ON)
    name = f"{timer.rule}:{timer.event}"
    text = f"{case.id}\x1f{name}\x1f{timer.due_at.isoformat()}"
    return Event(
        source=SOURCE,
        id=name,
        type=EventType.SHIFT_ENDED if calls else EventType.TIMER_RAISED,
        referral=case.referral,
        case=case.id,
        occurred_at=timer.due_at,
        received_at=now,
        sender=Sender(side=Side.OURSELVES, source=SOURCE),
        data={
            "rule": timer.rule,
            "event": timer.event,
            "stands": BEFORE if before else AFTER,
        },
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
    )
