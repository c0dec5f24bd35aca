"""Who may send what, and who may do what (contract 1 and 4, policy 3 and 3.2)."""

from collections.abc import Mapping

from triage.domain.events import Actor, Event, Side, read_actor

# Contract 1, "Types, and who may send them".
HOSPITAL_OR_CENTRE = {
    "referral.submitted.v1",
    "referral.updated.v1",
    "neuro.examined.v1",
    "imaging.reported.v1",
    "referral.cancelled.v1",
    "milestone.reached.v1",
    "milestone.corrected.v1",
    "radiotherapy.recorded.v1",
    "outcome.recorded.v1",
    "handover.offered.v1",
    "handover.accepted.v1",
}
CENTRE_ONLY = {
    "treatment.decided.v1",
    "opinion.given.v1",
    "tier.set.v1",
    "procedure.recorded.v1",
    "page.acknowledged.v1",
    "capacity.reported.v1",
    "cases.joined.v1",
    "cases.parted.v1",
    "case.closed.v1",
}
# Policy 3.2: "A centre's `referral.submitted.v1` ..., `neuro.examined.v1` or
# `imaging.reported.v1` opens one too".
CENTRE_OPENS = {"referral.submitted.v1", "neuro.examined.v1", "imaging.reported.v1"}
# Contract 4.
EITHER = (
    "pain_onset deficit_onset last_walked first_presentation suspected neuro_examined "
    "steroid_given precautions_started mri_requested mri_started mri_done mri_reported "
    "transfer_requested departed arrived radiotherapy_started discharged died"
).split()
OF_HOSPITAL = ["referral_sent", "info_completed"]
OF_CENTRE = (
    "coordinator_contacted info_requested senior_reviewed oncology_contacted images_received "
    "decision_made accepted declined consent_signed theatre_requested theatre_confirmed "
    "anaesthesia_start knife_to_skin decompression_complete surgery_end postop_neuro_exam"
).split()
# Contract 1: "upward by any named clinician", and the roles, referrer, admin, quality and
# site_manager left out.
CLINICIANS = (
    "coordinator registrar fellow consultant second_consultant clinical_director oncology "
    "haematology radiology anaesthetics theatre palliative rehabilitation"
).split()
CONSULTANTS = {"consultant", "second_consultant"}
SENIORS = CONSULTANTS | {"fellow"}
# "An EMERGENT ladder is stopped only by a registrar, fellow or consultant".
STOPPERS = SENIORS | {"registrar"}


def may_send(event: Event) -> bool:
    """'H = a referring hospital (its own referrals only)', 'only a registered centre source has
    effect'."""
    if event.sender.side is Side.CENTRE:
        return event.type.value in HOSPITAL_OR_CENTRE | CENTRE_ONLY
    if event.sender.side is not Side.HOSPITAL or event.type.value not in HOSPITAL_OR_CENTRE:
        return False
    return event.referral.split("/", 1)[0] == event.sender.source


def may_record(event: Event, milestone: object) -> bool:
    """Contract 4, which says whose each is."""
    own = OF_CENTRE if event.sender.side is Side.CENTRE else OF_HOSPITAL
    return isinstance(milestone, str) and milestone in [*EITHER, *own]


def by_of(data: Mapping[str, object], key: str = "by") -> Actor | None:
    """A named person, or None: 'Upward by any named clinician', 'a named person'."""
    actor = read_actor(data.get(key))
    return actor if actor is not None and actor.is_named else None


def role_of(actor: Actor) -> str:
    return actor.role or ""
