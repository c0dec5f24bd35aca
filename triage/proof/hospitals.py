"""Forty invented hospitals as one endless stream of records, the same for the same seed."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random

from triage.proof.hospital_case import HospitalCase
from triage.proof.messages import TimedMessage
from triage.proof.mischief import garbage, wrong_door
from triage.proof.people_and_places import Hospital, hospitals

# Relative number of referrals by hour of the day (UTC) and weekday: quiet nights, a Friday peak.
_BY_HOUR = (2, 2, 1, 1, 1, 2, 3, 5, 8, 11, 13, 14, 13, 13, 14, 15, 15, 13, 10, 8, 6, 5, 4, 3)
_BY_WEEKDAY = (1.1, 1.05, 1.05, 1.1, 1.4, 0.7, 0.6)
_MEAN_WEIGHT = sum(_BY_HOUR) / 24 * sum(_BY_WEEKDAY) / 7
_TOP_WEIGHT = max(_BY_HOUR) * max(_BY_WEEKDAY)
_OPENING_GAP = timedelta(milliseconds=400)
_GARBAGE_PER_REFERRAL = 0.02
_WRONG_DOOR_PER_REFERRAL = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """`per_day` referrals over a mean day; `opening` come at once, so that there is something to
    see; `pace` divides the waits between the messages of one case (1 = as in life)."""

    hospitals: int = 40
    per_day: float = 16.0
    opening: int = 0
    pace: float = 1.0
    by_the_clock: bool = True


@dataclass(slots=True)
class HospitalStream:
    """Iterates for ever, in order of `at`, from `start` (inclusive). Holds its own randomness."""

    seed: int
    start: datetime
    traffic: Traffic = field(default_factory=Traffic)
    _waiting: list[tuple[datetime, int, TimedMessage]] = field(default_factory=list, init=False)
    _order: Iterator[int] = field(default_factory=count, init=False)

    def __iter__(self) -> Iterator[TimedMessage]:
        dice = Random(self.seed)
        network = hospitals(self.traffic.hospitals)
        for number, at in enumerate(self._arrivals(dice), start=1):
            while self._waiting and self._waiting[0][0] <= at:
                yield heapq.heappop(self._waiting)[2]
            self._open_case(dice, network, number, at)

    def _open_case(
        self, dice: Random, network: tuple[Hospital, ...], number: int, at: datetime
    ) -> None:
        hospital = dice.choices(network, weights=[h.share for h in network])[0]
        case = HospitalCase(
            hospital=hospital, number=number, opens_at=at, dice=dice, pace=self.traffic.pace
        )
        for message in case.messages():
            self._add(message)
        if dice.random() < _GARBAGE_PER_REFERRAL:
            self._add(garbage(dice, hospital, at + timedelta(seconds=1)))
        if dice.random() < _WRONG_DOOR_PER_REFERRAL:
            later = at + timedelta(minutes=30 / self.traffic.pace)
            self._add(wrong_door(dice, hospital, later, case.referral))

    def _add(self, message: TimedMessage) -> None:
        heapq.heappush(self._waiting, (message.at, next(self._order), message))

    def _arrivals(self, dice: Random) -> Iterator[datetime]:
        at = self.start
        for _ in range(self.traffic.opening):
            yield at
            at += _OPENING_GAP
        # Thinning: as many as in the busiest hour, of which a quiet hour keeps its share.
        busiest_per_second = self.traffic.per_day / 86_400
        if self.traffic.by_the_clock:
            busiest_per_second *= _TOP_WEIGHT / _MEAN_WEIGHT
        while True:
            at += timedelta(milliseconds=round(dice.expovariate(busiest_per_second) * 1000))
            if dice.random() * _TOP_WEIGHT < self._weight(at):
                yield at

    def _weight(self, at: datetime) -> float:
        if not self.traffic.by_the_clock:
            return _TOP_WEIGHT
        return _BY_HOUR[at.hour] * _BY_WEEKDAY[at.weekday()]
