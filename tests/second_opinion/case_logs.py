"""Seeded logs of one case: what a hospital, a centre and its clinicians might send, odd clocks too.

Answers name pages, which only the program under test can mint: `LogMaker` asks for them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson

from tests.properties.case_events import CASE, CENTRE, HOSPITAL, ORDERS, REFERRAL, STRANGERS
from tests.scenarios.house import ROSTER_TEXT
from tests.scenarios.script import person
from tests.second_opinion.case_desk import Change
from triage.domain.events import Event, EventType, Sender

START = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
T = EventType
Data = dict[str, Any]

_WELL: Data = {
    "ais": "E",
    "walking": "unaided",
    "neuro_symptom": "none",
    "trend": "stable",
    "bladder": "normal",
    "saddle_sensation": "normal",
    "escc": "0",
    "sins": 4,
    "cancer": "known",
    "spinal_metastasis": "confirmed",
    "pain": "nonmechanical",
}
_OPENERS: list[Data] = [
    {},
    _WELL,
    {**_WELL, "pain": "mechanical"},
    {**_WELL, "mri": "reported", "escc": "2"},
    {**_WELL, "ais": "D", "walking": "aided", "neuro_symptom": "gait"},
    {"ais": "D", "walking": "aided", "cancer": "known", "bladder": "normal"},
    {"ais": "C", "walking": "cannot", "trend": "stable", "bladder": "normal", "mri": "reported"},
    {"cancer": "known", "escc": "3", "mri": "done"},
]
_ODD: dict[str, list[Any]] = {
    "walking": ["cannot_other", "crawling", "unknown"],
    "bladder": ["longstanding", None],
    "escc": ["na", "unknown", 2],
    "level": ["C3", "T6", "L4", "high"],
    "histology": ["breast", "lymphoma", "unknown"],
    "mri": ["reported", "requested", "done"],
    "bladdr": ["altered"],
    "thecal_compression": ["none", "severe", "unknown"],
    "compartment": ["extradural", "intramedullary", "unknown"],
    "previous_ais": ["E", "D", "unknown"],
}
_ROLES = (
    ["consultant"] * 5
    + ["registrar"] * 4
    + ["coordinator", "fellow", "oncology", "nobody", "other registrar", "site manager"]
)
_MILESTONES = (
    "suspected mri_done mri_reported departed arrived radiotherapy_started senior_reviewed "
    "oncology_contacted accepted knife_to_skin surgery_end postop_neuro_exam info_requested "
    "info_completed died referral_received images_received"
).split()
_KINDS = {
    T.REFERRAL_SUBMITTED: 2,
    T.REFERRAL_UPDATED: 8,
    T.NEURO_EXAMINED: 9,
    T.IMAGING_REPORTED: 3,
    T.REFERRAL_CANCELLED: 1,
    T.MILESTONE_REACHED: 8,
    T.TREATMENT_DECIDED: 4,
    T.OPINION_GIVEN: 2,
    T.TIER_SET: 6,
    T.HANDOVER_ACCEPTED: 1,
    T.CASE_CLOSED: 2,
    T.PAGE_ACKNOWLEDGED: 16,
}
_OF_CENTRE = {
    T.TREATMENT_DECIDED,
    T.OPINION_GIVEN,
    T.TIER_SET,
    T.CASE_CLOSED,
    T.PAGE_ACKNOWLEDGED,
}


@dataclass
class LogMaker:
    """One case; `next_event` gives its events in order of receipt."""

    seed: int
    now: datetime = START
    count: int = 0
    dice: Random = field(init=False)
    roster: str = ROSTER_TEXT  # the file at the beginning

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)
        self.now = START + timedelta(minutes=self.dice.randrange(7 * 24 * 60))
        self.length = self.dice.randint(2, 10)

    def changes(self, start: datetime, end: datetime) -> Sequence[Change]:
        """What is done to the roster meanwhile."""
        return ()

    def first(self) -> Event:
        """Mostly the referral itself."""
        if self.dice.random() < 0.1:
            return self.next_event([])
        findings = {**self.dice.choice(_OPENERS), **self._onsets()}
        return self._build(T.REFERRAL_SUBMITTED, HOSPITAL, {"findings": findings})

    def emergent(self) -> Event:
        """A referral that is EMERGENT by itself."""
        return self._build(T.REFERRAL_SUBMITTED, HOSPITAL, {"findings": _OPENERS[6]})

    def next_event(self, pages: Sequence[str]) -> Event:
        """Some minutes or hours after the last one; `pages` went out so far, the latest last."""
        dice = self.dice
        self.now += timedelta(seconds=round(dice.expovariate(1 / dice.choice((120, 900, 9000)))))
        if pages and dice.random() < 0.1:
            self.now = self.now.replace(second=0) + timedelta(minutes=1)
        kind = dice.choices(list(_KINDS), weights=list(_KINDS.values()))[0]
        if kind is T.PAGE_ACKNOWLEDGED and not pages:
            kind = T.REFERRAL_UPDATED
        return self._build(kind, self._sender(kind), self._data(kind, pages))

    def _sender(self, kind: EventType) -> Sender:
        usual = CENTRE if kind in _OF_CENTRE else self.dice.choice((HOSPITAL, HOSPITAL, CENTRE))
        return usual if self.dice.random() < 0.93 else self.dice.choice(STRANGERS)

    def _data(self, kind: EventType, pages: Sequence[str]) -> Data:
        dice, by = self.dice, person(self.dice.choice(_ROLES))
        if kind is T.PAGE_ACKNOWLEDGED:
            return self._answer(pages, by)
        if kind is T.MILESTONE_REACHED:
            return {"milestone": dice.choice(_MILESTONES)}
        if kind is T.TREATMENT_DECIDED:
            chosen = ("surgery", "radiotherapy", "palliative", "more_info", "watch", "stabilise")
            code = dice.choice(("wishes", "wishes", ""))
            return {"treatment": dice.choice(chosen), "by": by, "reason_code": code}
        if kind is T.OPINION_GIVEN:
            return {"specialty": dice.choice(("oncology", "radiology")), "by": by}
        if kind is T.TIER_SET:
            return self._tier(by)
        if kind is T.HANDOVER_ACCEPTED:
            return {"leg": dice.choice(("shift", "onward_plan", "theatre")), "to": by}
        if kind is T.CASE_CLOSED:
            reason = dice.choice(("watch", "declined", "cancelled", "died", "lost"))
            return {"reason": reason, "by": by, "plan": dice.choice(("Clinic.", ""))}
        if kind is T.REFERRAL_CANCELLED:
            return {"reason": "entered twice"}
        return self._report(kind)

    def _report(self, kind: EventType) -> Data:
        data: Data = {"findings": self._findings()}
        if kind is T.REFERRAL_UPDATED and self.dice.random() < 0.3:
            data["recheck"] = self.dice.choice(("motor_loss", "motor_loss", "pain_surge", "fall"))
            if self.dice.random() < 0.5:
                del data["findings"]
        return data

    def _tier(self, by: Data) -> Data:
        tier = self.dice.choice(("EMERGENT", "URGENT", "URGENT", "PRIORITY", "ROUTINE", "HIGH"))
        data: Data = {
            "tier": tier,
            "by": by,
            "reason": self.dice.choice(("Examined.",) * 3 + ("",)),
        }
        if self.dice.random() < 0.6:
            data["findings"] = self._findings()
        return data

    def _answer(self, pages: Sequence[str], by: Data) -> Data:
        dice = self.dice
        page = pages[-1 - min(int(dice.expovariate(0.4)), len(pages) - 1)]
        answer = dice.choice(["coming"] * 6 + ["decline", "hand_over", "hand_back"])
        data: Data = {"page": page, "by": by, "answer": answer}
        if answer == "hand_over":
            data["to"] = person(dice.choice(("fellow", "consultant", "coordinator")))
        if dice.random() < 0.6:
            data["minutes"] = dice.choice((1, 10, 30, 120, "soon"))
        return data

    def _findings(self) -> Data:
        dice = self.dice
        fields = dice.sample(sorted(ORDERS), dice.randint(1, 4))
        if dice.random() < 0.5:
            fields = [*fields[:2], *dice.sample(("ais", "walking", "trend", "bladder"), 2)]
        found = {name: dice.choice(ORDERS[name]) for name in fields}
        if dice.random() < 0.3:
            name = dice.choice(sorted(_ODD))
            found[name] = dice.choice(_ODD[name])
        return found | (self._onsets() if dice.random() < 0.3 else {})

    def _onsets(self) -> Data:
        found = {}
        for name in ("deficit_onset_at", "bladder_onset_at"):
            if self.dice.random() < 0.4:
                ago = timedelta(hours=self.dice.choice((1, 20, 47, 49, 60, 200)))
                found[name] = (self.now - ago).isoformat()
        return found

    def _build(self, kind: EventType, sender: Sender, data: Data) -> Event:
        dice, self.count = self.dice, self.count + 1
        occurred = self.now
        if dice.random() < 0.25:
            occurred -= timedelta(seconds=round(dice.expovariate(1 / dice.choice((600, 20_000)))))
        sent = None
        if dice.random() < 0.1:
            sent = self.now - timedelta(seconds=dice.randrange(1, 600))
        content = orjson.dumps([kind.value, data, occurred], option=orjson.OPT_SORT_KEYS)
        return Event(
            source=sender.source,
            id=f"e-{self.count}",
            type=kind,
            referral=REFERRAL,
            case=CASE,
            occurred_at=occurred,
            received_at=self.now,
            sent_at=sent,
            sender=sender,
            data=data,
            content_hash=hashlib.sha256(content).hexdigest(),
        )
