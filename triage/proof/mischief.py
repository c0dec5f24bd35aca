"""What a bus carries that nobody meant to send: garbage, and acts at the wrong door."""

from collections.abc import Callable
from datetime import datetime
from random import Random

from triage.consumers.topics import REFERRALS
from triage.proof.messages import Kind, TimedMessage, envelope, structured
from triage.proof.people_and_places import Hospital, member_of_staff

_GARBAGE: tuple[Callable[[Random], bytes | None], ...] = (
    lambda _dice: None,
    lambda _dice: b"",
    lambda _dice: b"MSH|^~\\&|SAMPLE|RX1|TRIAGE|NEURO",
    lambda _dice: b'{"specversion": "1.0", "id": "e-1", "source": "hospital:RX1", "ty',
    lambda _dice: b'"\xff\xfe not UTF-8"',
    lambda _dice: b"[" * 5_000,
    lambda _dice: b'{"specversion": "1.0", "id": "e-1", "id": "e-2"}',
    lambda dice: b"%d" % dice.randrange(10**9),
)


def garbage(dice: Random, hospital: Hospital, at: datetime) -> TimedMessage:
    """A record that nothing can read."""
    return TimedMessage(
        at=at,
        topic=REFERRALS,
        key=hospital.source.encode(),
        headers=(),
        value=dice.choice(_GARBAGE)(dice),
        kind=Kind.GARBAGE,
    )


def wrong_door(dice: Random, hospital: Hospital, at: datetime, referral: str) -> TimedMessage:
    """A hospital's system that closes a case, or writes to another hospital's referral."""
    data: dict[str, object] = {"reason": "duplicate", "by": member_of_staff("consultant")}
    kind, source = "case.closed.v1", hospital.source
    if dice.random() < 0.3:
        kind, data = "referral.updated.v1", {"findings": {"walking": "unaided"}}
        source = "hospital:UNREGISTERED"
    number = dice.randrange(10**9)
    event = envelope(
        source=source,
        event_id=f"w-{number:09d}",
        event_type=kind,
        time=at,
        data=data,
        referral=referral,
    )
    headers, value = structured(event)
    return TimedMessage(
        at=at,
        topic=REFERRALS,
        key=referral.encode(),
        headers=headers,
        value=value,
        kind=Kind.WRONG_DOOR,
    )
