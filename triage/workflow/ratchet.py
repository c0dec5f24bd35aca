"""The ratchet: each report is read twice, the higher reading counts, and it never falls by itself.

In order of receipt: as it would have been seen in time, and with everything received so far
(clinical-policy.md 3).
"""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from triage.domain.case import TierChange
from triage.domain.events import Event, EventType
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.policies.classify import Assessment
from triage.policies.derive import has_sphincter_sign
from triage.workflow.course import Course
from triage.workflow.merge import Change, Merged, Reported, merge
from triage.workflow.order import is_worse, rank

_SPHINCTER = frozenset({"bladder", "saddle_sensation", "pvr_ml"})


class Seen(NamedTuple):
    """Both readings of one report, and what it changed clinically."""

    tier: Tier
    rules: frozenset[str]
    present: Assessment
    change: Change
    news: frozenset[str]  # fields that are worse than, or first known beside, what was known
    assessments: tuple[Assessment, ...]


def take_report(course: Course, report: Reported) -> Seen:
    """Merge a report into what is known and classify it both ways."""
    course.reports.append(report)
    before = course.merged
    in_order = before.last is None or before.last.clinical_order < report.event.clinical_order
    if in_order:
        course.merged = before.extend(report, course.book)
        present = course.merged.assess(course.book, report.event.occurred_at)
        readings: tuple[Assessment, ...] = (present,)
        change = course.merged.change
    else:
        course.merged = merge(course.reports, course.book)
        then = _as_seen_in_time(course, report)
        present = course.merged.assess(course.book, latest_occurred(course))
        readings = (then.assess(course.book, report.event.occurred_at), present)
        change = _merged_up_to(course, report).change
    top = max(readings, key=lambda reading: reading.tier.rank).tier
    rules = frozenset(rule for reading in readings if reading.tier is top for rule in reading.rules)
    return Seen(top, rules, present, change, _news(before, report, course.book), readings)


def _news(before: Merged, report: Reported, book: PolicyBook) -> frozenset[str]:
    """What a late message says of the time before is no news where worse is known already."""
    known = {name: before.compared(name, book) for name in report.reading.values}
    return frozenset(
        name
        for name, value in report.reading.values.items()
        if rank(book, name, known[name]) is None or is_worse(book, name, known[name], value)
    )


def _as_seen_in_time(course: Course, report: Reported) -> Merged:
    """What had occurred up to it; of one instant all is known together."""
    upto = report.event.occurred_at
    return merge((r for r in course.reports if r.event.occurred_at <= upto), course.book)


def _merged_up_to(course: Course, report: Reported) -> Merged:
    """With this report as the last one in clinical order: what it changed."""
    upto = report.event.clinical_order
    return merge((r for r in course.reports if r.event.clinical_order <= upto), course.book)


def latest_occurred(course: Course) -> datetime:
    return max(report.event.occurred_at for report in course.reports)


def raise_to(
    course: Course,
    tier: Tier,
    rules: frozenset[str],
    event: Event,
    *,
    opening: bool = False,
    worsened: bool = False,
    by: str | None = None,
    reason: str | None = None,
) -> None:
    """Ratchet: a higher tier starts a new run; a new EMERGENT reason on an owned case does too."""
    standing = course.tier
    new_rules = rules - course.emergent_rules if tier is Tier.EMERGENT else frozenset()
    if tier is Tier.EMERGENT:
        course.emergent_rules |= rules
        course.ever_emergent = True
    if standing is None or tier.rank > standing.rank:
        course.declined = None  # a calmer patient was declined: that plan is not for this one
        rise(course, tier, rules, event, by, reason)
        if not opening and course.palliative is None:
            risen = f"raised from {standing} to {tier}" if standing else f"raised to {tier}"
            _new_run(course, event, risen)
        elif not opening and worsened:
            _page_palliative(course, event)
        return
    if tier is standing and not course.is_lowered:
        course.given_rules |= rules
    if course.palliative is not None:  # no tier rises under it; only what is worse is news
        if worsened:
            _page_palliative(course, event)
    elif standing is Tier.EMERGENT and course.acknowledgement and (new_rules or worsened):
        _new_run(course, event, _what_is_new(course, new_rules))
    elif new_rules:
        _tell_the_consultant(course, event)


def _tell_the_consultant(course: Course, event: Event) -> None:
    """A timer that raises pages the consultant at once, also where a promise that lapsed when it
    ran out (`occurred_at`; we may have found it later) has begun the run already."""
    run, is_timer = course.run, event.type is EventType.TIMER_RAISED
    if is_timer and run is not None and run.started_at >= event.occurred_at:
        course.run = replace(run, by_timer=True)


def _what_is_new(course: Course, rules: frozenset[str]) -> str:
    """The difference for people who have been told already, in words without patient detail."""
    classes = sorted({course.book.rule_class(rule) for rule in rules} - {""})
    cause = "worse since it was acknowledged"
    return f"{cause}: {', '.join(classes)}" if classes else cause


def rise(
    course: Course,
    tier: Tier,
    rules: frozenset[str],
    event: Event,
    by: str | None,
    reason: str | None,
) -> None:
    course.tier = tier
    course.given_rules = set(rules)
    course.is_lowered = False
    course.history.append(
        TierChange(
            tier=tier,
            at=event.received_at,
            event=event.id,
            rules=tuple(sorted(rules)),
            by=by,
            reason=reason,
        )
    )


def _new_run(course: Course, event: Event, cause: str) -> None:
    raised = cause.startswith("raised") or course.run is None
    course.start_run(
        name=event.id,
        tag_parts=event.key,
        at=event.receipt,
        cause=cause,
        by_timer=event.type is EventType.TIMER_RAISED,
        page_owner=course.standing_tier is Tier.EMERGENT,
    )
    if raised:
        course.restart(event.receipt, event.id)


def _page_palliative(course: Course, event: Event) -> None:
    """PM1: a new D1-D3 event pages the consultant who decided again; the tier stays."""
    course.start_run(
        name=event.id,
        tag_parts=event.key,
        at=event.receipt,
        cause="worse under a palliative decision",
    )
    call_decider(course)


def call_decider(course: Course) -> None:
    """The run that has just begun pages the consultant who decided, too."""
    if course.run is not None and course.palliative_by is not None:
        course.run = replace(
            course.run, also_person=course.palliative_by, also_roles=("consultant",)
        )


def leave_palliative(course: Course, event: Event) -> bool:
    """A palliative decision ends: all findings count again, and their tier is paged anew."""
    if course.palliative is None:
        return False
    course.palliative = course.palliative_by = None
    course.turns.append(event)
    if course.tier is None:
        return True  # nothing has opened it yet: no tier stands, and nobody is paged
    course.history.append(
        TierChange(
            tier=course.tier,
            at=event.received_at,
            event=event.id,
            rules=tuple(sorted(course.given_rules)),
        )
    )
    is_emergent = course.tier is Tier.EMERGENT
    _restart(course, event, f"palliative decision ended: {course.tier}", page_owner=is_emergent)
    return True


def reopen(course: Course, event: Event) -> None:
    """A closed case waits again, with a new ladder run."""
    if course.closing is not None and course.restarts:
        course.restarts[-1].closed_at = course.closing.received_at
    course.closing = None
    course.cancellation = None
    # The closing ended the timers; what still sets TIMER_60 sets it anew.
    course.timer60_since = None
    course.rechecks = [replace(recheck, raises=False) for recheck in course.rechecks]
    _restart(course, event, "re-opened by new findings")


def _restart(course: Course, event: Event, cause: str, *, page_owner: bool = False) -> None:
    course.start_run(
        name=event.id, tag_parts=event.key, at=event.receipt, cause=cause, page_owner=page_owner
    )
    course.restart(event.receipt, event.id)


def deteriorated(report: Reported, seen: Seen, book: PolicyBook) -> bool:
    """D1-D3 and D6: a grade or walking category lost, a new sphincter sign, breathing."""
    change, sent, news = seen.change, report.reading.values, seen.news
    if change.worse & news & {"ais", "walking"}:
        return True
    # Worse or first known, it is a change only where it is a sign: a first `normal` is none.
    changed = (change.worse | change.first) & news & _SPHINCTER
    if any(has_sphincter_sign({name: sent[name]}, book) for name in changed):
        return True
    breathes = (change.worse | change.first) & news & {"respiratory"}
    return sent.get("respiratory") == "compromised" and bool(breathes)
