"""Who may send what (contract section 1). The door decides who it is, never the payload."""

from triage.domain.events import Event, EventType, Side

_BOTH = frozenset({Side.HOSPITAL, Side.CENTRE})
_CENTRE = frozenset({Side.CENTRE})

MAY_SEND: dict[EventType, frozenset[Side]] = {
    EventType.REFERRAL_SUBMITTED: _BOTH,
    EventType.REFERRAL_UPDATED: _BOTH,
    EventType.NEURO_EXAMINED: _BOTH,
    EventType.IMAGING_REPORTED: _BOTH,
    EventType.REFERRAL_CANCELLED: _BOTH,
    EventType.MILESTONE_REACHED: _BOTH,
    EventType.MILESTONE_CORRECTED: _BOTH,
    EventType.TREATMENT_DECIDED: _CENTRE,
    EventType.OPINION_GIVEN: _CENTRE,
    EventType.TIER_SET: _CENTRE,
    EventType.PROCEDURE_RECORDED: _CENTRE,
    EventType.RADIOTHERAPY_RECORDED: _BOTH,
    EventType.OUTCOME_RECORDED: _BOTH,
    EventType.PAGE_ACKNOWLEDGED: _CENTRE,
    EventType.PAGE_RECEIPT: frozenset({Side.PROVIDER, Side.OURSELVES}),
    EventType.HANDOVER_OFFERED: _BOTH,
    EventType.HANDOVER_ACCEPTED: _BOTH,
    EventType.CAPACITY_REPORTED: _CENTRE,
    EventType.CASES_JOINED: _CENTRE,
    EventType.CASES_PARTED: _CENTRE,
    EventType.CASE_CLOSED: _CENTRE,
    EventType.TIMER_RAISED: frozenset({Side.OURSELVES}),
    EventType.SHIFT_ENDED: frozenset({Side.OURSELVES}),
    EventType.PAGES_ORDERED: frozenset({Side.OURSELVES}),
}

# A centre's other events cannot open a case: it knows of no patient yet (clinical-policy.md 3.2).
CENTRE_OPENS = frozenset(
    {EventType.REFERRAL_SUBMITTED, EventType.NEURO_EXAMINED, EventType.IMAGING_REPORTED}
)

_EITHER_SIDE = [
    "pain_onset",
    "deficit_onset",
    "last_walked",
    "first_presentation",
    "suspected",
    "neuro_examined",
    "steroid_given",
    "precautions_started",
    "mri_requested",
    "mri_started",
    "mri_done",
    "mri_reported",
    "transfer_requested",
    "departed",
    "arrived",
    "radiotherapy_started",
    "discharged",
    "died",
]
_HOSPITAL_ONLY = ("referral_sent", "info_completed")
_CENTRE_ONLY = [
    "coordinator_contacted",
    "info_requested",
    "senior_reviewed",
    "oncology_contacted",
    "images_received",
    "decision_made",
    "accepted",
    "declined",
    "consent_signed",
    "theatre_requested",
    "theatre_confirmed",
    "anaesthesia_start",
    "knife_to_skin",
    "decompression_complete",
    "surgery_end",
    "postop_neuro_exam",
]

MILESTONE_SIDES: dict[str, frozenset[Side]] = (
    dict.fromkeys(_EITHER_SIDE, _BOTH)
    | dict.fromkeys(_HOSPITAL_ONLY, frozenset({Side.HOSPITAL}))
    | dict.fromkeys(_CENTRE_ONLY, _CENTRE)
)
OUR_MILESTONES = ("referral_received", "acknowledged")

# The earliest recording stands for these, the latest for all others (clinical-policy.md 3.1).
FIRST_TIME_MILESTONES = frozenset(
    [
        "pain_onset",
        "deficit_onset",
        "last_walked",
        "first_presentation",
        "suspected",
        "referral_sent",
        "referral_received",
        "mri_requested",
        "mri_started",
        "mri_done",
        "mri_reported",
        "departed",
        "arrived",
        "knife_to_skin",
        "decompression_complete",
    ]
)


def refusal(event: Event) -> str | None:
    """Why this event may have no effect, in words for its sender; None when it may."""
    side = event.sender.side
    if side is Side.UNREGISTERED:
        return f"{event.sender.source} is not registered as a source of the receiving centre"
    if side not in MAY_SEND[event.type]:
        return f"{event.type} may be sent by {_sides(event.type)} only"
    if side is Side.HOSPITAL and not event.referral.startswith(f"{event.sender.source}/"):
        return "a hospital may write to its own referrals only"
    return None


def opens(event: Event) -> bool:
    """Whether this event, allowed as it is, opens a case that does not exist yet."""
    if event.sender.side is Side.HOSPITAL:
        return True
    return event.sender.side is Side.CENTRE and event.type in CENTRE_OPENS


def _sides(event_type: EventType) -> str:
    words = {
        Side.HOSPITAL: "the referring hospital",
        Side.CENTRE: "the receiving centre",
        Side.PROVIDER: "a notification provider",
        Side.OURSELVES: "this service",
    }
    return " or ".join(sorted(words[side] for side in MAY_SEND[event_type]))
