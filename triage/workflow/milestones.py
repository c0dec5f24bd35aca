"""Milestones: whose they are to record, and what a correction may change."""

from triage.domain.authority import MILESTONE_SIDES, OUR_MILESTONES
from triage.domain.case import MilestoneEntry, Verdict
from triage.domain.events import Event, Side
from triage.domain.instants import parse_instant
from triage.workflow.causes import note_cause
from triage.workflow.course import Course
from triage.workflow.milestone_entries import corrects
from triage.workflow.treatment import wait_again


def record_milestone(course: Course, event: Event) -> Verdict:
    """`milestone.reached.v1`: kept when the milestone exists and is this side's to record."""
    name = event.data.get("milestone")
    verdict = _may_record(name, event.sender.side)
    if not verdict.effect:
        return verdict
    course.entries.append(
        MilestoneEntry(
            name=str(name),
            at=event.occurred_at,
            event=event.id,
            source=event.source,
            recorded_by=event.sender.source,
            side=event.sender.side.value,
            received_at=event.received_at,
        )
    )
    note_cause(course, event)
    if event.sender.side is Side.CENTRE:
        course.keep_promise(event)
    return Verdict(True)


def correct_milestone(course: Course, event: Event) -> Verdict:
    """`milestone.corrected.v1`: takes effect once what it corrects is there."""
    name = event.data.get("milestone")
    verdict = _may_record(name, event.sender.side)
    if not verdict.effect:
        return verdict
    withdrawn = event.data.get("withdrawn") is True
    if not withdrawn and parse_instant(event.data.get("time")) is None:
        return _refused("data.time is no instant with an offset, and withdrawn is not true")
    if any(_is_named_by(event, each) and not corrects(event, each) for each in course.entries):
        return _refused("a side corrects only what it recorded")
    was_treated = course.treated_at is not None
    course.corrections.append(event)
    if was_treated and course.treated_at is None:
        wait_again(course, event)
    corrected = [entry for entry in course.entries if corrects(event, entry)]
    if not corrected:
        return Verdict(True, warnings=("names no milestone recorded so far",))
    return Verdict(True)


def _is_named_by(correction: Event, entry: MilestoneEntry) -> bool:
    return (entry.event, entry.name) == (
        correction.data.get("was"),
        correction.data.get("milestone"),
    )


def _may_record(name: object, side: Side) -> Verdict:
    if name in OUR_MILESTONES:
        return _refused(f"{name} is recorded by this service alone")
    sides = MILESTONE_SIDES.get(name) if isinstance(name, str) else None
    if sides is None:
        return _refused("data.milestone is no milestone of the contract")
    if side not in sides:
        return _refused(f"{name} is recorded by the other side")
    return Verdict(True)


def _refused(reason: str) -> Verdict:
    return Verdict(False, reason, review=reason)
