"""Senior opinion: what counts as one, and when it is due, which caps a promise."""

from datetime import datetime

from triage.domain.case import MilestoneEntry
from triage.domain.events import Event, read_actor
from triage.domain.tiers import Tier
from triage.workflow.course import Course
from triage.workflow.milestone_entries import corrected_entries
from triage.workflow.terms import elapsed_limit


def senior_due(course: Course) -> datetime | None:
    """When the senior opinion is due; None when the tier has none or it was given."""
    if course.treated_at is not None:
        return None  # the obligations of the waiting case have ended
    unmet: list[tuple[datetime, Tier]] = []
    since: datetime | None = None
    for number, each in enumerate(course.restarts):
        since = each.at if number else None
        until = course.restarts[number + 1].at if number + 1 < len(course.restarts) else None
        limit = elapsed_limit(course.book, "senior_opinion", each.tier)
        if limit is not None:
            unmet.append((each.at + limit, each.tier))
        if each.closed_at or _is_heard(_given(course), since, until):
            unmet.clear()
    decided = [each.received_at for each in course.final_decisions]
    if _is_heard(decided, since, None):
        return None  # it ends with the decision
    rank = course.standing_tier.rank
    return min((due for due, tier in unmet if tier.rank <= rank), default=None)


def set_by_seniors(course: Course) -> list[Event]:
    """Tiers and treatments that a senior has set: each is an opinion too."""
    seniors = course.book.authority.may.give_senior_opinion
    acts = (*course.tiers_set, *course.final_decisions)
    return [each for each in acts if (by := read_actor(each.data.get("by"))) and by.role in seniors]


def _given(course: Course) -> list[datetime]:
    """When we heard of a review, or of a tier or treatment set by a senior."""
    reviews = [entry for entry in course.entries if entry.name == "senior_reviewed"]
    kept = [e for e in corrected_entries(reviews, course.corrections) if not e.is_withdrawn]
    heard: list[MilestoneEntry | Event] = [*kept, *set_by_seniors(course)]
    return [each.received_at for each in heard]


def _is_heard(heard: list[datetime], since: datetime | None, until: datetime | None) -> bool:
    return any((since is None or at >= since) and (until is None or at < until) for at in heard)
