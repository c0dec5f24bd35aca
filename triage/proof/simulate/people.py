"""People on call: they answer soon, late, twice or never, decline, hand over, and do the work.

What a person does about a page is drawn from the page's own name.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import orjson

from triage.consumers.topics import ACTIONS
from triage.domain.events import read_actor
from triage.domain.paging import ACKNOWLEDGEMENT
from triage.domain.tiers import Tier
from triage.proof.messages import envelope, structured
from triage.proof.pathways import pathway
from triage.proof.people_and_places import CENTRE
from triage.proof.simulate.asked import done_for
from triage.proof.simulate.phones import Arrival
from triage.proof.simulate.story import HTTP, Message, dice
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
_LATE_MINUTES = (20.0, 150.0)
_PROMISED_MINUTES = {Tier.EMERGENT: 15, Tier.URGENT: 60}
_LONGEST_PROMISE_MINUTES = 240
_READS_QUARANTINE_AFTER = timedelta(minutes=6)
_OTHER = {"name": "Sample Other Registrar", "role": "registrar", "site": CENTRE}

Send = Callable[[Message], None]


@dataclass(slots=True)
class People:
    """Everybody who carries a telephone. `look` opens a page's link without answering."""

    world: World
    send: Send
    look: Callable[[str], None]
    _followed: set[str] = field(default_factory=set)
    _answered: set[tuple[str, str]] = field(default_factory=set)
    _heard: set[str] = field(default_factory=set)

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
            self._after(timedelta(seconds=round(luck.uniform(5, 50), 3)), self.look, name)
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
        if data["answer"] == "coming" and page["case"] not in self._followed:
            self._followed.add(page["case"])
            self._follow(page, wait)

    def _do_what_is_asked(self, page: Mapping[str, Any], luck: Random) -> None:
        """Once for an obligation, by whoever gets to it first."""
        asked = (str(page["case"]), f"{page['obligation']} {page['run']}")
        if asked in self._answered or luck.random() > self.world.story.temper.answers:
            return
        done = done_for(page, self._findings(asked[0]), _person(page, self._site), luck)
        if done is not None:
            self._answered.add(asked)
            wait = timedelta(seconds=round(luck.uniform(*_WORK_MINUTES) * 60, 3))
            self._say(wait, page, done[0], done[1], "done")

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

    def _follow(self, page: Mapping[str, Any], answered_after: timedelta) -> None:
        steps = pathway(Tier(page["tier"]), self._dice("pathway", str(page["case"])))
        for number, step in enumerate(steps):
            wait = answered_after + timedelta(seconds=round(step.after_minutes * 60, 3))
            self._say(wait, page, step.type, step.data, f"step-{number}")

    def _say(
        self,
        wait: timedelta,
        page: Mapping[str, Any],
        kind: str,
        data: Mapping[str, Any],
        what: str,
    ) -> None:
        self._after(wait, self._send_now, page, kind, data, what)

    def _send_now(
        self, page: Mapping[str, Any], kind: str, data: Mapping[str, Any], what: str
    ) -> None:
        referral = self._referral(str(page["case"]))
        if referral is None:
            return
        now = self.world.clock.now()
        name = f"{page['page']}.{what}"
        event = envelope(
            source=self._site,
            event_id=name,
            event_type=kind,
            time=now,
            data=_at_site(data, self._site),
            referral=referral,
        )
        headers, value = structured(event)
        is_http = self._dice("way", name).random() < self.world.story.temper.by_http
        self.send(
            Message(
                at=now,
                topic=HTTP if is_http else ACTIONS,
                key=referral.encode(),
                headers=headers,
                value=value,
                source=self._site,
            )
        )

    def _read_quarantine(self, name: str, page: Mapping[str, Any]) -> None:
        if self._dice("quarantine", name).random() < self.world.story.temper.answers:
            by = read_actor(_person(page, self._site))

            def settle() -> None:
                with self.world.outside.begin() as tx:
                    if by is not None:
                        acknowledge_unread(tx, name, by, now=self.world.clock.now())

            self._after(_READS_QUARANTINE_AFTER, settle)

    def _referral(self, case: str) -> str | None:
        row = self.world.raw.execute(
            "SELECT referral FROM cases WHERE case_id = ?", (case,)
        ).fetchone()
        return row[0] if row else None

    def _findings(self, case: str) -> Mapping[str, Any]:
        row = self.world.raw.execute(
            "SELECT document FROM cases WHERE case_id = ?", (case,)
        ).fetchone()
        found: Mapping[str, Any] = orjson.loads(row[0])["findings"] if row else {}
        return found

    @property
    def _site(self) -> str:
        return self.world.roster.default_site

    def _dice(self, *about: str) -> Random:
        return dice(self.world.story.seed, *about)

    def _after(self, wait: timedelta, act: Callable[..., None], *given: Any) -> None:
        asyncio.get_running_loop().call_later(wait.total_seconds(), act, *given)


def _person(page: Mapping[str, Any], site: str) -> dict[str, Any]:
    role = str(page["role"])
    name = page["name"] or f"Sample {role.replace('_', ' ').title()}"
    return {"person": page["person"], "name": name, "role": role, "site": site}


def _at_site(data: Mapping[str, Any], site: str) -> dict[str, Any]:
    """The pathway's people work at the roster's own site."""
    return {key: _moved(value, site) for key, value in data.items()}


def _moved(value: Any, site: str) -> Any:
    if isinstance(value, Mapping):
        return {key: site if key == "site" else _moved(each, site) for key, each in value.items()}
    return value
