"""What a report says besides its findings: where the patient is to go, and whom to call back."""

from dataclasses import replace
from datetime import datetime

from triage.domain.case import Verdict
from triage.domain.events import Event, EventType, Side
from triage.workflow.course import Course
from triage.workflow.merge import Reported


def describe(course: Course, event: Event, reported: Reported) -> Verdict:
    """What a report says besides findings, and what in it was not understood."""
    if event.type is EventType.REFERRAL_SUBMITTED:
        course.is_submitted = True
    if event.type in (EventType.REFERRAL_SUBMITTED, EventType.REFERRAL_UPDATED):
        _note_people(course, event)
    if event.sender.side is Side.CENTRE and reported.is_examination:
        course.keep_promise(event)
    return with_unread(Verdict(True), reported)


def with_unread(verdict: Verdict, reported: Reported) -> Verdict:
    """A value outside its list may hide something worse: a human looks, whatever it came with."""
    reading = reported.reading
    warnings = tuple(f"{path}: not understood, counted as unknown" for path in reading.unread)
    review = "a value could not be read" if reading.review else verdict.review
    return replace(verdict, review=review, warnings=(*verdict.warnings, *warnings))


def _note_people(course: Course, event: Event) -> None:
    destination = event.data.get("destination")
    if isinstance(destination, str) and destination.strip():
        _note_destination(course, event, destination.strip())
    referrer = event.data.get("referrer")
    callback = referrer.get("callback") if isinstance(referrer, dict) else None
    if isinstance(callback, str) and callback.strip():
        course.callback = callback.strip()


def _note_destination(course: Course, event: Event, destination: str) -> None:
    """As it was written, and since when we know of it. What opens the case names the first one,
    unless somebody was asked already about what came before it."""
    if course.destinations and course.destinations[-1][1] == destination:
        return
    at: datetime | None = event.received_at
    if course.opened_by is None or course.opened_by.key == event.key:
        at = event.receipt if course.reviews else None
    course.destinations.append((at, destination))
