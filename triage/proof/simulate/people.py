"""People on call: they answer soon, late, twice or never, decline, hand over, and do what is asked.

What a person does about a page is drawn from the page's own name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from triage.domain.events import read_actor
from triage.domain.paging import ACKNOWLEDGEMENT
from triage.domain.tiers import Tier
from triage.proof.people_and_places import CENTRE
from triage.proof.simulate.acts import Acts
from triage.proof.simulate.asked import done_for
from triage.proof.simulate.phones import Arrival
from triage.proof.simulate.story import dice
from triage.proof.simulate.wards import Wards
from triage.proof.simulate.world import World
from triage.unread import acknowledge_unread

# How much of a person's usual readiness to answer each role has; who is not named never tries.
_READY = {
    "registrar": 0.9,
    "consultant": 1.1,
    "second_consultant": 1.2,
    "fellow": 1.1,
    "clinical_director": 1.2,
}
_COORDINATOR_READY = 1.0
_SOON_MINUTES = (1.0, 9.0)
_WORK_MINUTES = (5.0, 40.0)
_LEFT_TO_OTHERS = timedelta(hours=2)  # that long nobody does again what somebody has begun
_LATE_MINUTES = (20.0, 150.0)
_PROMISED_MINUTES = {Tier.EMERGENT: 15, Tier.URGENT: 60}
_LONGEST_PROMISE_MINUTES = 240
_READS_QUARANTINE_AFTER = timedelta(minutes=6)
_OTHER = {"name": "Sample Other Registrar", "role": "registrar", "site": CENTRE}


@dataclass(slots=True)
class People:
    """Everybody who carries a telephone. `look` opens a page's link without answering."""

    world: World
    acts: Acts
    look: Callable[[str], None]
    _wards: Wards = field(init=False)
    _answered: set[tuple[str, str]] = field(default_factory=set)
    _begun: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _heard: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._wards = Wards(self.world, self.acts)

    def hear(self, arrival: Arrival) -> None:
        """A telephone rings."""
        page = arrival.document
        name = str(page["page"])
        if not arrival.is_seen or name in self._heard:
            return
        self._heard.add(name)
        if page["case"] is None:
            self._read_quarantine(name, page)
            return
        temper, luck = self.world.story.temper, self._dice("person", name)
        if luck.random() < temper.looks:
            self.acts.after(timedelta(seconds=round(luck.uniform(5, 50), 3)), self.look, name)
        if page["obligation"] != ACKNOWLEDGEMENT:
            self._do_what_is_asked(page, luck)
        elif luck.random() < self._readiness(page):
            self._answer(page, luck)

    def _readiness(self, page: Mapping[str, Any]) -> float:
        answers = self.world.story.temper.answers
        role = page["role"]
        if role == "coordinator" and page["tier"] != Tier.EMERGENT:
            return answers * _COORDINATOR_READY
        return answers * _READY.get(str(role), 0.0)

    def _answer(self, page: Mapping[str, Any], luck: Random) -> None:
        temper = self.world.story.temper
        minutes = _LATE_MINUTES if luck.random() < temper.late else _SOON_MINUTES
        wait = timedelta(seconds=round(luck.uniform(*minutes) * 60, 3))
        data = self._words(page, luck)
        run = (str(page["case"]), str(page["run"]))
        if data["answer"] == "coming":
            if run in self._answered and luck.random() < 0.8:
                return
            self._answered.add(run)
        self._say(wait, page, "page.acknowledged.v1", data, "answer")
        if luck.random() < temper.twice:
            self._say(wait * 1.5, page, "page.acknowledged.v1", data, "answer")
        if data["answer"] == "coming":
            self._wards.follow(str(page["case"]), Tier(page["tier"]), wait)

    def _do_what_is_asked(self, page: Mapping[str, Any], luck: Random) -> None:
        """Once for an obligation, by whoever gets to it first; again if that had no effect."""
        asked, now = (
            (str(page["case"]), f"{page['obligation']} {page['run']}"),
            self.world.clock.now(),
        )
        begun = self._begun.get(asked)
        if begun is not None and now < begun + _LEFT_TO_OTHERS:
            return
        if luck.random() > self.world.story.temper.answers:
            return
        document = self.acts.document(asked[0])
        by, worsens = _person(page, self._site), self.world.story.temper.worsens
        wait = timedelta(seconds=round(luck.uniform(*_WORK_MINUTES) * 60, 3))
        for kind, data in done_for(page, document, by, luck, worsens):
            self._begun[asked] = now
            self._say(wait, page, kind, data, f"done-{kind}")
            wait *= 2

    def _words(self, page: Mapping[str, Any], luck: Random) -> dict[str, Any]:
        temper = self.world.story.temper
        answer: dict[str, Any] = {"page": page["page"], "by": _person(page, self._site)}
        way = luck.random()
        if way < temper.declines:
            return {**answer, "answer": "decline"}
        if way < temper.declines + temper.hands_over:
            return {**answer, "answer": "hand_over", "to": {**_OTHER, "site": self._site}}
        minutes = _PROMISED_MINUTES.get(Tier(page["tier"]), _LONGEST_PROMISE_MINUTES)
        return {**answer, "answer": "coming", "minutes": minutes}

    def _say(
        self,
        wait: timedelta,
        page: Mapping[str, Any],
        kind: str,
        data: Mapping[str, Any],
        what: str,
    ) -> None:
        self.acts.plan(wait, str(page["case"]), f"{page['page']}.{what}", kind, data)

    def _read_quarantine(self, name: str, page: Mapping[str, Any]) -> None:
        if self._dice("quarantine", name).random() < self.world.story.temper.answers:
            by = read_actor(_person(page, self._site))

            def settle() -> None:
                with self.world.outside.begin() as tx:
                    if by is not None:
                        acknowledge_unread(tx, name, by, now=self.world.clock.now())

            self.acts.after(_READS_QUARANTINE_AFTER, settle)

    @property
    def _site(self) -> str:
        return self.world.roster.default_site

    def _dice(self, *about: str) -> Random:
        return dice(self.world.story.seed, *about)


def _person(page: Mapping[str, Any], site: str) -> dict[str, Any]:
    role = str(page["role"])
    name = page["name"] or f"Sample {role.replace('_', ' ').title()}"
    return {"person": page["person"], "name": name, "role": role, "site": site}
