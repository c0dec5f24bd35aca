"""One step of a scenario file as an event: who sends what, when it happened, when it came."""

import dataclasses
import hashlib
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from tests.scenarios.house import Sent
from tests.scenarios.words import read_instant, with_instants
from triage.domain.case_id import case_id
from triage.domain.events import CaseId, Event, EventType, Sender, Side

FOLDER = Path(__file__).parent
HOSPITAL = "hospital:RX1"
PATIENTS: dict[str, Any] = tomllib.loads((FOLDER / "patients.toml").read_text())

# Who may stand at the door, by the word that a step uses.
SENDERS = {
    "hospital": Sender(side=Side.HOSPITAL, source=HOSPITAL),
    "other_hospital": Sender(side=Side.HOSPITAL, source="hospital:RX2"),
    "unregistered_hospital": Sender(side=Side.HOSPITAL, source="hospital:ZZ9", is_registered=False),
    "centre": Sender(side=Side.CENTRE, source="centre:NEURO"),
    "unregistered_centre": Sender(side=Side.UNREGISTERED, source="centre:ELSEWHERE"),
}
EVENT_KEYS = frozenset(
    "referral id again patient findings recheck data happened sent who to from answer minutes page "
    "which page_of reason plan tier treatment milestone cases".split()
)


def referral_of(name: str) -> str:
    """A scenario's referral by its nickname: `first`, or `ZZ9 first` of another hospital."""
    hospital, _, subject = name.rpartition(" ")
    return f"hospital:{hospital or 'RX1'}/{subject}"


def case_of(name: str) -> CaseId:
    """The case id of a scenario's referral."""
    return case_id(referral_of(name))


def label(sent: Sent) -> str:
    """A page as scenarios name it: `second consultant acknowledgement`."""
    return f"{sent.order.role} {sent.order.obligation}".replace("_", " ")


def person(role: str) -> dict[str, str]:
    """`registrar` is the one on call; `other registrar` somebody whom the roster does not know;
    `night registrar` whoever relieves the one on call; `south registrar` the other site's."""
    if role == "nobody":
        return {}
    if role.startswith("other "):
        plain = role.removeprefix("other ")
        return {"name": f"Sample Other {plain.title()}", "role": plain.replace(" ", "_")}
    if role.startswith("night "):
        day = person(role.removeprefix("night "))
        night = day["name"].replace("Sample", "Sample Night")
        return {**day, "person": day["person"][:-1] + "b", "name": night}
    if role.startswith("south "):
        day = person(role.removeprefix("south "))
        south = day["name"].replace("Sample", "Sample South")
        return {**day, "person": day["person"][:-1] + "s", "name": south, "site": "centre:SOUTH"}
    known = role.replace(" ", "_")
    return {
        "person": f"{known.replace('_', '-')}-a",
        "name": f"Sample {role.title()}",
        "role": known,
        "site": "centre:NEURO",
    }


class Script:
    """Turns steps into events; remembers them, so that one can come again or be corrected."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.events: dict[str, Event] = {}

    def event(self, step: Mapping[str, Any], at: datetime, sent: list[Sent]) -> Event | None:
        """The event of a step, received at `at`; None for a step in which only time passes."""
        if "again" in step:
            return self._again(str(step["again"]), at)
        senders = [word for word in SENDERS if word in step]
        if not senders:
            return None
        assert len(senders) == 1, f"a step has one sender: {senders}"
        event = self._event(step, senders[0], at, sent)
        self.events[event.id] = event
        return event

    def _again(self, name: str, at: datetime) -> Event:
        return dataclasses.replace(self.events[name], received_at=at)

    def _event(self, step: Mapping[str, Any], word: str, at: datetime, sent: list[Sent]) -> Event:
        sender = SENDERS[word]
        referral = referral_of(step.get("referral", "first"))
        happened = read_instant(step["happened"], self.start) if "happened" in step else at
        name = step.get("id", f"step-{len(self.events) + 1}")
        data = self._data(step, sent)
        content = orjson.dumps([step[word], referral, happened, data], option=orjson.OPT_SORT_KEYS)
        return Event(
            source=sender.source,
            id=name,
            type=EventType(f"{step[word]}.v1"),
            referral=referral,
            case=case_id(referral),
            occurred_at=min(happened, at),
            received_at=at,
            sent_at=read_instant(step["sent"], self.start) if "sent" in step else None,
            sender=sender,
            data=data,
            content_hash=hashlib.sha256(content).hexdigest(),
            marks=("time_after_receipt",) if happened > at else (),
        )

    def _data(self, step: Mapping[str, Any], sent: list[Sent]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        if "patient" in step or "findings" in step:
            patient = PATIENTS[step["patient"]] if "patient" in step else {}
            data["findings"] = {**patient, **step.get("findings", {})}
        if "who" in step:
            data["by"] = person(step["who"])
        for whom in ("to", "from"):
            if whom in step:
                data[whom] = person(step[whom])
        if "page" in step:
            data["page"] = _page(step, sent)
        if "cases" in step:
            data["cases"] = [case_of(name) for name in step["cases"]]
        plain = ("recheck", "answer", "minutes", "reason", "plan", "tier", "treatment", "milestone")
        data |= {key: step[key] for key in plain if key in step}
        data |= step.get("data", {})
        return {key: with_instants(value, self.start) for key, value in data.items()}


def _page(step: Mapping[str, Any], sent: list[Sent]) -> str:
    """The id of a page by its label: the latest that went out, or the `which` = first."""
    case = case_of(step.get("page_of", step.get("referral", "first")))
    found = [each for each in sent if each.order.case == case and label(each) == step["page"]]
    assert found, f"no page {step['page']!r} went out so far"
    return str(found[0 if step.get("which") == "first" else -1].order.page)
