"""A hospital that falls silent is noticed by its own habit, told once, and never without one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.web_house import HOSPITAL, NOW, OTHER_HOSPITAL, House, build_house
from triage.escalation.silence import FLOOR, Silence, patience

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path)
    yield built
    built.store.dispose()


def send(house: House, client: TestClient, at: datetime, whom: str = HOSPITAL) -> None:
    house.clock.at = at
    name = f"{whom}-{at.isoformat()}"
    house.refer(client, whom=whom, id=name, subject=name.replace(":", "-"), time=at.isoformat())


def told(house: House) -> list[str]:
    with house.store.read() as reader:
        found = reader.pages(limit=2000)
    return [p.order.reason_class for p in found if p.order.obligation == "silent_source"]


def turn(house: House, silence: Silence, at: datetime) -> None:
    house.clock.at = at
    silence.turn(at)


def test_a_hospital_is_told_once_when_it_is_silent_for_longer_than_usual(house: House) -> None:
    client = house.client()
    start = NOW - 10 * DAY
    for number in range(30):
        send(house, client, start + number * 8 * HOUR)
    last = start + 29 * 8 * HOUR
    silence = Silence(house.store, house.desk, house.instruments)
    turn(house, silence, last + 11.9 * HOUR)
    assert told(house) == []
    for minutes in range(3):
        turn(house, silence, last + 12.1 * HOUR + minutes * HOUR)
    (why,) = told(house)
    assert HOSPITAL in why
    assert "triage_source_silent" in house.instruments.exposition().decode()
    send(house, client, last + 16 * HOUR)
    turn(house, silence, last + 17 * HOUR)
    assert len(told(house)) == 1
    gauge = f'triage_source_silent{{hospital="{HOSPITAL}"}} 0.0'
    assert gauge in house.instruments.exposition().decode()
    turn(house, silence, last + 16 * HOUR + 12.1 * HOUR)  # the next silence, by the same measure
    assert len(told(house)) == 2


def test_a_hospital_that_we_hardly_know_is_not_judged(house: House) -> None:
    client = house.client()
    for number in range(9):
        send(house, client, NOW - 10 * DAY + number * DAY, OTHER_HOSPITAL)
    for number in range(30):
        send(house, client, NOW - DAY + number * timedelta(minutes=10))
    silence = Silence(house.store, house.desk, house.instruments)
    turn(house, silence, NOW + 5 * DAY)
    assert told(house) == []


def test_a_source_without_a_credential_is_no_concern(house: House) -> None:
    client = house.client()
    for number in range(30):
        send(house, client, NOW - 10 * DAY + number * 8 * HOUR)
    with house.store.begin() as tx:
        for token in tx.reads.list_tokens():
            tx.revoke_token(token.id, NOW)
    Silence(house.store, house.desk, house.instruments).turn(NOW + 5 * DAY)
    assert told(house) == []


def test_a_quiet_weekend_is_usual_and_a_burst_does_not_shorten_the_measure() -> None:
    start = datetime(2026, 3, 2, 8, tzinfo=NOW.tzinfo)  # a Monday
    weekdays = [
        start + week * 7 * DAY + day * DAY + hour * HOUR
        for week in range(4)
        for day in range(5)
        for hour in range(9)
    ]
    now = weekdays[-1] + HOUR
    usual = patience(weekdays, now)
    assert usual is not None
    assert usual >= 64 * HOUR  # Friday 16:00 to Monday 08:00
    hourly = [now - 8 * DAY + minute * timedelta(minutes=1) for minute in range(8 * 24 * 60)]
    assert patience(hourly, now) == FLOOR


def test_one_outage_does_not_make_us_deaf_to_the_next() -> None:
    steady = [NOW - 20 * DAY + number * 6 * HOUR for number in range(80)]
    with_outage = [at for at in steady if not NOW - 12 * DAY < at < NOW - 9 * DAY]
    assert patience(with_outage, NOW) == patience(steady, NOW) == 9 * HOUR
