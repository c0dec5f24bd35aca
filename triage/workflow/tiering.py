"""What raises the tier, and the only two ways down (clinical-policy.md 3)."""

from dataclasses import replace

from triage.domain.case import Verdict
from triage.domain.events import Event, read_actor
from triage.domain.tiers import SETTABLE_TIERS, Tier
from triage.policies.classify import Assessment
from triage.workflow.closing import reopens
from triage.workflow.course import Course, Lowering, Recheck
from triage.workflow.merge import Reported
from triage.workflow.order import best_of, counts_as_worse
from triage.workflow.ratchet import (
    Seen,
    deteriorated,
    leave_palliative,
    raise_to,
    reopen,
    rise,
    take_report,
)
from triage.workflow.treatment import after_treatment


def apply_report(course: Course, report: Reported, *, opening: bool) -> bool:
    """An event with findings or a recheck: raise the tier, run or end the timers.

    Returns whether it shows D1-D3 or D6 in a patient who waits.
    """
    event = report.event
    seen = take_report(course, report)
    if report.recheck is not None:
        course.rechecks.append(
            Recheck(
                report.recheck,
                event.id,
                event.occurred_at,
                event.receipt,
                event.sender.source,
            )
        )
    _watch_callback(course, seen.present, event)
    counts = course.lowering is None or _counts_after_lowering(course, report, seen)
    if course.treated_at is not None and not opening:
        after_treatment(course, report, seen)
        if counts:
            course.unraised.append((seen.tier, seen.rules))
            _watch_timer(course, seen.present, event)
        return False
    if not counts:
        return False
    worsened = deteriorated(report, seen, course.book)
    raise_to(course, seen.tier, seen.rules, event, opening=opening, worsened=worsened)
    _watch_timer(course, seen.present, event)
    return worsened


def _counts_after_lowering(course: Course, report: Reported, seen: Seen) -> bool:
    """Whether the rules count again: something is worse than what the lowering clinician had."""
    lowering = course.lowering
    assert lowering is not None
    if lowering.is_counting:
        return True
    sent = dict(report.reading.values)
    after = report.event.occurred_at > lowering.event.occurred_at
    always = after and (
        report.recheck is not None
        or sent.get("trend") == "worsening"
        or seen.change.lost_walking
        or ("ais" in sent and any(reading.grade_drop for reading in seen.assessments))
    )
    worse = any(
        counts_as_worse(course.book, name, lowering.best.get(name), value)
        for name, value in sent.items()
    )
    lowering.is_counting = always or worse
    for name, value in sent.items():
        lowering.best[name] = best_of(course.book, name, lowering.best.get(name), value)
    return lowering.is_counting


def _watch_timer(course: Course, present: Assessment, event: Event) -> None:
    """TIMER_60: started when first set, never restarted, ended by facts."""
    if not present.timer_60:
        course.timer60_since = None
    elif course.timer60_since is None:
        course.timer60_since = (event.receipt, event.id)


def _watch_callback(course: Course, present: Assessment, event: Event) -> None:
    """The U6 call-back: what was asked for is known also where it changes no tier."""
    if present.u6 and course.callback_since is None:
        course.callback_since = (event.receipt, event.id)
        course.callback_met = None
    elif not present.neuro_unknown and course.callback_since and course.callback_met is None:
        course.callback_met = event.occurred_at


def apply_timer(course: Course, event: Event) -> Verdict:
    """A raise by a timer that our sweep committed: an input of every later fold."""
    rule, about = str(event.data.get("rule")), str(event.data.get("event"))
    if all(name != about for _, name, _ in course.verdicts):
        return Verdict(False, "the timer was of a case that was joined with this one then")
    course.fired[rule, about] = event.occurred_at
    if course.is_closed or course.treated_at is not None:
        return Verdict(False, "the case no longer waits")
    raise_to(course, Tier.EMERGENT, frozenset({rule}), event)
    course.timer60_since = None
    return Verdict(True)


def apply_tier(course: Course, event: Event, report: Reported) -> Verdict:
    """`tier.set.v1`: upward by any named clinician, downward by a consultant or fellow."""
    by = read_actor(event.data.get("by"))
    tier = _settable(event.data.get("tier"))
    if tier is None:
        allowed = ", ".join(SETTABLE_TIERS)
        return _refused(f"data.tier is none of {allowed}")
    if by is None or not by.is_named:
        return _refused("data.by names no person with a role")
    if by.role not in course.book.authority.may.raise_tier:
        return _refused(f"a tier is not set by role {by.role}")
    standing = course.tier or Tier.ROUTINE
    lowers = tier.rank < standing.rank
    problem = _lowering_problem(course, event) if lowers else None
    if problem and course.palliative is None:
        return _refused(problem)
    # Whoever may not lower ends a palliative decision all the same: that takes the case up again.
    if course.is_closed and _reopens(course, report, lowers=lowers and problem is None):
        reopen(course, event)
    if lowers:
        return _lower(course, event, report, tier)
    leave_palliative(course, event)
    seen = _take_examination(course, event, report)
    rules = frozenset({"E6" if tier is Tier.EMERGENT else "SET"})
    if course.treated_at is None:
        _set_upward(course, report, seen, tier, rules)
    else:
        after_treatment(course, report, seen, is_set_emergent=tier is Tier.EMERGENT)
        course.unraised.append(_top_of(course, report, seen, tier, rules))
    course.keep_promise(event)
    return Verdict(True)


def _set_upward(
    course: Course, report: Reported, seen: Seen, tier: Tier, rules: frozenset[str]
) -> None:
    """What was set, or what was found at it where that is worse: one raise."""
    event, by, reason = report.event, read_actor(report.event.data.get("by")), _reason(report.event)
    top, rules = _top_of(course, report, seen, tier, rules)
    worsened = deteriorated(report, seen, course.book)
    if top is not tier:  # raising is nobody's word against what was found
        raise_to(course, top, rules, event, worsened=worsened)
        return
    role = by.role if by else None
    raise_to(course, tier, rules, event, worsened=worsened, by=role, reason=reason)


def _top_of(
    course: Course, report: Reported, seen: Seen, tier: Tier, rules: frozenset[str]
) -> tuple[Tier, frozenset[str]]:
    """The higher of what was set and what was found at it, and the rules that give it."""
    if course.lowering is not None and not _counts_after_lowering(course, report, seen):
        course.timer60_since = None  # what is no worse than at the lowering sets no timer
        return tier, rules
    if seen.tier.rank > tier.rank:
        return seen.tier, seen.rules
    return tier, rules | seen.rules if seen.tier is tier else rules


def _reason(event: Event) -> str | None:
    reason = event.data.get("reason")
    return reason if isinstance(reason, str) else None


def _reopens(course: Course, report: Reported, *, lowers: bool) -> bool:
    """A tier set upward after the closing, or findings that re-open, take the case up again."""
    if not lowers and report.event.occurred_at > course.closed_since:
        return True
    reading = report.reading
    is_found = reading.values or reading.unknown or reading.review
    return bool(is_found) and reopens(course, report)


def _take_examination(course: Course, event: Event, report: Reported) -> Seen:
    """What the clinician found counts as an examination; it ends timers that waited for it."""
    seen = take_report(course, report)
    course.tiers_set.append(event)
    _watch_timer(course, seen.present, event)
    _watch_callback(course, seen.present, event)
    return seen


def _lowering_problem(course: Course, event: Event) -> str | None:
    by, reason = read_actor(event.data.get("by")), event.data.get("reason")
    if by is None or by.role not in course.book.authority.may.lower_tier:
        return "a tier is lowered only by a consultant or fellow"
    if not isinstance(reason, str) or not reason.strip():
        return "a tier is lowered only with a reason"
    return None


def _lower(course: Course, event: Event, report: Reported, tier: Tier) -> Verdict:
    if _lowering_problem(course, event) and leave_palliative(course, event):
        seen = _take_examination(course, event, report)
        raise_to(
            course, seen.tier, seen.rules, event, worsened=deteriorated(report, seen, course.book)
        )
        return Verdict(True, "the palliative decision ends; the findings give a higher tier")
    leave_palliative(course, event)
    _take_examination(course, event, report)
    course.turns.append(event)
    course.lowering = Lowering(event, dict(course.merged.values))
    course.timer60_since = None
    course.emergent_rules = set()
    course.unraised = []
    course.rechecks = [replace(recheck, raises=False) for recheck in course.rechecks]
    by = read_actor(event.data.get("by"))
    reason = str(event.data.get("reason"))
    rise(course, tier, frozenset({"SET"}), event, by.role if by else None, reason)
    course.is_lowered = True
    course.keep_promise(event)
    return Verdict(True)


def _settable(value: object) -> Tier | None:
    text = value.strip().upper() if isinstance(value, str) else ""
    return Tier(text) if text in SETTABLE_TIERS else None


def _refused(reason: str) -> Verdict:
    return Verdict(False, reason, review=reason)
