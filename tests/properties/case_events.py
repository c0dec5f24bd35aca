"""Strategies for one case's events: plausible ones of every type, from both sides, odd clocks too.

All are received within `WINDOW` of `START`, which is shorter than any timer of the book runs.
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import strategies as st

from tests.scenarios.script import person
from triage.domain.case_id import case_id
from triage.domain.events import Event, EventType, Sender, Side
from triage.domain.paging import PageKey, page_id, short_tag

START = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=40)
REFERRAL = "hospital:RX1/sample-1"
CASE = case_id(REFERRAL)

HOSPITAL = Sender(side=Side.HOSPITAL, source="hospital:RX1")
CENTRE = Sender(side=Side.CENTRE, source="centre:NEURO")
STRANGERS = (
    Sender(side=Side.HOSPITAL, source="hospital:RX2"),
    Sender(side=Side.UNREGISTERED, source="centre:ELSEWHERE"),
)
ORDERS: dict[str, list[Any]] = {
    "ais": ["E", "D", "C", "B", "A"],
    "walking": ["unaided", "aided", "cannot"],
    "neuro_symptom": ["none", "radicular", "sensory", "gait", "weakness"],
    "bladder": ["normal", "altered", "retention_incontinence"],
    "saddle_sensation": ["normal", "reduced", "absent"],
    "pvr_ml": [0, 150, 200, 650],
    "escc": ["0", "1a", "1b", "1c", "2", "3"],
    "trend": ["improving", "stable", "worsening"],
    "sins": [0, 6, 7, 12, 13, 18],
    "pain": ["none", "nonmechanical", "suggestive", "mechanical", "severe"],
    "respiratory": ["normal", "compromised"],
    "cancer": ["none", "suspected", "known"],
    "spinal_metastasis": ["no", "suspected", "confirmed"],
}
_ODD: dict[str, list[Any]] = {
    "walking": ["cannot_other", "crawling"],
    "bladder": ["longstanding", None],
    "escc": ["na", "unknown", 2],
    "level": ["C3", "T6", "L4", "high"],
    "histology": ["breast", "lymphoma", "unknown"],
    "mri": ["reported", "requested"],
    "bladdr": ["altered"],
}

_minutes = st.integers(0, 40)
_onsets = st.integers(-200, 2).map(lambda h: (START + timedelta(hours=h)).isoformat())


def _one_of(field: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(ORDERS.get(field, []) + _ODD.get(field, []))


_findings = st.fixed_dictionaries(
    {},
    optional={field: _one_of(field) for field in sorted({*ORDERS, *_ODD})}
    | {"deficit_onset_at": _onsets, "bladder_onset_at": _onsets},
)
_rechecks = st.sampled_from(["motor_loss", "pain_surge", "fall"])
_roles = st.sampled_from(
    ["consultant"] * 4
    + ["registrar"] * 3
    + ["coordinator", "fellow", "oncology", "nobody", "other registrar"]
)
_by = _roles.map(person)
_milestones = st.sampled_from(
    "suspected mri_done mri_reported departed arrived radiotherapy_started senior_reviewed "
    "oncology_contacted accepted knife_to_skin surgery_end postop_neuro_exam info_requested "
    "info_completed died referral_received".split()
)
_DATA: dict[EventType, st.SearchStrategy[dict[str, Any]]] = {
    EventType.REFERRAL_SUBMITTED: st.fixed_dictionaries({"findings": _findings}),
    EventType.REFERRAL_UPDATED: st.fixed_dictionaries(
        {}, optional={"findings": _findings, "recheck": _rechecks}
    ),
    EventType.NEURO_EXAMINED: st.fixed_dictionaries({"findings": _findings}),
    EventType.IMAGING_REPORTED: st.fixed_dictionaries({"findings": _findings}),
    EventType.REFERRAL_CANCELLED: st.just({"reason": "entered twice"}),
    EventType.MILESTONE_REACHED: st.fixed_dictionaries({"milestone": _milestones}),
    EventType.TREATMENT_DECIDED: st.fixed_dictionaries(
        {
            "treatment": st.sampled_from(["surgery", "radiotherapy", "palliative", "more_info"]),
            "by": _by,
            "reason_code": st.sampled_from(["wishes", "other"]),
        }
    ),
    EventType.OPINION_GIVEN: st.fixed_dictionaries(
        {"specialty": st.sampled_from(["oncology", "radiology"]), "by": _by}
    ),
    EventType.TIER_SET: st.fixed_dictionaries(
        {
            "tier": st.sampled_from(["EMERGENT", "URGENT", "PRIORITY", "ROUTINE", "HIGH"]),
            "by": _by,
            "reason": st.sampled_from(["Examined.", ""]),
        },
        optional={"findings": _findings},
    ),
    EventType.HANDOVER_ACCEPTED: st.fixed_dictionaries(
        {"leg": st.sampled_from(["shift", "onward_plan", "theatre"]), "to": _by}
    ),
    EventType.CASE_CLOSED: st.fixed_dictionaries(
        {
            "reason": st.sampled_from(["watch", "declined", "cancelled", "died", "lost"]),
            "by": _by,
            "plan": st.sampled_from(["Clinic.", ""]),
        }
    ),
}
_BY_CENTRE = frozenset(
    {
        EventType.TREATMENT_DECIDED,
        EventType.OPINION_GIVEN,
        EventType.TIER_SET,
        EventType.CASE_CLOSED,
        EventType.MILESTONE_REACHED,
    }
)
_ANYBODY = st.sampled_from([HOSPITAL, CENTRE, *STRANGERS])

# A referral to begin with: EMERGENT, URGENT, PRIORITY and ROUTINE by itself.
SICK = {"findings": {"ais": "C", "walking": "cannot", "trend": "stable", "bladder": "normal"}}
_WELL = {
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
MILD = {
    "findings": {
        **_WELL,
        "ais": "D",
        "walking": "aided",
        "neuro_symptom": "gait",
        "deficit_onset_at": (START - timedelta(hours=60)).isoformat(),
    }
}
_PAINFUL = {"findings": {**_WELL, "pain": "mechanical"}}
_FIRST: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [SICK, MILD, _PAINFUL, {"findings": _WELL}]
)


def _sender(kind: EventType) -> st.SearchStrategy[Sender]:
    """Mostly whoever may send it."""
    usual = st.just(CENTRE if kind in _BY_CENTRE else HOSPITAL)
    return st.one_of(usual, usual, usual, usual, _ANYBODY)


def build(
    number: int, kind: EventType, sender: Sender, data: dict[str, Any], clocks: "Clocks"
) -> Event:
    """One event; its content hash follows from what it says."""
    content = orjson.dumps([kind.value, data, clocks[0]], option=orjson.OPT_SORT_KEYS)
    received = START + timedelta(minutes=clocks[1])
    sent = None if clocks[2] is None else START + timedelta(minutes=clocks[2])
    return Event(
        source=sender.source,
        id=f"e-{number}",
        type=kind,
        referral=REFERRAL,
        case=CASE,
        occurred_at=min(START + timedelta(minutes=clocks[0]), received),
        received_at=received,
        sent_at=sent,
        sender=sender,
        data=data,
        content_hash=hashlib.sha256(content).hexdigest(),
    )


Clocks = tuple[int, int, int | None]  # occurred, received, sent: minutes from START
_clocks = st.tuples(
    st.one_of(st.integers(-10, 40), st.integers(-3000, 100)),
    _minutes,
    st.one_of(st.none(), st.none(), _minutes),
)


@st.composite
def _event(draw: st.DrawFn, number: int) -> Event:
    kind = draw(st.sampled_from(sorted(_DATA)))
    return build(number, kind, draw(_sender(kind)), draw(_DATA[kind]), draw(_clocks))


_ANSWERS = ["coming"] * 5 + ["decline", "hand_over", "hand_back"]


@st.composite
def _answer(draw: st.DrawFn, number: int, started_by: Event) -> Event:
    """An answer to the page of a run that this event may have started."""
    key = PageKey(
        case=CASE,
        obligation="acknowledgement",
        run_tag=short_tag(*started_by.key),
        rung=draw(st.integers(1, 3)),
        round=0,
    )
    data = {
        "page": page_id(key, role="registrar", route="inbox"),
        "by": draw(_by),
        "answer": draw(st.sampled_from(_ANSWERS)),
        "to": person("fellow"),
        "minutes": draw(st.sampled_from([1, 10, 30, "soon"])),
    }
    return build(number, EventType.PAGE_ACKNOWLEDGED, CENTRE, data, draw(_clocks))


@st.composite
def _correction(draw: st.DrawFn, number: int, of: Event) -> Event:
    data = {
        "milestone": of.data.get("milestone", "arrived"),
        "was": of.id,
        **draw(st.sampled_from([{"withdrawn": True}, {"time": START.isoformat()}, {}])),
    }
    return build(number, EventType.MILESTONE_CORRECTED, draw(_ANYBODY), data, draw(_clocks))


@st.composite
def case_logs(draw: st.DrawFn, most: int = 7) -> list[Event]:
    """One to about ten events of one case, in no special order."""
    events = [draw(_event(number)) for number in range(draw(st.integers(1, most)))]
    if draw(st.integers(0, 4)):
        clocks = (-5, draw(st.integers(0, 5)), None)
        first = build(90, EventType.REFERRAL_SUBMITTED, HOSPITAL, draw(_FIRST), clocks)
        events.insert(0, first)
    for number in range(draw(st.integers(0, 3))):
        other = draw(st.one_of(st.just(events[0]), st.sampled_from(events)))
        make = _correction if "milestone" in other.data else _answer
        events.append(draw(make(100 + number, other)))
    return events


@st.composite
def deliveries(draw: st.DrawFn, events: list[Event]) -> list[list[Event]]:
    """The same events in some order, some of them more than once, in batches."""
    again = draw(st.lists(st.sampled_from(events), max_size=4))
    later = [replace(each, received_at=START + WINDOW) for each in again[:1]]
    order = draw(st.permutations([*events, *again, *later]))
    ends = draw(st.sets(st.integers(1, len(order)))) | {len(order)}
    cuts = [0, *sorted(ends)]
    return [list(order[start:end]) for start, end in pairwise(cuts)]
