"""What simulated clinicians do after they have answered: the pathway of a case, step by step.

Minutes are counted from the answer. They are plausible for a demonstration and no targets: those
are in the policy book.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from triage.domain.tiers import Tier
from triage.proof.people_and_places import member_of_staff


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the centre, `after_minutes` from the answer to the page."""

    after_minutes: float
    type: str
    data: dict[str, Any]


def pathway(tier: Tier, dice: Random) -> Iterator[Step]:
    """The steps in order. A calmer tier waits longer for each and is seldom operated on; an
    operation takes its own time, whatever the tier was."""
    slower = {Tier.EMERGENT: 1.0, Tier.URGENT: 3.0}.get(tier, 12.0)
    operated = dice.random() < {Tier.EMERGENT: 0.75, Tier.URGENT: 0.4}.get(tier, 0.05)
    wait = before = 0.0
    for step in (*_assessment(), *(_surgery() if operated else _radiotherapy(dice))):
        wait += (step.after_minutes - before) * slower * dice.uniform(0.8, 1.2)
        before = step.after_minutes
        if step.data.get("milestone") == "knife_to_skin":
            slower = 1.0
        yield Step(wait, step.type, step.data)


def _assessment() -> Iterator[Step]:
    yield _milestone(12, "senior_reviewed", by="consultant")
    yield _milestone(20, "oncology_contacted", by="registrar")
    yield _milestone(45, "mri_done")
    yield _milestone(60, "mri_reported")
    yield Step(
        70,
        "opinion.given.v1",
        {"specialty": "oncology", "treatment": "surgery", "by": member_of_staff("oncology")},
    )


def _surgery() -> Iterator[Step]:
    yield _decision(90, "surgery", "acute_deficit")
    yield _milestone(100, "accepted", by="consultant")
    yield _milestone(140, "departed")
    yield _milestone(200, "arrived")
    yield _milestone(210, "theatre_confirmed")
    yield _milestone(250, "knife_to_skin")
    yield _milestone(330, "decompression_complete")
    yield _milestone(370, "surgery_end")
    yield Step(
        380,
        "procedure.recorded.v1",
        {"kind": "surgery", "intent": "separation", "approach": "posterolateral open"},
    )
    yield _milestone(440, "postop_neuro_exam")
    yield _closing(1_500, "operated", "Rehabilitation and radiotherapy planned.")


def _radiotherapy(dice: Random) -> Iterator[Step]:
    yield _decision(100, "radiotherapy", "radiosensitive")
    yield _milestone(dice.uniform(300, 900), "radiotherapy_started")
    yield _closing(1_400, "radiotherapy", "Oncology goes on; clinic in six weeks.")


def _milestone(after_minutes: float, name: str, *, by: str | None = None) -> Step:
    details = {"details": {"by": member_of_staff(by)}} if by else {}
    return Step(after_minutes, "milestone.reached.v1", {"milestone": name, **details})


def _decision(after_minutes: float, treatment: str, reason_code: str) -> Step:
    data = {"treatment": treatment, "by": member_of_staff("consultant"), "reason_code": reason_code}
    return Step(after_minutes, "treatment.decided.v1", data)


def _closing(after_minutes: float, reason: str, plan: str) -> Step:
    data = {"reason": reason, "by": member_of_staff("consultant"), "plan": plan}
    return Step(after_minutes, "case.closed.v1", data)
