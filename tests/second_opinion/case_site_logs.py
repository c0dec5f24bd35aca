"""Seeded logs of a case that is sent on from one receiving site to another, and back."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from tests.properties.case_events import CENTRE, HOSPITAL
from tests.scenarios.house import ROSTER_TEXT
from tests.scenarios.script import person
from tests.second_opinion.case_hands import HandingMaker
from tests.second_opinion.case_join_logs import JoinMaker
from tests.second_opinion.case_logs import Data, LogMaker, T
from tests.second_opinion.case_sites import NAMES_ONE
from triage.domain.events import Event, EventType, Sender

SOUTH = "centre:SOUTH"
_TAKERS = ["registrar", "south registrar"] * 4 + ["consultant", "south consultant", "fellow"]
_TAKERS += ["south fellow", "coordinator", "south coordinator", "other registrar"]
_NAMED: tuple[Any, ...] = (SOUTH, SOUTH, SOUTH, " Centre:South", "centre:NEURO", "CENTRE:neuro ")
_NAMED += ("centre:NOWHERE", "", " ", None, 7)


@dataclass
class _Sends(LogMaker):
    """What may name a receiving site does so now and then."""

    def _build(self, kind: EventType, sender: Sender, data: Data) -> Event:
        if kind in NAMES_ONE and (not data or self.dice.random() < 0.4):
            data = {**data, "destination": self.dice.choice(_NAMED)}
        if "by" in data and self.dice.random() < 0.1:  # who answers need not say where they are
            data = {**data, "by": {k: v for k, v in data["by"].items() if k != "site"}}
        return super()._build(kind, sender, data)


@dataclass
class SiteMaker(_Sends, HandingMaker):
    """Two sites, an hour apart, open at other hours, with people of their own; one is short of a
    registrar now and then, and one person serves at both."""

    takers: ClassVar[list[str]] = _TAKERS

    def __post_init__(self) -> None:
        super().__post_init__()
        self.length += 2
        self.roster = "\n".join([ROSTER_TEXT, *_south(self.dice.choice(_ABSENT))])
        self.owner = self.asked = person(self.dice.choice(_TAKERS[:8]))

    def first(self) -> Event:
        """Mostly EMERGENT: below that nobody is asked to take over."""
        return self.emergent() if self.dice.random() < 0.7 else super().first()

    def next_event(self, pages: Sequence[str]) -> Event:
        """One of five sends it on, and says nothing else."""
        if self.dice.random() > 0.2:
            return super().next_event(pages)
        self.now += timedelta(seconds=round(self.dice.expovariate(1 / 200)))
        sender = HOSPITAL if self.dice.random() < 0.8 else CENTRE
        return self._build(T.REFERRAL_UPDATED, sender, {})


@dataclass
class SiteJoinMaker(_Sends, JoinMaker):
    """Referrals to two sites that are joined and parted."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.roster = "\n".join([ROSTER_TEXT, *_south(())])


_ABSENT: tuple[tuple[str, ...], ...] = ((), (), (), ("registrar",), ("coordinator",))
_SHARED = "oncology"  # the same person at both sites


def _south(absent: Sequence[str]) -> Iterator[str]:
    """The second site, as lines of a roster file, which ends with its table of `widen`."""
    yield f"""
"{SOUTH}" = ["haematology"]

[site."{SOUTH}"]
zone = "Europe/Berlin"
hours = {{ days = ["mon", "tue", "wed", "thu", "fri"], from = "07:00", to = "15:00" }}
holidays = ["2026-03-12"]
desk = "+44 1632 960200"
"""
    for each in tomllib.loads(ROSTER_TEXT)["person"].values():
        role = each["role"]
        south = f"{role.replace('_', '-')}-s"
        if role != _SHARED:
            yield f"""[person.{south}]
name = "{each["name"].replace("Sample", "Sample South")}"
role = "{role}"
routes = [{{ name = "inbox", kind = "inbox" }}]
"""
        if role not in absent:
            who = f"{role}-a" if role == _SHARED else south
            yield f"""[[rota]]
site = "{SOUTH}"
role = "{role}"
people = ["{who}"]
"""
