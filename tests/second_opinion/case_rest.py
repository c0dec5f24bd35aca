"""Seeded logs of what the other makers never draw: every other type of the contract, its optional
fields, the rarer words, lists and objects where text is expected, one event twice, one id with two
contents, several events of one instant."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from tests.properties.case_events import CENTRE, HOSPITAL, STRANGERS
from tests.scenarios.script import person
from tests.second_opinion.case_logs import Data, LogMaker, T
from tests.second_opinion.case_senders import EITHER, OF_CENTRE, OF_HOSPITAL
from triage.domain.events import Event, EventType, Sender

_ROLES = ["consultant"] * 3 + ["fellow", "registrar"] * 2 + ["coordinator", "haematology"]
_ROLES += ["second consultant", "clinical director", "palliative", "theatre", "nobody"]
_FINDINGS: dict[str, list[Any]] = {
    "sins_items": [
        {"location": 3, "pain": 3, "lesion": 2},
        {"location": 2, "pain": 3, "lesion": 2, "alignment": 4, "collapse": 2, "posterolateral": 3},
        {"pain": "severe"},
        {},
    ],
    "kps": [40, "90", 120],
    "prognosis_months": [1, 6.5, -1],
    "wishes": ["declines", "wants", "maybe"],
    "prior_radiotherapy": ["yes", "no"],
    "re_referral": ["yes", "no"],
    "anticoagulated": ["yes", "unknown"],
    "walking_baseline": ["aided", "cannot", "cannot_other", "unaided"],
    "histology": ["myeloma", "germ_cell", "hemangiopericytoma", "none", "other"],
    "level": ["L2", "S1", "C0", "T12", " t6 ", 6],
    "compartment": ["leptomeningeal", "intradural_extramedullary", None],
    "thecal_compression": ["partial", "severe", None],
    "spinal_metastasis": ["no", "unknown", "suspected"],
    "respiratory": ["unknown", "compromised", ["compromised"]],
    "pvr_ml": ["250", 199.5, True, "much"],
    "sins": ["13", 12.0, 19],
    "ais": [" c ", "D", "F", ["A"]],
    "mri": ["none", "done"],
    "previous_ais": ["E", "C"],
}
_RECHECKS = ["collapse", "fall", "motor_loss", "MOTOR_LOSS", "dizzy", ["motor_loss"], ""]
_REASONS = (
    "operated radiotherapy systemic palliative not_mscc duplicate transferred_elsewhere died "
    "watch declined"
).split()
_CODES = ["prognosis", "no_benefit", "wishes", "age", 7]
_TREATMENTS = ["systemic", "stabilise", "surgery", "palliative", "watch", "radiotherapy", "prayer"]
_OTHERS: dict[EventType, list[Data]] = {
    T.PROCEDURE_RECORDED: [{"kind": "surgery", "levels": ["T6"]}, {"kind": "vertebroplasty"}],
    T.RADIOTHERAPY_RECORDED: [{"kind": "sbrt", "course": each} for each in ("earlier", "given")],
    T.OUTCOME_RECORDED: [{"at": "24h", "walking": "cannot", "ais": "A"}, {"at": "30d"}],
    T.CAPACITY_REPORTED: [{"kind": "mri"}, {"kind": "theatre", "until": "2026-03-20T08:00:00Z"}],
}


@dataclass
class RestMaker(LogMaker):
    """Two events of three are of those."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.length += 2
        self.sent = list[Event]()

    def next_event(self, pages: Sequence[str]) -> Event:
        dice, last = self.dice, self.now
        roll = dice.random()
        if roll < 0.35:
            made = super().next_event(pages)
        elif self.sent and roll < 0.42:
            made = self._again(dice.choice(self.sent))
        else:
            gap = dice.choice((120, 900, 9000, 40_000))
            self.now += timedelta(seconds=round(dice.expovariate(1 / gap)))
            if dice.random() < 0.1:
                self.now = last  # of one instant with the one before
            made = self._other()
        self.sent.append(made)
        return made

    def _again(self, event: Event) -> Event:
        """Delivered twice, or the same name with other content."""
        self.now += timedelta(seconds=self.dice.randrange(1, 4000))
        if self.dice.random() < 0.5:
            return replace(event, received_at=self.now, sent_at=None)
        other = self._build(event.type, event.sender, {**event.data, "note": "Again."})
        return replace(other, id=event.id)

    def _other(self) -> Event:
        dice = self.dice
        makers = [self._reported] * 4 + [self._milestone] * 3 + [self._decided, self._closed] * 2
        makers += [self._recorded, self._opinion, self._set, self._offered]
        kind, data = dice.choice(makers)()
        return self._build(kind, self._from(kind), data)

    def _from(self, kind: EventType) -> Sender:
        if self.dice.random() < 0.07:
            return self.dice.choice((CENTRE, HOSPITAL, *STRANGERS))
        return self._sender(kind) if kind not in _OTHERS else CENTRE

    def _somebody(self) -> Data:
        known = person(self.dice.choice(_ROLES))
        return (
            {**known, "role": self.dice.choice(("nurse", " Consultant "))}
            if (self.dice.random() < 0.05)
            else known
        )

    def _reported(self) -> tuple[EventType, Data]:
        dice = self.dice
        kinds = (T.REFERRAL_UPDATED, T.NEURO_EXAMINED, T.IMAGING_REPORTED, T.REFERRAL_SUBMITTED)
        names = dice.sample(sorted(_FINDINGS), dice.randint(1, 4))
        found = {name: dice.choice(_FINDINGS[name]) for name in names} | self._ranges()
        data: Data = {"findings": {**(self._findings() if dice.random() < 0.5 else {}), **found}}
        if dice.random() < 0.2:
            data["recheck"] = dice.choice(_RECHECKS)
        if dice.random() < 0.07:
            data["findings"] = dice.choice(([], "weak legs", None, {}))
        data |= {"note": "Seen on the ward.", "done_already": ["steroid"], "patient": {"age": 60}}
        return dice.choice(kinds), data

    def _ranges(self) -> Data:
        dice = self.dice
        if dice.random() > 0.2:
            return {}
        ago = [timedelta(hours=dice.choice((1, 30, 47, 60, 200))) for _ in range(2)]
        value = {
            "earliest": (self.now - ago[0]).isoformat(),
            "latest": (self.now - ago[1]).isoformat(),
        }
        if dice.random() < 0.3:
            del value["latest"]
        return {dice.choice(("deficit_onset_at", "bladder_onset_at")): value}

    def _milestone(self) -> tuple[EventType, Data]:
        name = self.dice.choice([*EITHER, *OF_HOSPITAL, *OF_CENTRE, "acknowledged", "lunch"])
        return T.MILESTONE_REACHED, {"milestone": name, "details": {"cause": "bed"}}

    def _decided(self) -> tuple[EventType, Data]:
        dice = self.dice
        data = {"treatment": dice.choice(_TREATMENTS), "by": self._somebody()}
        return T.TREATMENT_DECIDED, {**data, "reason_code": dice.choice(_CODES)}

    def _closed(self) -> tuple[EventType, Data]:
        dice = self.dice
        if dice.random() < 0.3:
            return T.REFERRAL_CANCELLED, {"reason": "", "by": self._somebody()}
        data = {"reason": dice.choice(_REASONS), "by": self._somebody()}
        return T.CASE_CLOSED, data | ({"plan": dice.choice(("Home.", " ", 3))})

    def _recorded(self) -> tuple[EventType, Data]:
        kind = self.dice.choice(sorted(_OTHERS))
        return kind, self.dice.choice(_OTHERS[kind])

    def _opinion(self) -> tuple[EventType, Data]:
        specialty = self.dice.choice(("haematology", "oncology", "palliative", ["oncology"]))
        return T.OPINION_GIVEN, {
            "specialty": specialty,
            "by": self._somebody(),
            "treatment": "watch",
        }

    def _set(self) -> tuple[EventType, Data]:
        dice = self.dice
        tier = dice.choice(("urgent", "Emergent", "PALLIATIVE-MDT", "ROUTINE", "PRIORITY", 1))
        return T.TIER_SET, {
            "tier": tier,
            "by": self._somebody(),
            "reason": dice.choice(("Seen.", " ", 4)),
        }

    def _offered(self) -> tuple[EventType, Data]:
        dice = self.dice
        leg, to = dice.choice(("shift", "onward_plan", "theatre", "lift")), self._somebody()
        kind = dice.choice((T.HANDOVER_OFFERED, T.HANDOVER_ACCEPTED))
        data: Data = {"leg": leg, "from": self._somebody(), "to": to}
        if dice.random() < 0.15:
            del data["to"]
        return kind, data
