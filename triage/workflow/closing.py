"""Cancelling, deciding, closing and coming back (clinical-policy.md 3.2, contract section 1)."""

from triage.domain.case import TierChange, Verdict
from triage.domain.events import Event, read_actor
from triage.domain.tiers import Tier
from triage.workflow.course import Closing, Course
from triage.workflow.merge import Reported
from triage.workflow.order import counts_as_worse
from triage.workflow.people import end_run
from triage.workflow.ratchet import leave_palliative

TREATMENTS = (
    "surgery",
    "radiotherapy",
    "systemic",
    "stabilise",
    "palliative",
    "watch",
    "more_info",
)
CLOSE_REASONS = (
    "operated",
    "radiotherapy",
    "systemic",
    "palliative",
    "watch",
    "declined",
    "cancelled",
    "died",
    "not_mscc",
    "duplicate",
    "transferred_elsewhere",
)


def cancel(course: Course, event: Event) -> Verdict:
    """`referral.cancelled.v1`: closes below EMERGENT; otherwise asks, and the ladder goes on."""
    if course.is_closed:
        return Verdict(False, "the case is closed already")
    course.cancellation = event
    if course.ever_emergent:
        return Verdict(True, "provisional: the centre must close the case", review=_ASKED)
    _close(course, event, "cancelled", by=None)
    return Verdict(True, review="the referral was cancelled by its sender")


_ASKED = "cancellation asked of a case that is or was EMERGENT"


def close(course: Course, event: Event) -> Verdict:
    """`case.closed.v1`: by a named person; at EMERGENT a consultant or fellow, with a plan."""
    by, reason = read_actor(event.data.get("by")), event.data.get("reason")
    if reason not in CLOSE_REASONS:
        return _refused(f"data.reason is none of {', '.join(CLOSE_REASONS)}")
    if by is None or not by.is_named:
        return _refused("data.by names no person with a role")
    if course.is_closed:
        return Verdict(False, "the case is closed already")
    plan = event.data.get("plan")
    problem = _emergent_problem(course, str(reason), by.role or "", plan)
    if problem:
        return _refused(problem)
    if reason == "declined":
        course.declined = _closing(course, event, "declined", by.role)
        return Verdict(True, "provisional until the hospital accepts the onward plan")
    _close(course, event, str(reason), by=by.role)
    return Verdict(True)


def _emergent_problem(course: Course, reason: str, role: str, plan: object) -> str | None:
    authority = course.book.authority
    has_plan = isinstance(plan, str) and bool(plan.strip())
    cancelling = reason == "cancelled" and course.ever_emergent
    if cancelling and role not in authority.may.close_cancelled:
        return "a cancelled EMERGENT case is closed only by a registrar, fellow or consultant"
    if course.standing_tier is not Tier.EMERGENT:
        return None
    if not cancelling and role not in authority.may.close_emergent:
        return "an EMERGENT case is closed only by a consultant or fellow"
    if reason == "declined" and role not in authority.may.decline_emergent:
        return "an EMERGENT referral is declined only by a consultant"
    if reason not in authority.closing.without_plan and not has_plan:
        return "an EMERGENT case is closed only with data.plan: who goes on with what"
    return None


def _close(course: Course, event: Event, reason: str, by: str | None) -> None:
    course.closing = _closing(course, event, reason, by)
    course.declined = None
    end_run(course, event)


def _closing(course: Course, event: Event, reason: str, by: str | None) -> Closing:
    return Closing(
        reason=reason,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        event=event.id,
        by=by,
        known=course.merged,
    )


def reopens(course: Course, report: Reported) -> bool:
    """Whether a report re-opens a closed case: newer than the closing, or worse than known then."""
    closing = course.closing
    if closing is None:
        return False
    if report.event.occurred_at > closing.occurred_at:
        return True
    known = closing.known.values
    return any(
        counts_as_worse(course.book, name, known.get(name), value)
        for name, value in report.reading.values.items()
    )


def decide(course: Course, event: Event) -> Verdict:
    """`treatment.decided.v1`: PM1 comes only from a named consultant with a reason code."""
    treatment, by = event.data.get("treatment"), read_actor(event.data.get("by"))
    if treatment not in TREATMENTS:
        return _refused(f"data.treatment is none of {', '.join(TREATMENTS)}")
    if by is None or not by.is_named:
        return _refused("data.by names no person with a role")
    if treatment == "palliative":
        return _palliative(course, event)
    leave_palliative(course, event)
    course.turns.append(event)
    course.decisions.append(event)
    course.keep_promise(event)
    return Verdict(True)


def _palliative(course: Course, event: Event) -> Verdict:
    by, code = read_actor(event.data.get("by")), event.data.get("reason_code")
    if by is None or by.role not in course.book.authority.may.decide_palliative:
        return _refused("a palliative decision counts only from a named consultant")
    codes = course.book.authority.palliative.reason_codes
    if not _is_coded(code, codes):
        return _refused(f"a palliative decision counts only with data.reason_code: {codes}")
    change = TierChange(
        tier=Tier.PALLIATIVE_MDT,
        at=event.received_at,
        event=event.id,
        rules=("PM1",),
        by=by.role,
        reason=code,
    )
    course.palliative, course.palliative_by = change, by
    course.history.append(change)
    course.turns.append(event)
    course.decisions.append(event)
    course.keep_promise(event)
    return Verdict(True)


def _is_coded(code: object, codes: tuple[str, ...]) -> bool:
    """A code of the book, however it is spelt, with more detail after it or not."""
    plain = (
        code.strip().casefold().replace(" ", "_").replace("-", "_") if isinstance(code, str) else ""
    )
    return plain.startswith(codes)


def note_opinion(course: Course, event: Event) -> Verdict:
    """`opinion.given.v1`: one specialty's view; it may meet the oncology obligation."""
    by = read_actor(event.data.get("by"))
    if by is None or not by.is_named:
        return _refused("data.by names no person with a role")
    course.acts.append(event)
    return Verdict(True)


def note_fact(course: Course, event: Event) -> Verdict:
    """Procedures, radiotherapy, outcomes, capacity: kept and shown; they move no tier and keep no
    promise."""
    course.acts.append(event)
    return Verdict(True)


def _refused(reason: str) -> Verdict:
    return Verdict(False, reason, review=reason)
