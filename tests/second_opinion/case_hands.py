"""Seeded logs in which a case changes hands: taken, handed over, offered, accepted, declined, given
back; by whom it should be, and by others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from tests.properties.case_events import CENTRE, HOSPITAL
from tests.scenarios.script import person
from tests.second_opinion.case_logs import Data, LogMaker, T
from triage.domain.events import Event, EventType

_TAKERS = ["registrar"] * 3 + ["consultant", "fellow"] * 2 + ["coordinator", "other registrar"]
# What comes next when nobody has it, somebody has it, somebody was asked to take it.
_DOES = {
    "free": {"coming": 8, "accept": 1, "back": 1, "decline": 1},
    "owned": {"hand_over": 4, "offer": 5, "back": 2, "accept": 2, "coming": 1},
    "asked": {"accept": 5, "asked": 4, "decline": 2, "back": 1, "offer": 1, "coming": 1},
}
_BECOMES = {
    "coming": "owned", "accept": "owned", "asked": "owned", "back": "free",
    "hand_over": "asked", "offer": "asked", "decline": "asked",
}  # fmt: skip


@dataclass
class HandingMaker(LogMaker):
    """Two events of three are about who has the case."""

    takers: ClassVar[list[str]] = _TAKERS

    def __post_init__(self) -> None:
        super().__post_init__()
        self.length += 3
        self.owner = self.asked = person("registrar")
        self.stage = "free"

    def next_event(self, pages: Sequence[str]) -> Event:
        """Who took the case and who was asked last are mostly whom the next event is about."""
        ladder = [page for page in pages if ".acknowledgement." in page]
        if not ladder or self.dice.random() < 0.3:
            return super().next_event(pages)
        dice = self.dice
        self.now += timedelta(seconds=round(dice.expovariate(1 / dice.choice((40, 120, 1500)))))
        choice = _DOES[self.stage]
        does = dice.choices(list(choice), weights=list(choice.values()))[0]
        self.stage = _BECOMES[does]
        if does in ("offer", "accept"):
            kind, data = self._hand_over(does)
            sender = CENTRE if dice.random() < 0.85 else HOSPITAL
            return self._build(kind, sender, data)
        return self._build(T.PAGE_ACKNOWLEDGED, CENTRE, self._answered(does, ladder))

    def _somebody(self, usual: Data) -> Data:
        return usual if self.dice.random() < 0.75 else person(self.dice.choice(self.takers))

    def _hand_over(self, does: str) -> tuple[EventType, Data]:
        leg = self.dice.choice(("shift", "shift", "theatre", "onward_plan"))
        if does == "accept":
            to = self.owner = self._somebody(self.asked)
            return T.HANDOVER_ACCEPTED, {"leg": leg, "from": self.owner, "to": to}
        self.asked = person(self.dice.choice([*self.takers, "nobody"]))
        giver = self._somebody(self.owner)
        return T.HANDOVER_OFFERED, {"leg": leg, "from": giver, "to": self.asked}

    def _answered(self, does: str, ladder: Sequence[str]) -> Data:
        dice = self.dice
        page = ladder[-1 - min(int(dice.expovariate(1.2)), len(ladder) - 1)]
        data: Data = {"page": page, "answer": "coming"}
        if dice.random() < 0.6:
            data["minutes"] = dice.choice((5, 20, 60, 240))
        if does == "coming":
            self.owner = data["by"] = person(dice.choice(self.takers))
        elif does == "asked":
            self.owner = data["by"] = self.asked
        elif does == "hand_over":
            self.asked = person(dice.choice(self.takers))
            data |= {"answer": does, "by": self._somebody(self.owner), "to": self.asked}
        elif does == "decline":
            data |= {"answer": does, "by": self._somebody(self.asked)}
        else:
            data |= {"answer": "hand_back", "by": self._somebody(self.owner)}
        return data
