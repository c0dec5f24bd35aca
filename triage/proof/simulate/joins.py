"""Referrals found to be of one patient: they are joined, and parted where that was wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from triage.consumers.topics import ACTIONS
from triage.domain.case_id import case_id
from triage.proof.messages import envelope, structured
from triage.proof.people_and_places import CENTRE, member_of_staff
from triage.proof.simulate.story import HTTP, Message

_AGREED = ("nhs", "birth_date")
_PARTS = 0.4
_TWICE = 0.15
_TOO_LITTLE = 0.05  # of joinings, how many name one identifier only, and have no effect
_BY_HTTP = 0.3


def joins(luck: Random, referrals: Sequence[str], start: datetime, hours: float) -> list[Message]:
    """Some of these referrals joined, at whatever moment, and perhaps parted again."""
    named = luck.sample(list(referrals), min(len(referrals), luck.choice((2, 2, 3))))
    data = {"cases": [case_id(each) for each in named], "by": member_of_staff("coordinator")}
    agreed = _AGREED[:1] if luck.random() < _TOO_LITTLE else _AGREED
    at = _later(luck, start, hours)
    found = list(_sent(luck, named[0], "cases.joined.v1", at, {**data, "agreed": list(agreed)}))
    if luck.random() < _PARTS:
        at = _later(luck, at, hours)
        found += _sent(luck, luck.choice(named), "cases.parted.v1", at, data)
    return found


def _later(luck: Random, since: datetime, hours: float) -> datetime:
    return since + timedelta(seconds=round(luck.uniform(1, hours * 1800), 3))


def _sent(
    luck: Random, referral: str, kind: str, at: datetime, data: dict[str, Any]
) -> Iterator[Message]:
    event = envelope(
        source=CENTRE,
        event_id=f"{kind}-{referral}",
        event_type=kind,
        time=at,
        data=data,
        referral=referral,
    )
    headers, value = structured(event)
    topic = HTTP if luck.random() < _BY_HTTP else ACTIONS
    message = Message(
        at=at, topic=topic, key=referral.encode(), headers=headers, value=value, source=CENTRE
    )
    yield message
    if luck.random() < _TWICE:
        yield replace(message, at=_later(luck, at, 0.1))
