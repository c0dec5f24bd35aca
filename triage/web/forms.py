"""Forms of the pages as `data` of the contract's events."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from triage.domain.authority import MILESTONE_SIDES
from triage.domain.events import Side
from triage.domain.roster.roster import Roster
from triage.web.problems import RefusalError
from triage.web.referral_form import local_instant
from triage.workflow.closing import CLOSE_REASONS, TREATMENTS

_FIELDS = {
    "treatment.decided.v1": ("treatment", "reason_code"),
    "tier.set.v1": ("tier", "reason"),
    "case.closed.v1": ("reason", "plan"),
    "milestone.reached.v1": ("milestone",),
    "referral.cancelled.v1": ("reason",),
    "handover.accepted.v1": ("leg",),
}

__all__ = ["CLOSE_REASONS", "TREATMENTS", "act", "answer", "milestones", "said"]


def answer(form: Mapping[str, str], roster: Roster) -> dict[str, Any]:
    """`data` of an answer to a page. Raises RefusalError for minutes that are no whole number."""
    word = form.get("answer", "")
    data: dict[str, Any] = {"answer": "coming" if word == "reviewed" else word}
    if word == "coming" and "minutes" in form:
        if not form["minutes"].isdecimal():
            raise RefusalError(400, "Minutes", "Give the minutes as a whole number.")
        data["minutes"] = int(form["minutes"])
    if word == "hand_over":
        data["to"] = _person(form.get("to", ""), roster)
    return data


def act(form: Mapping[str, str], zone: tzinfo) -> tuple[str, dict[str, Any], str | None]:
    """Type, `data` and time (RFC 3339; None for now) of an act on a case."""
    kind = form.get("type", "")
    if kind not in _FIELDS:
        raise RefusalError(400, "No such act", "Use one of the forms of the case's page.")
    data = {name: form[name] for name in _FIELDS[kind] if name in form}
    time = local_instant(form["time"], zone) if "time" in form else None
    return kind, data, time


def milestones(side: Side) -> list[str]:
    """The milestones that this side records, in the contract's order."""
    return [name for name, sides in MILESTONE_SIDES.items() if side in sides]


def _person(person: str, roster: Roster) -> dict[str, str]:
    known = roster.people.get(person)
    if known is None:
        raise RefusalError(400, "Nobody named", "Choose the person to hand over to.")
    return {"person": known.id, "name": known.name, "role": known.role}


def said(result: Mapping[str, Any]) -> str:
    """What a form did, for the person who sent it."""
    if "taken_on" in result:
        return f"Recorded: you have taken on {result['taken_on']} unread message(s)."
    words = " ".join(str(each) for each in result.get("warnings", ()))
    if not result["effect"]:
        return f"Recorded, but without effect: {result['reason']}."
    return f"Recorded. {words}".strip()
