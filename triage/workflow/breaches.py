"""Breaches that have happened, and stay on the case whatever tier or decision comes after them."""

from collections.abc import Collection
from datetime import datetime

from triage.domain.case import Obligation
from triage.workflow.course import Course

# What treatment does not end: it meets or begins these.
_OF_TREATMENT = ("acknowledgement", "theatre", "radiotherapy", "after_surgery", "review")


Key = tuple[str, str, datetime, datetime]


def key_of(each: Obligation) -> Key:
    """What makes two workings of one obligation the same."""
    return each.name, each.clock, each.starts_at, each.due_at


def with_missed(
    owed: tuple[Obligation, ...], worked_out: Collection[Key], course: Course
) -> tuple[Obligation, ...]:
    """A breach that has happened stays one, whatever tier or decision came after it.

    What is worked out anew, shown or not, speaks for itself: we may have been told since.
    """
    kept = [
        each
        for each in course.missed
        if key_of(each) not in worked_out and not _was_in_time(course, each)
    ]
    if not kept:
        return owed
    return tuple(sorted((*owed, *kept), key=lambda each: (each.due_at, each.name, each.clock)))


def _was_in_time(course: Course, owed: Obligation) -> bool:
    """We have since been told of an examination, an operation or a treatment in time: whoever was
    examined or treated by then waited no longer, and no breach happened."""
    found: list[datetime | None] = []
    if owed.name not in _OF_TREATMENT:
        found.append(course.treated_at)
    if owed.name == "re_examination":
        knife = course.effective("knife_to_skin")
        found += [each.event.occurred_at for each in course.reports if each.is_examination]
        found.append(knife.at if knife else None)
    return any(at is not None and owed.starts_at < at <= owed.due_at for at in found)
