"""The invented hospitals: the same for the same seed, in order, with the troubles of a real bus."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

import orjson

from triage.consumers.topics import REFERRALS
from triage.proof.hospitals import HospitalStream, Traffic
from triage.proof.messages import Kind, TimedMessage

MONDAY = datetime(2026, 3, 9, 8, tzinfo=UTC)


def stream(count: int, *, seed: int = 7, traffic: Traffic | None = None) -> list[TimedMessage]:
    return list(islice(HospitalStream(seed, MONDAY, traffic or Traffic()), count))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert stream(800) == stream(800)
    assert stream(800) != stream(800, seed=8)


def test_records_come_in_the_order_in_which_they_are_to_be_published() -> None:
    instants = [m.at for m in stream(2_000)]
    assert instants == sorted(instants)
    assert instants[0] >= MONDAY


def test_every_trouble_of_a_real_bus_is_there() -> None:
    messages = stream(6_000)
    kinds = Counter(m.kind for m in messages)
    assert set(kinds) == set(Kind)
    assert 0.9 < kinds[Kind.EVENT] / len(messages) < 0.99
    assert {m.value for m in messages if m.kind is Kind.GARBAGE} >= {None, b""}


def test_a_repeat_is_byte_for_byte_what_was_or_will_be_sent() -> None:
    messages = stream(6_000)
    originals = {(m.key, m.headers, m.value) for m in messages if m.kind is Kind.EVENT}
    repeats = [m for m in messages if m.kind is Kind.REPEAT]
    assert repeats
    assert all((m.key, m.headers, m.value) in originals for m in repeats)


def test_some_messages_overtake_the_referral_that_they_belong_to() -> None:
    first_of: dict[bytes, bytes] = {}
    for message in stream(6_000):
        if message.kind is Kind.EVENT:
            kind = (message.value or b"") + b"".join(v for _, v in message.headers)
            first_of.setdefault(message.key, kind)
    overtaken = [k for k, text in first_of.items() if b"referral.submitted.v1" not in text]
    assert 0 < len(overtaken) < len(first_of) / 10


def test_nights_and_weekends_are_quieter() -> None:
    traffic = Traffic(per_day=400)
    week = takewhile(
        lambda m: m.at < MONDAY + timedelta(days=14), HospitalStream(3, MONDAY, traffic)
    )
    days, hours = Counter[int](), Counter[int]()
    for message in week:
        days[message.at.weekday()] += 1
        hours[message.at.hour] += 1
    assert days[6] < days[4] / 1.5
    assert sum(hours[h] for h in range(5)) < sum(hours[h] for h in range(10, 15)) / 3


def test_the_opening_comes_at_once_so_that_there_is_something_to_see() -> None:
    traffic = Traffic(opening=20, pace=60)
    early = [m for m in stream(200, traffic=traffic) if m.at < MONDAY + timedelta(seconds=9)]
    assert len({m.key for m in early if m.kind is Kind.EVENT}) >= 15


def test_patients_are_plainly_invented() -> None:
    for message in stream(2_000):
        if message.kind is Kind.EVENT and b"birth_date" in (message.value or b""):
            document = orjson.loads(message.value or b"")
            event = document[0] if isinstance(document, list) else document
            patient = event.get("data", event)["patient"]
            assert patient["name"] == {"family": "Sample", "given": ["Patient"]}
            assert has_valid_check_digit(patient["identifiers"][0]["value"])
            assert patient["identifiers"][0]["value"].startswith("999")
            assert message.topic == REFERRALS


def has_valid_check_digit(number: str) -> bool:
    total = sum((10 - place) * int(digit) for place, digit in enumerate(number[:9]))
    return (11 - total % 11) % 11 == int(number[9])
