"""The frozen case made from a finished course."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from triage.domain.case import Case, CaseState, MilestoneEntry, Timer
from triage.domain.events import Event
from triage.domain.tiers import Tier
from triage.policies.classify import Assessment
from triage.workflow.course import Course
from triage.workflow.milestone_entries import corrected_entries, standing
from triage.workflow.terms import timer_wait

# Rules that no findings give: a human or a timer did.
NO_FINDINGS = frozenset({"E6", "TIMER_60", "D7", "SET"})


def case_from(course: Course, events: Sequence[Event], now: datetime) -> Case:
    """What people see at `now`; obligations are added by `with_obligations`."""
    present = course.merged.assess(course.book, now)
    rules, held = standing_rules(course, present)
    first = course.opened_by or events[0]
    # A joining may name a case that nothing has opened yet: whose referral it is, is not known.
    referral = first.referral if first.case == course.case or course.opened_by else ""
    latest = course.history[-1] if course.history else None
    flags = set(present.flags) | (course.notices & {"CONFLICT"})
    decision = _decision(course)
    return Case(
        id=course.case,
        referral=referral,
        hospital=referral.split("/", 1)[0],
        state=_state(course),
        tier=course.standing_tier,
        is_held=held,
        rules=rules,
        all_rules=tuple(sorted({*present.all_rules, *rules})),
        flags=tuple(sorted(flags)),
        notices=_notices(course),
        unread=_unread(course),
        assumed=present.assumed,
        reasons=_reasons(course, present, rules, held),
        policy=course.book.version,
        tier_since=latest.at if latest else first.received_at,
        tier_event=latest.event if latest else first.id,
        tier_history=tuple(course.history),
        opened_at=course.received_at or first.receipt,
        closed_at=course.closing.received_at if course.closing else None,
        close_reason=course.closing.reason if course.closing else None,
        as_of=now,
        destinations=tuple(course.destinations),
        callback=course.callback,
        owner=course.acknowledgement.by if course.acknowledgement else None,
        acknowledgement=course.acknowledgement,
        run=course.run,
        findings=course.merged.given,
        milestones=_milestones(course),
        milestone_entries=tuple(corrected_entries(course.entries, course.corrections)),
        obligations=(),
        timers=_timers(course),
        holds=tuple(course.holds),
        decision=decision[0],
        decision_at=decision[1],
        treated_at=course.treated_at,
        is_palliative=course.palliative is not None,
        joined=tuple(sorted(case for case, joined in course.members.items() if joined)),
        verdicts=course.verdicts,
    )


def standing_rules(course: Course, present: Assessment) -> tuple[tuple[str, ...], bool]:
    """The rules behind the standing tier, and whether present findings alone would not give it."""
    if course.palliative is not None:
        return ("PM1",), False
    if course.tier is None:
        return present.rules, False
    if course.is_lowered:
        return ("SET",), present.tier.rank < course.tier.rank
    if present.tier.rank < course.tier.rank:
        return tuple(sorted(course.given_rules)), True
    if present.tier is course.tier:
        return tuple(sorted({*present.rules, *(course.given_rules & NO_FINDINGS)})), False
    return tuple(sorted(course.given_rules)), False


def _reasons(
    course: Course, present: Assessment, rules: tuple[str, ...], held: bool
) -> tuple[str, ...]:
    if not held and rules == present.rules:
        return present.reasons
    latest = course.history[-1] if course.history else None
    because = [
        f"{course.book.because(rule)} ({rule})." for rule in rules if rule not in present.rules
    ]
    kept = present.reasons if present.tier is course.tier and not course.is_lowered else ()
    held_word = (f"Held since event {latest.event}.",) if held and latest else ()
    return (*kept, *because, *held_word)


def _state(course: Course) -> CaseState:
    if course.opened_by is None:
        return CaseState.UNOPENED
    if course.is_closed:
        return CaseState.CLOSED
    if course.cancellation is not None:
        return CaseState.CANCELLATION_ASKED
    return CaseState.OPEN if course.is_submitted else CaseState.PROVISIONAL


def _unread(course: Course) -> tuple[str, ...]:
    """Paths that were not understood and whose field no later message has made readable."""
    paths = {
        path: report.event.occurred_at
        for report in course.reports
        for path in report.reading.unread
    }
    known = course.merged.given
    return tuple(sorted(p for p, at in paths.items() if p not in known or known[p].at < at))


def _notices(course: Course) -> tuple[str, ...]:
    missing = course.opened_by is not None and not course.is_submitted
    return tuple(sorted(course.notices | ({"referral_missing"} if missing else set())))


def _milestones(course: Course) -> dict[str, MilestoneEntry]:
    found = standing(course.entries, course.corrections)
    if course.opened_by is not None and course.received_at is not None:
        opener = course.opened_by
        found["referral_received"] = _ours("referral_received", course.received_at, opener)
    if course.first_acknowledged is not None:
        at, event, source = course.first_acknowledged
        found["acknowledged"] = MilestoneEntry(
            name="acknowledged",
            at=at,
            event=event,
            source=source,
            recorded_by=source,
            side="O",
            received_at=at,
        )
    return found


def _ours(name: str, at: datetime, event: Event) -> MilestoneEntry:
    return MilestoneEntry(
        name=name,
        at=at,
        event=event.id,
        source=event.source,
        recorded_by=event.sender.source,
        side="O",
        received_at=at,
    )


def _decision(course: Course) -> tuple[str | None, datetime | None]:
    """The treatment that stands, and since when: the latest decision in clinical order."""
    final = max(course.final_decisions, key=lambda event: event.clinical_order, default=None)
    return (str(final.data["treatment"]), final.occurred_at) if final else (None, None)


def _timers(course: Course) -> tuple[Timer, ...]:
    if course.is_closed or course.palliative is not None or course.treated_at is not None:
        return ()
    timers = []
    if course.timer60_since is not None and course.tier is Tier.URGENT:
        timers.append(_timer(course, "TIMER_60", *course.timer60_since))
    timers += [
        _timer(course, "D7", recheck.received_at, recheck.event)
        for recheck in course.rechecks
        if recheck.kind == "motor_loss"
        and recheck.raises
        and not _examined_since(course, recheck.occurred_at)
    ]
    return tuple(timer for timer in timers if not _has_fired(course, timer))


def _has_fired(course: Course, timer: Timer) -> bool:
    """Also where a duplicate has since shown that it was due earlier."""
    fired = course.fired.get((timer.rule, timer.event))
    return fired is not None and fired >= timer.due_at


def _timer(course: Course, rule: str, since: datetime, event: str) -> Timer:
    wait: timedelta = timer_wait(course.book, rule)
    return Timer(rule=rule, started_at=since, due_at=since + wait, event=event)


def _examined_since(course: Course, instant: datetime) -> bool:
    return any(r.is_examination and r.event.occurred_at > instant for r in course.reports)
