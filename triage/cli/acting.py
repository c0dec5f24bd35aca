"""One act of a person, from the terminal, through `handle` like any other event."""

import time
import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from triage.cli import context
from triage.clock import SystemClock
from triage.desks import build_desk
from triage.domain.errors import TriageError
from triage.domain.events import Actor, Sender, Side
from triage.domain.instants import format_instant
from triage.domain.roster.roster import Roster
from triage.handle import Incoming, Outcome, handle
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.intake.unreadable import Unreadable
from triage.store.failures import StoreBusy

_TRIES = 5
_PAUSE_SECONDS = 0.05


def person_of(roster: Roster, person: str) -> Actor:
    """The roster's person, named with role and default site; raises TriageError when unknown."""
    known = roster.people.get(person)
    if known is None:
        raise TriageError(f"person: {person}", hint=f"the roster knows {', '.join(roster.people)}")
    return Actor(person=known.id, name=known.name, role=known.role, site=roster.default_site)


def act(
    kind: str, referral: str, data: Mapping[str, Any], by: str, *, at: str | None = None
) -> Outcome:
    """Record an act of `by` (a person of the roster). Raises TriageError with what was refused."""
    settings = context.settings()
    store = context.store()
    desk = build_desk(settings, store, SystemClock().now())
    actor = person_of(desk.roster, by)
    now = SystemClock().now()
    fields = {"person": actor.person, "name": actor.name, "role": actor.role, "site": actor.site}
    envelope = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": actor.site,
        "type": kind,
        "time": at or format_instant(now),
        "referral": referral,
        "data": {"by": fields, **data},
    }
    sender = Sender(side=Side.CENTRE, source=actor.site or "", actor=actor)
    (decoded,) = decode(
        orjson.dumps(envelope),
        headers={},
        door=Door(name="cli", admits=sender),
        received_at=now,
        sent_at=None,
        origin="cli",
    )
    if isinstance(decoded, Unreadable):
        raise TriageError(f"act: {decoded.reason}", hint="see docs/events.md")
    return _store(store, decoded, desk)


def _store(store: Any, decoded: Incoming, desk: Any) -> Outcome:
    for _ in range(_TRIES):
        try:
            with store.begin() as tx:
                return handle(tx, [decoded], desk, now=SystemClock().now())[0]
        except StoreBusy:
            time.sleep(_PAUSE_SECONDS)
    raise TriageError("database: busy", hint="try again")
