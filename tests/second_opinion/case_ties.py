"""Seeded logs in which much happens at one instant, some of it under one number.

What sorts last hides nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.second_opinion.case_rest import RestMaker
from triage.domain.events import Event


@dataclass
class TieMaker(RestMaker):
    """A third happens at the instant of another event, a fifth has another source's number."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.length += 3
        self.tied = Random(f"ties {self.seed}")

    def next_event(self, pages: Sequence[str]) -> Event:
        dice, made = self.tied, super().next_event(pages)
        if made in self.sent[:-1] or not self.sent[:-1]:
            return made
        other = dice.choice(self.sent[:-1])
        if dice.random() < 0.35 and other.occurred_at <= made.received_at:
            made = replace(made, occurred_at=other.occurred_at)
        if dice.random() < 0.2 and other.source != made.source:
            made = replace(made, id=other.id)
        made = replace(made, content_hash=_hash(made))
        self.sent[-1] = made
        return made


def _hash(event: Event) -> str:
    return hashlib.sha256(f"{event.content_hash} {event.occurred_at}".encode()).hexdigest()
