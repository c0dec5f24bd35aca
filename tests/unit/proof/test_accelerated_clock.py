"""The demonstration's clock: agrees at the start, then runs ahead as fast as told."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from triage.proof.accelerated_clock import AcceleratedClock

START = datetime(2026, 3, 9, 8, tzinfo=UTC)


@dataclass
class Hand:
    at: datetime

    def now(self) -> datetime:
        return self.at


def test_it_agrees_at_the_start_and_runs_ahead() -> None:
    wall = Hand(START)
    clock = AcceleratedClock(wall, START, 60)
    assert clock.now() == START
    wall.at += timedelta(seconds=10)
    assert clock.now() == START + timedelta(minutes=10)


def test_it_never_shows_what_was_before_the_start() -> None:
    clock = AcceleratedClock(Hand(START - timedelta(seconds=1)), START, 60)
    assert clock.now() == START


def test_the_wait_for_an_instant_is_in_real_seconds() -> None:
    clock = AcceleratedClock(Hand(START), START, 60)
    assert clock.real_seconds_until(START + timedelta(minutes=1)) == 1
    assert clock.real_seconds_until(START - timedelta(minutes=1)) == 0
