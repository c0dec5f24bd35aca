"""Seeded logs in which the registrar's shift ends while they own a case."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from tests.scenarios.script import person
from tests.second_opinion.case_chart import HOUR
from tests.second_opinion.case_hands import HandingMaker
from tests.second_opinion.case_hours import LONDON
from triage.domain.events import Event

_TAKERS = ["registrar"] * 4 + ["night registrar"] * 2 + ["consultant", "fellow", "other registrar"]


@dataclass
class ShiftMaker(HandingMaker):
    """The night's registrar comes some minutes or hours after the referral, for twelve hours."""

    takers: ClassVar[list[str]] = _TAKERS

    def __post_init__(self) -> None:
        super().__post_init__()
        minutes = self.dice.choice((3, 16, 25, 40, 70, 180, -20, -12 * 60 + 30))
        self.roster += relieved(self.now + timedelta(minutes=minutes))
        self.owner = self.asked = person(self.dice.choice(_TAKERS[:5]))

    def first(self) -> Event:
        """Mostly EMERGENT: below that nobody is asked."""
        return self.emergent() if self.dice.random() < 0.8 else super().first()


def relieved(at: datetime) -> str:
    """As lines of a roster file: the night's registrar serves for twelve hours."""
    start, end = (f"{each.astimezone(LONDON):%Y-%m-%dT%H:%M}" for each in (at, at + 12 * HOUR))
    return f"""
[person.registrar-b]
name = "Sample Night Registrar"
role = "registrar"
routes = [{{ name = "inbox", kind = "inbox" }}]

[[override]]
site = "centre:NEURO"
role = "registrar"
person = "registrar-b"
from = "{start}"
to = "{end}"
reason = "night"
"""
