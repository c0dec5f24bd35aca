"""Seeded logs in which milestones are corrected and withdrawn: by the side that recorded them and
by another, before and after what they correct, to instants of before and to come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from tests.properties.case_events import CENTRE, HOSPITAL, STRANGERS
from tests.second_opinion.case_logs import Data, LogMaker, T
from triage.domain.events import Event, Sender

# Those from which something starts or by which it ends come up more often.
_NAMES = (
    ["surgery_end", "radiotherapy_started", "suspected", "knife_to_skin"] * 3
    + ["senior_reviewed", "oncology_contacted", "mri_done", "mri_reported", "accepted"] * 2
    + "departed arrived info_requested info_completed died postop_neuro_exam referral_sent".split()
    + ["first_presentation", "deficit_onset", "last_walked", "referral_received"]
)


@dataclass
class CorrectingMaker(LogMaker):
    """Half of the events record a milestone or correct one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.length += 4
        self.recorded = list[Event]()
        self.waiting: Event | None = None  # corrected already, and yet to come

    def next_event(self, pages: Sequence[str]) -> Event:
        dice = self.dice
        if dice.random() < 0.5:
            return super().next_event(pages)
        self.now += timedelta(seconds=round(dice.expovariate(1 / dice.choice((120, 900, 9000)))))
        if self.waiting is not None and dice.random() < 0.5:
            late, self.waiting = replace(self.waiting, received_at=self.now, sent_at=None), None
            self.recorded.append(late)
            return late
        if self.recorded and dice.random() < 0.6:
            return self._correction(dice.choice(self.recorded))
        milestone = self._milestone()
        if self.waiting is None and dice.random() < 0.15:
            self.waiting = milestone
            return self._correction(milestone)
        self.recorded.append(milestone)
        return milestone

    def _milestone(self) -> Event:
        sender = self.dice.choice((CENTRE, CENTRE, HOSPITAL))
        return self._build(T.MILESTONE_REACHED, sender, {"milestone": self.dice.choice(_NAMES)})

    def _correction(self, of: Event) -> Event:
        dice = self.dice
        data: Data = {"milestone": of.data["milestone"], "was": of.id, "reason": "Wrong patient."}
        if dice.random() < 0.05:
            data["milestone"] = dice.choice(_NAMES)
        if dice.random() < 0.45:
            data["withdrawn"] = dice.choice((True, True, True, True, False, "yes"))
        if data.get("withdrawn") is not True or dice.random() < 0.3:
            data["time"] = self._instant(of)
        return self._build(T.MILESTONE_CORRECTED, self._corrector(of), data)

    def _instant(self, of: Event) -> object:
        dice = self.dice
        if dice.random() < 0.07:
            return dice.choice(("noon", None, "2026-03-10T09:00:00"))
        by = timedelta(seconds=round(dice.expovariate(1 / dice.choice((600, 20_000)))))
        return (of.occurred_at + (by if dice.random() < 0.4 else -by)).isoformat()

    def _corrector(self, of: Event) -> Sender:
        if self.dice.random() < 0.85:
            return of.sender
        return self.dice.choice((CENTRE, HOSPITAL, *STRANGERS))
