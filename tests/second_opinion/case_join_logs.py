"""Seeded logs of two or three referrals that are joined and parted, whatever else comes meanwhile:
late, doubled, before the referral that they are about, by those who may not, and wrongly named."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from tests.properties.case_events import CENTRE, HOSPITAL
from tests.scenarios.script import person
from tests.second_opinion.case_logs import Data, LogMaker, T
from triage.domain.case_id import case_id
from triage.domain.events import Event, EventType, Sender
from triage.domain.paging import read_page_id

REFERRALS = tuple(f"hospital:RX1/sample-{number}" for number in (1, 2, 3))
CASES = tuple(case_id(each) for each in REFERRALS)
_AGREED = (["nhs", "birth_date"],) * 12 + (["nhs"], "nhs", ["nhs", "nhs"])
_JOINERS = (*["registrar", "coordinator"] * 4, "consultant", "nobody", "nobody")
# What is done about one case only, and must quiet no other.
_CALMING: list[tuple[EventType, Data]] = [
    (T.TIER_SET, {"tier": "ROUTINE", "reason": "Examined."}),
    (T.TIER_SET, {"tier": "URGENT", "reason": "Examined.", "findings": {"walking": "unaided"}}),
    (T.CASE_CLOSED, {"reason": "duplicate", "plan": "Goes on as the other."}),
    (T.CASE_CLOSED, {"reason": "watch", "plan": "Clinic."}),
    (T.TREATMENT_DECIDED, {"treatment": "palliative", "reason_code": "wishes"}),
    (T.MILESTONE_REACHED, {"milestone": "surgery_end"}),
    (T.REFERRAL_CANCELLED, {"reason": "entered twice"}),
]


@dataclass
class JoinMaker(LogMaker):
    """One event of five joins or parts; each other one is about one of the cases."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.length += 5
        self.cases = CASES[: 2 if self.dice.random() < 0.6 else 3]
        self.about = CASES[0]
        self.sent = list[Event]()
        self.referred = [CASES[0]]

    def first(self) -> Event:
        """Half of them EMERGENT: those must never be quiet."""
        return self.emergent() if self.dice.random() < 0.5 else super().first()

    def next_event(self, pages: Sequence[str]) -> Event:
        dice = self.dice
        roll, self.about = dice.random(), dice.choice(self.cases)
        ladder = [page for page in pages if ".acknowledgement." in page]
        if self.sent and roll < 0.05:
            self._later()
            made = replace(dice.choice(self.sent), received_at=self.now, sent_at=None)
        elif roll < 0.1 or (roll < 0.4 and len(self.referred) < len(self.cases)):
            made = self._referral()
        elif roll < 0.32:
            self._later()
            made = self._joint(dice.choice((T.CASES_JOINED,) * 3 + (T.CASES_PARTED,)))
        elif roll < 0.48:
            made = self._calming()
        elif roll < 0.62 and ladder:
            made = self._answered(ladder)
        else:
            made = super().next_event(pages)
        self.sent.append(made)
        return made

    def _later(self) -> None:
        gap = self.dice.choice((60, 300, 3000))
        self.now += timedelta(seconds=round(self.dice.expovariate(1 / gap)))

    def _referral(self) -> Event:
        """Mostly of a case that has none yet."""
        waiting = [each for each in self.cases if each not in self.referred]
        self.about = waiting[0] if waiting else self.dice.choice(self.cases)
        if waiting:
            self.referred.append(self.about)
        self._later()
        return self.first()

    def _joint(self, kind: EventType) -> Event:
        dice = self.dice
        number = 2 if dice.random() < 0.7 else dice.choice((1, 3, 3))
        likely = self.cases if len(self.referred) < 2 or dice.random() < 0.1 else self.referred
        named = dice.sample(list(likely), min(number, len(likely)))
        if self.about not in named and dice.random() < 0.95:
            self.about = named[0]
        data: Data = {"cases": named, "by": person(dice.choice(_JOINERS))}
        if kind is T.CASES_JOINED:
            data["agreed"] = dice.choice(_AGREED)
        return self._build(kind, CENTRE if dice.random() < 0.95 else HOSPITAL, data)

    def _calming(self) -> Event:
        self._later()
        kind, data = self.dice.choice(_CALMING)
        by = person(self.dice.choice(("consultant", "consultant", "coordinator")))
        sender = HOSPITAL if kind is T.REFERRAL_CANCELLED else CENTRE
        return self._build(kind, sender, {**data, "by": by})

    def _answered(self, ladder: Sequence[str]) -> Event:
        self._later()
        page = self.dice.choice(ladder[-4:])
        by = person(self.dice.choice(("registrar", "registrar", "consultant", "coordinator")))
        data: Data = {"page": page, "by": by, "answer": "coming"}
        if self.dice.random() < 0.7:
            data["minutes"] = self.dice.choice((15, 60, 240))
        return self._build(T.PAGE_ACKNOWLEDGED, CENTRE, data)

    def _build(self, kind: EventType, sender: Sender, data: Data) -> Event:
        """An answer goes to the case of its page, mostly."""
        key = read_page_id(data.get("page"))
        if key is not None and self.dice.random() < 0.93:
            self.about = key.case
        made = super()._build(kind, sender, data)
        return replace(made, case=self.about, referral=REFERRALS[CASES.index(self.about)])
