"""Stories from seeds: a few referrals in a few hours, with everything that can go wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from triage.consumers.topics import REFERRALS
from triage.proof.hospital_case import HospitalCase
from triage.proof.messages import TimedMessage, envelope, structured
from triage.proof.mischief import garbage, wrong_door
from triage.proof.people_and_places import hospitals
from triage.proof.simulate.crash_points import AWAIT
from triage.proof.simulate.joins import Joiner
from triage.proof.simulate.sample_roster import sample_roster
from triage.proof.simulate.story import HTTP, Crash, Message, Outage, Story, Temper, dice

START = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)  # a Monday
POINTS = (
    *(
        f"{role}.{place}"
        for role in ("door", "sweep", "relay", "web")
        for place in ("begin", "commit", "committed")
    ),
    "provider.send",
    "provider.sent",
    "work",
    "worked",
    AWAIT,
    AWAIT,
    AWAIT,
)
_MOST_NTH = {
    "work": 60,
    "worked": 60,
    **dict.fromkeys(("door.begin", "door.commit", "door.committed"), 12),
    **dict.fromkeys(("web.begin", "web.commit", "web.committed"), 4),
}
_NTH = 25
_AWAITS_DIGITS = 3.4  # a story goes through some hundreds or thousands of them
_JOINS = 0.3
_CROWDS = 0.025
_CROWD = 150
_EMERGENT = {
    "cancer": "known",
    "spinal_metastasis": "confirmed",
    "mri": "reported",
    "level": "T8",
    "escc": "3",
    "ais": "C",
    "walking": "cannot",
    "neuro_symptom": "weakness",
    "trend": "worsening",
}
_LESSER = {
    "cancer": "known",
    "spinal_metastasis": "confirmed",
    "mri": "reported",
    "level": "T8",
    "escc": "1b",
    "ais": "E",
    "walking": "unaided",
    "neuro_symptom": "radicular",
    "trend": "worsening",
    "bladder": "normal",
    "saddle_sensation": "normal",
    "pain": "mechanical",
    "sins": "9",
    "histology": "breast",
}


def random_story(seed: int) -> Story:
    """One story; the same for the same seed. One in forty is a crowd."""
    luck = dice(seed, "story")
    if luck.random() < _CROWDS:
        return crowd(seed)
    start = START + timedelta(minutes=luck.randrange(14 * 24 * 60))
    hours = luck.choice((0.5, 1.0, 1.0, 1.5, 3.0))
    return Story(
        seed=seed,
        start=start,
        hours=hours,
        roster=sample_roster(luck),
        messages=_with_joins(seed, start, hours, tuple(_messages(luck, start, hours))),
        crashes=tuple(_crashes(luck)),
        outages=tuple(_outages(luck, hours)),
        processes=luck.choice((1, 1, 2)),
        temper=Temper(answers=luck.choice((0.4, 0.8, 0.95))),
    )


def crowd(seed: int) -> Story:
    """Many lesser referrals at one moment, and an EMERGENT one on their heels."""
    luck = dice(seed, "crowd")
    start = START + timedelta(minutes=luck.randrange(14 * 24 * 60))
    hospital = hospitals(1)[0]
    messages = [
        _plain(hospital.source, number, start + timedelta(seconds=2), _LESSER)
        for number in range(_CROWD)
    ]
    at = start + timedelta(seconds=2 + round(luck.uniform(0.2, 1.5), 1))
    messages.append(_plain(hospital.source, _CROWD, at, _EMERGENT))
    return Story(
        seed=seed,
        start=start,
        hours=0.05,
        roster=sample_roster(luck),
        messages=tuple(messages),
        processes=luck.choice((1, 2)),
        temper=Temper(answers=0.0, looks=0.0),
    )


def _plain(source: str, number: int, at: datetime, findings: Mapping[str, str]) -> Message:
    referral = f"{source}/crowd-{number}"
    event = envelope(
        source=source,
        event_id=f"crowd-{number}",
        event_type="referral.submitted.v1",
        time=at,
        data={"findings": findings},
        subject=f"crowd-{number}",
    )
    headers, value = structured(event)
    return Message(
        at=at, topic=REFERRALS, key=referral.encode(), headers=headers, value=value, source=source
    )


def _messages(luck: Random, start: datetime, hours: float) -> Iterator[Message]:
    network = hospitals(8)
    found: list[TimedMessage] = []
    together = luck.random() < 0.25
    for number in range(1, luck.choice((1, 2, 2, 3, 4)) + 1):
        hospital = luck.choice(network)
        at = start + timedelta(seconds=1 if together else round(luck.uniform(1, hours * 1800), 3))
        case = HospitalCase(hospital=hospital, number=number, opens_at=at, dice=luck, pace=2.0)
        found += case.messages()
        if luck.random() < 0.1:
            found.append(garbage(luck, hospital, at + timedelta(seconds=1)))
        if luck.random() < 0.1:
            found.append(wrong_door(luck, hospital, at + timedelta(minutes=9), case.referral))
    end = start + timedelta(hours=hours)
    for message in sorted(found, key=lambda each: each.at):
        if message.at < end:
            yield _by_some_door(luck, message)


def _with_joins(
    seed: int, start: datetime, hours: float, messages: tuple[Message, ...]
) -> tuple[Message, ...]:
    luck, named = dice(seed, "joins"), dict.fromkeys(each.key.decode() for each in messages)
    referrals = [each for each in named if "/" in each]
    if len(referrals) < 2 or luck.random() > _JOINS:
        return messages
    found = (*messages, *Joiner(luck=luck).messages(referrals, start, hours / 2))
    return tuple(sorted(found, key=lambda each: each.at))


def _by_some_door(luck: Random, message: TimedMessage) -> Message:
    """Some hospitals send over HTTP instead, where the message can be read at all."""
    source = message.key.decode().partition("/")[0]
    own = message.value is not None and f'"source":"{source}"'.encode() in message.value
    topic = HTTP if own and luck.random() < 0.3 else message.topic
    return as_message(replace(message, topic=topic), source)


def as_message(message: TimedMessage, source: str) -> Message:
    """A record of the synthetic hospitals as a message of a story."""
    return Message(
        at=message.at,
        topic=message.topic,
        key=message.key,
        headers=message.headers,
        value=message.value,
        source=source,
    )


def _crashes(luck: Random) -> Iterator[Crash]:
    for _ in range(luck.choice((0, 1, 2, 3, 5))):
        point = luck.choice(POINTS)
        if point == AWAIT:
            yield Crash(point, round(10 ** luck.uniform(0, _AWAITS_DIGITS)))
        else:
            yield Crash(point, luck.randrange(1, _MOST_NTH.get(point, _NTH)))


def _outages(luck: Random, hours: float) -> Iterator[Outage]:
    for kind, part, longest in (
        ("database", 0.25, 40),
        ("bus", 0.2, 900),
        ("provider", 0.25, 600),
    ):
        if luck.random() < part:
            starts = timedelta(seconds=round(luck.uniform(0, hours * 3000), 1))
            lasts = timedelta(seconds=round(luck.uniform(1, longest), 1))
            yield Outage(kind, starts, starts + lasts)  # type: ignore[arg-type]
