"""When the senior opinion is due: it caps the promise of whoever answers a page."""

from datetime import datetime

from triage.domain.events import read_actor
from triage.domain.tiers import Tier
from triage.workflow.course import Course
from triage.workflow.milestone_entries import corrected_entries
from triage.workflow.terms import elapsed_limit


def senior_due(course: Course) -> datetime | None:
    """When the senior opinion is due; None when the tier has none or it was given."""
    if course.treated_at is not None:
        return None  # the obligations of the waiting case have ended
    unmet: list[tuple[datetime, Tier]] = []
    for number, each in enumerate(course.restarts):
        until = course.restarts[number + 1].at if number + 1 < len(course.restarts) else None
        limit = elapsed_limit(course.book, "senior_opinion", each.tier)
        if limit is not None:
            unmet.append((each.at + limit, each.tier))
        if each.closed_at or _is_senior_done(course, each.at if number else None, until):
            unmet.clear()
    rank = course.standing_tier.rank
    return min((due for due, tier in unmet if tier.rank <= rank), default=None)


def _is_senior_done(course: Course, since: datetime | None, until: datetime | None) -> bool:
    """A review, a decision, or a tier or treatment set by a senior, that we heard of then."""
    seniors = course.book.authority.may.give_senior_opinion
    reviews = [entry for entry in course.entries if entry.name == "senior_reviewed"]
    kept = [e for e in corrected_entries(reviews, course.corrections) if not e.is_withdrawn]
    decided = [e for e in course.decisions if e.data.get("treatment") != "more_info"]
    set_by = [(e, read_actor(e.data.get("by"))) for e in course.tiers_set]
    by_seniors = [event for event, by in set_by if by is not None and by.role in seniors]
    heard = [entry.received_at for entry in kept]
    heard += [event.received_at for event in (*decided, *by_seniors)]
    return any((since is None or at >= since) and (until is None or at < until) for at in heard)
