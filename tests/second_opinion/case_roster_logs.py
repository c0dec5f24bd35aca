"""Seeded logs in which the roster changes while the case is open, as the product lets people change
it: overrides, swaps, cover and revocations at the desk, and an edited file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from tests.properties.case_events import CENTRE
from tests.scenarios.script import person
from tests.second_opinion.case_desk import Asked, Change
from tests.second_opinion.case_hands import HandingMaker
from tests.second_opinion.case_logs import T
from tests.second_opinion.case_roster_files import IN_TURNS, PAGED, RosterFile, stretch, wall
from triage.domain.events import Event

_TAKERS = ["registrar", "night registrar"] * 4 + ["consultant", "night consultant"]
_TAKERS += ["fellow", "coordinator", "night coordinator", "other registrar", "site manager"]


@dataclass
class RosterMaker(HandingMaker):
    """Registrars, coordinators and consultants take turns of half a day."""

    takers: ClassVar[list[str]] = _TAKERS

    def __post_init__(self) -> None:
        super().__post_init__()
        self.length += 2
        self.file = RosterFile(self.dice, self.now)
        self.roster = self.file.text()
        self.acts = list[str]()
        self.owner = self.asked = person(self.dice.choice(_TAKERS[:4]))

    def first(self) -> Event:
        """Mostly EMERGENT: below that nobody is asked to take over."""
        return self.emergent() if self.dice.random() < 0.8 else super().first()

    def next_event(self, pages: Sequence[str]) -> Event:
        """Whoever has the case does something about it, so that it stays theirs."""
        if self.stage == "owned" and self.dice.random() < 0.3:
            self.now += timedelta(seconds=self.dice.randrange(5, 400))
            return self._build(T.MILESTONE_REACHED, CENTRE, {"milestone": "images_received"})
        return super().next_event(pages)

    def changes(self, start: datetime, end: datetime) -> Sequence[Change]:
        """One or two, mostly within the hour. None in the instant of anything else."""
        dice, found = self.dice, list[Change]()
        at = start
        for _ in range(dice.choice((0, 1, 1, 2, 2))):
            at += timedelta(seconds=dice.choice((10, 100, 600, 1500)) * dice.random())
            at = at.replace(microsecond=500_000 + len(found))
            if start < at < end:
                found.append(self._change(at))
        return found

    def _change(self, at: datetime) -> Change:
        roll = self.dice.random()
        if self.stage != "free" and self.dice.random() < 0.4:
            return self._about_owner(at)
        if roll < 0.4:
            note = self.file.edit(at)
            return Change(at, file=self.file.text(), note=note)
        if roll < 0.5 and self.acts:
            return Change(at, act=self._name(), revokes=self.dice.choice(self.acts))
        return Change(at, act=self._name(), asked=self._asked(at))

    def _about_owner(self, at: datetime) -> Change:
        """Whoever has the case, or was asked to take it, is taken off duty."""
        dice = self.dice
        who = str(dice.choice((self.owner, self.asked)).get("person", "registrar-a"))
        role = who.rsplit("-", 1)[0]
        if dice.random() < 0.2:
            note = self.file.leave(who)
            return Change(at, file=self.file.text(), note=note)
        other = f"{role}-{'b' if who.endswith('a') else 'a'}"
        start, end = stretch(dice, at)
        asked = {"kind": "cover", "absent": who, "person": other, "from": start, "to": end}
        if dice.random() < 0.6:
            role = role.replace("-", "_")
            asked = {"kind": "override", "role": role, "person": other, "from": start, "to": end}
        return Change(at, act=self._name(), asked=asked)

    def _name(self) -> str:
        self.acts.append(f"{len(self.acts) + 1:08x}")
        return self.acts[-1]

    def _asked(self, at: datetime) -> Asked:
        dice = self.dice
        kind, role = dice.choice(("override", "override", "swap", "cover")), dice.choice(PAGED)
        start, end = stretch(dice, at)
        if kind == "override":
            who = self._somebody_of(role)
            return {"kind": kind, "role": role, "person": who, "from": start, "to": end}
        if kind == "cover":
            absent, who = self._somebody_of(role), self._somebody_of(role)
            return {"kind": kind, "absent": absent, "person": who, "from": start, "to": end}
        moment = at + timedelta(minutes=dice.choice((0, 0, 20, 300, -300)))
        second = moment + timedelta(hours=dice.choice((12, 12, 12, 24, 36)))
        role = dice.choice((*IN_TURNS, role))
        return {"kind": kind, "role": role, "first": wall(moment), "second": wall(second)}

    def _somebody_of(self, role: str) -> str:
        """Mostly of that role; or somebody else, who then serves in two; or nobody at all."""
        role = role if self.dice.random() < 0.7 else self.dice.choice(PAGED)
        found = f"{role.replace('_', '-')}-{self.dice.choice('ab')}"
        return found if self.dice.random() < 0.97 else "fellow-a"
