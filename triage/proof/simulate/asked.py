"""What people do about a page that asks for something other than an answer."""

from collections.abc import Mapping
from random import Random
from typing import Any

from triage.proof.presentations import worse

_MILESTONES = {
    "senior_opinion": "senior_reviewed",
    "oncology_contacted": "oncology_contacted",
    "mri": "mri_done",
    "mri_report": "mri_reported",
    "decision": "senior_reviewed",
    "transfer": "departed",
    "departed": "departed",
    "theatre": "knife_to_skin",
    "radiotherapy": "radiotherapy_started",
    "recovery_examination": "postop_neuro_exam",
    "information_requested": "info_completed",
}
_EXAMINED = frozenset({"re_examination", "rechecked", "call_back", "after_surgery"})
_WORSE = 0.03


def done_for(
    page: Mapping[str, Any], findings: Mapping[str, Any], by: Mapping[str, Any], luck: Random
) -> tuple[str, dict[str, Any]] | None:
    """Type and data of the event that does what a page asks; None where nothing is known to do.

    `findings` are the case's present ones, as its document shows them.
    """
    name = str(page["obligation"])
    if name == "review":
        return "page.acknowledged.v1", {"page": page["page"], "by": by, "answer": "coming"}
    if name in _EXAMINED:
        found = worse(luck) if luck.random() < _WORSE else _as_before(findings)
        examiner = {"name": by["name"], "grade": "registrar"}
        return "neuro.examined.v1", {"findings": found, "examiner": examiner}
    if name in _MILESTONES:
        return "milestone.reached.v1", {"milestone": _MILESTONES[name], "details": {"by": by}}
    return None


def _as_before(findings: Mapping[str, Any]) -> dict[str, Any]:
    """The same again; what was not known has now been looked at, and is normal."""
    normal = {"ais": "E", "walking": "unaided", "bladder": "normal", "saddle_sensation": "normal"}
    known = {name: findings[name]["value"] for name in normal if name in findings}
    return {**normal, **{name: value for name, value in known.items() if value != "unknown"}}
