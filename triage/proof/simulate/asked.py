"""What people do about a page that asks for something other than an answer."""

from collections.abc import Mapping
from random import Random
from typing import Any

from triage.proof.presentations import worse

Act = tuple[str, dict[str, Any]]

_MILESTONES = {
    "senior_opinion": ("senior_reviewed",),
    "oncology_contacted": ("oncology_contacted",),
    "mri": ("mri_done",),
    "mri_report": ("mri_reported",),
    "transfer": ("departed", "arrived"),
    "theatre": ("knife_to_skin",),
    "radiotherapy": ("radiotherapy_started",),
    "information_requested": ("info_completed",),
}
_RECOVERY = "postop_neuro_exam"
_EXAMINED = frozenset({"re_examination", "rechecked", "call_back"})


def done_for(
    page: Mapping[str, Any],
    document: Mapping[str, Any],
    by: Mapping[str, Any],
    luck: Random,
    worsens: float,
) -> tuple[Act, ...]:
    """Type and data of the events that do what a page asks; none where nothing is known to do.

    `document` is the case as it is shown; a milestone that it has is not recorded again.
    """
    findings, has = document.get("findings", {}), document.get("milestones", {})
    name = str(page["obligation"])
    if name == "review":
        answer = {"page": page["page"], "by": by, "answer": "coming"}
        return (("page.acknowledged.v1", answer),)
    if name == "decision":
        data = {"treatment": "radiotherapy", "by": by, "reason_code": "radiosensitive"}
        return (("treatment.decided.v1", data),)
    if name in _EXAMINED:
        return (examination(findings, by, luck, worsens),)
    if name == "after_surgery":
        recovery = () if _RECOVERY in has else (_milestone(_RECOVERY, by),)
        return (*recovery, examination(findings, by, luck, worsens))
    return tuple(_milestone(each, by) for each in _MILESTONES.get(name, ()))


def examination(
    findings: Mapping[str, Any], by: Mapping[str, Any], luck: Random, worsens: float
) -> Act:
    """Somebody examines again: it is as it was, but for the part that `worsens`."""
    found = worse(luck) if luck.random() < worsens else _as_before(findings)
    examiner = {"name": by["name"], "grade": "registrar"}
    return "neuro.examined.v1", {"findings": found, "examiner": examiner}


def _milestone(name: str, by: Mapping[str, Any]) -> Act:
    return "milestone.reached.v1", {"milestone": name, "details": {"by": by}}


def _as_before(findings: Mapping[str, Any]) -> dict[str, Any]:
    """The same again; what was not known has now been looked at, and is normal."""
    normal = {"ais": "E", "walking": "unaided", "bladder": "normal", "saddle_sensation": "normal"}
    known = {name: findings[name]["value"] for name in normal if name in findings}
    return {**normal, **{name: value for name, value in known.items() if value != "unknown"}}
