"""What delayed each obligation: stated with the milestone that met it, or a capacity reported."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from triage.domain.case import Obligation
from triage.domain.causes import DELAYED_BY, read_cause
from triage.domain.events import Event, EventType
from triage.domain.instants import parse_instant
from triage.workflow.course import Course


def with_causes(owed: tuple[Obligation, ...], course: Course) -> tuple[Obligation, ...]:
    """The obligations, each with its cause where there is one; what is stated goes first."""
    reported = [act for act in course.acts if act.type is EventType.CAPACITY_REPORTED]
    if not (reported or course.stated_causes):
        return owed
    return tuple(replace(each, cause=_cause(each, course, reported)) for each in owed)


def _cause(obligation: Obligation, course: Course, reported: Iterable[Event]) -> str | None:
    for milestone in _meeting(obligation, course):
        entry = course.effective(milestone)
        if entry is not None and entry.event in course.stated_causes:
            return course.stated_causes[entry.event]
    return next(_capacities(obligation, reported), None)


def _meeting(obligation: Obligation, course: Course) -> Iterator[str]:
    """The milestones that meet this obligation on this clock, as the book names them."""
    for row in course.book.deadlines.obligation:
        for clock in row.clock:
            if (row.name, clock.name) == (obligation.name, obligation.clock):
                yield from clock.met_by or row.met_by


def _capacities(obligation: Obligation, reported: Iterable[Event]) -> Iterator[str]:
    """Kinds that were short while the obligation ran; a report without `until` lasts to its end."""
    end = obligation.met_at or obligation.closed_at
    for event in sorted(reported, key=lambda event: event.clinical_order):
        kind = read_cause(event.data.get("kind"))
        until = parse_instant(event.data.get("until"))
        began_in_time = end is None or event.occurred_at < end
        lasted = until is None or until > obligation.starts_at
        if kind in DELAYED_BY.get(obligation.name, ()) and began_in_time and lasted:
            yield kind


def note_cause(course: Course, event: Event) -> None:
    """Keep what a milestone's `details.cause` states, if it is one of the list."""
    details = event.data.get("details")
    cause = read_cause(details.get("cause")) if isinstance(details, dict) else None
    if cause is not None:
        course.stated_causes[event.id] = cause
