"""Legs of the pathway: the interval a case is in now, and those that it has completed."""

from collections.abc import Iterator
from datetime import datetime

from triage.domain.case import Case

# (leg, from milestone, to milestone); durations are wall-clock, pauses never subtracted.
HEADLINE_LEGS = (
    ("received_to_acknowledged", "referral_received", "acknowledged"),
    ("received_to_knife", "referral_received", "knife_to_skin"),
    ("received_to_decompression", "referral_received", "decompression_complete"),
    ("walked_to_decompression", "last_walked", "decompression_complete"),
)
RECEIVED_TO_DECISION = "received_to_decision"
LEGS = (
    "to_acknowledgement",
    "to_decision",
    "to_theatre",
    "to_radiotherapy",
    "to_decompression",
    "after_treatment",
    "other_plan",
)

_LEG_OF = {
    "acknowledgement": "to_acknowledgement",
    "transfer": "to_theatre",
    "theatre": "to_theatre",
    "radiotherapy": "to_radiotherapy",
    "after_surgery": "after_treatment",
}


def leg_of(obligation: str) -> str:
    """The leg in which an obligation is owed, so in which its breach is counted."""
    return _LEG_OF.get(obligation, "to_decision")


def current_leg(case: Case) -> str | None:
    """What an open case waits for; None when it is closed."""
    if case.closed_at is not None:
        return None
    reached = case.milestones
    if "decompression_complete" in reached or case.treated_at is not None:
        return "after_treatment"
    if "knife_to_skin" in reached:
        return "to_decompression"
    if "acknowledged" not in reached:
        return "to_acknowledgement"
    if case.decision is None:
        return "to_decision"
    if case.decision in ("surgery", "stabilise"):
        return "to_theatre"
    return "to_radiotherapy" if case.decision == "radiotherapy" else "other_plan"


def completed_legs(case: Case) -> Iterator[tuple[str, float, datetime]]:
    """Headline legs with both ends known: name, seconds, end. Negative ones are left out."""
    reached = case.milestones
    ends = [(leg, reached.get(start), reached.get(end)) for leg, start, end in HEADLINE_LEGS]
    for leg, start, end in ends:
        if start and end and end.at >= start.at:
            yield leg, (end.at - start.at).total_seconds(), end.at
    received = reached.get("referral_received")
    if received and case.decision_at and case.decision_at >= received.at:
        yield (
            RECEIVED_TO_DECISION,
            (case.decision_at - received.at).total_seconds(),
            case.decision_at,
        )
