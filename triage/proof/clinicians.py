"""Simulated clinicians of the demo centre: they read pages, mostly answer, and act on the case.

Some pages nobody answers, so that ladders are seen to climb. Unread quarantine they leave to the
visitor.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from triage.consumers.topics import ACTIONS
from triage.domain.paging import ACKNOWLEDGEMENT
from triage.domain.tiers import Tier
from triage.proof.messages import TimedMessage, envelope, structured
from triage.proof.pathways import pathway
from triage.proof.people_and_places import CENTRE, member_of_staff

# Of its pages, what part each role answers; one who may not stop the ladder never tries.
_ANSWERS = {
    "registrar": 0.6,
    "consultant": 0.8,
    "second_consultant": 0.9,
    "palliative": 0.9,
    "clinical_director": 0.9,
}
_COORDINATOR_ANSWERS = 0.7
_DECLINES = 0.06
_MINUTES_TO_ANSWER = (2.0, 9.0)
_PROMISED_MINUTES = {Tier.EMERGENT: 15, Tier.URGENT: 60}
_LONGEST_PROMISE_MINUTES = 240


@dataclass(slots=True)
class Clinicians:
    """`referral_of` gives the referral of a case id (None: not known, the page is left alone).

    `pace` divides all waits, but an answer takes at least `shortest_answer`, so that a visitor may
    answer first.
    """

    seed: int
    referral_of: Callable[[str], str | None]
    pace: float = 1.0
    shortest_answer: timedelta = timedelta()
    _dice: Random = field(init=False)
    _ids: Iterator[int] = field(default_factory=lambda: count(1), init=False)
    _waiting: list[tuple[datetime, int, TimedMessage]] = field(default_factory=list, init=False)
    _followed: set[str] = field(default_factory=set, init=False)
    _answered: set[tuple[str, str]] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._dice = Random(self.seed)

    def see(self, page: Mapping[str, Any], now: datetime) -> None:
        """One page as it arrives in the inbox; what will be done about it comes from `due`."""
        case, tier = page.get("case"), page.get("tier")
        if not case or not tier or page.get("obligation") != ACKNOWLEDGEMENT:
            return
        referral = self.referral_of(case)
        run = (case, str(page.get("run")))
        if referral is None or run in self._answered or not self._answers(page):
            return
        answer = self._answer(page)
        if answer["answer"] == "coming":
            self._answered.add(run)
        answered_at = now + self._thinking_time()
        self._plan(answered_at, "page.acknowledged.v1", referral, answer)
        if answer["answer"] == "coming" and case not in self._followed:
            self._followed.add(case)
            self._follow(referral, Tier(tier), answered_at)

    def due(self, now: datetime) -> list[TimedMessage]:
        """Their events whose time has come (inclusive), oldest first; each is given once."""
        ready = []
        while self._waiting and self._waiting[0][0] <= now:
            ready.append(heapq.heappop(self._waiting)[2])
        return ready

    def _answers(self, page: Mapping[str, Any]) -> bool:
        role = page.get("role")
        if role == "coordinator" and page["tier"] != Tier.EMERGENT:
            return self._dice.random() < _COORDINATOR_ANSWERS
        return self._dice.random() < _ANSWERS.get(str(role), 0.0)

    def _answer(self, page: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {"page": page["page"], "by": member_of_staff(page["role"])}
        if self._dice.random() < _DECLINES:
            return {**answer, "answer": "decline"}
        minutes = _PROMISED_MINUTES.get(Tier(page["tier"]), _LONGEST_PROMISE_MINUTES)
        return {**answer, "answer": "coming", "minutes": minutes}

    def _thinking_time(self) -> timedelta:
        minutes = self._dice.uniform(*_MINUTES_TO_ANSWER) / self.pace
        return max(self.shortest_answer, timedelta(milliseconds=round(minutes * 60_000)))

    def _follow(self, referral: str, tier: Tier, answered_at: datetime) -> None:
        for step in pathway(tier, self._dice):
            wait = timedelta(milliseconds=round(step.after_minutes / self.pace * 60_000))
            self._plan(answered_at + wait, step.type, referral, step.data)

    def _plan(self, at: datetime, kind: str, referral: str, data: Mapping[str, Any]) -> None:
        number = next(self._ids)
        event = envelope(
            source=CENTRE,
            event_id=f"a-{number:06d}",
            event_type=kind,
            time=at,
            data=data,
            referral=referral,
        )
        headers, value = structured(event)
        message = TimedMessage(
            at=at, topic=ACTIONS, key=referral.encode(), headers=headers, value=value
        )
        heapq.heappush(self._waiting, (at, number, message))
