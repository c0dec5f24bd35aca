"""Small builders: doors of each kind, and events with one thing changed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from triage.domain.events import Actor, Event, Sender, Side
from triage.handle import Incoming
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.intake.registry import Registry
from triage.intake.unreadable import Unreadable

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
REGISTRY = Registry(
    centres=frozenset({"centre:NEURO"}), hospitals=frozenset({"hospital:RX1", "hospital:RX2"})
)
HOSPITALS = Door(name="kafka", admits="hospital", registry=REGISTRY)
CENTRE = Door(name="kafka", admits="centre", registry=REGISTRY)
REGISTRAR = Actor(person="reg-a", name="Sample Registrar", role="registrar", site="centre:NEURO")
PERSON = Door(name="http", admits=Sender(side=Side.CENTRE, source="centre:NEURO", actor=REGISTRAR))
GONE = object()


def envelope(**changes: Any) -> dict[str, Any]:
    """A valid referral; `GONE` as a value leaves the attribute out."""
    made = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "hospital:RX1",
        "type": "referral.submitted.v1",
        "time": "2026-03-10T08:00:00+00:00",
        "subject": "2026-004711",
        "data": {"findings": {"walking": "cannot"}},
    }
    return {key: value for key, value in (made | changes).items() if value is not GONE}


def results(
    raw: bytes,
    *,
    door: Door = HOSPITALS,
    headers: Mapping[str, bytes] | None = None,
    place: str | None = "triage.referrals.v1/0",
) -> list[Incoming | Unreadable]:
    return decode(
        raw,
        headers=headers or {},
        door=door,
        received_at=NOW,
        sent_at=None,
        origin="triage.referrals.v1/0/7",
        place=place,
    )


def event(raw: bytes | None = None, *, door: Door = HOSPITALS, **changes: Any) -> Event:
    """The one event that these bytes, or this changed envelope, are read as."""
    (found,) = results(orjson.dumps(envelope(**changes)) if raw is None else raw, door=door)
    assert isinstance(found, Incoming), found
    return found.event


def unreadable(raw: bytes | None = None, *, door: Door = HOSPITALS, **changes: Any) -> Unreadable:
    """The one refusal that these bytes, or this changed envelope, get."""
    (found,) = results(orjson.dumps(envelope(**changes)) if raw is None else raw, door=door)
    assert isinstance(found, Unreadable), found
    return found
