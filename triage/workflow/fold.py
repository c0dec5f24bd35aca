"""`fold(log, book, now)`: the case that a log amounts to, whatever order it was handled in.

Events count in order of receipt; findings merge in clinical order; nothing here reads a clock.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from triage.domain.authority import opens, refusal
from triage.domain.canary import is_canary
from triage.domain.case import Case, CaseState, Obligation, Verdict
from triage.domain.events import CaseId, Event, EventType, Side
from triage.domain.roster.roster import Roster
from triage.policies.book import PolicyBook
from triage.workflow import closing, joining, joint, milestones, people, tiering
from triage.workflow.causes import with_causes
from triage.workflow.course import Course
from triage.workflow.describing import describe, with_unread
from triage.workflow.merge import report
from triage.workflow.obligations import obligations
from triage.workflow.ratchet import call_decider, reopen
from triage.workflow.result import case_from
from triage.workflow.shift_end import with_shift_end

_REPORTS = frozenset(
    {
        EventType.REFERRAL_SUBMITTED,
        EventType.REFERRAL_UPDATED,
        EventType.NEURO_EXAMINED,
        EventType.IMAGING_REPORTED,
    }
)

_ACTS: dict[EventType, Callable[[Course, Event], Verdict]] = {
    EventType.REFERRAL_CANCELLED: closing.cancel,
    EventType.MILESTONE_REACHED: milestones.record_milestone,
    EventType.MILESTONE_CORRECTED: milestones.correct_milestone,
    EventType.TREATMENT_DECIDED: closing.decide,
    EventType.OPINION_GIVEN: closing.note_opinion,
    EventType.PROCEDURE_RECORDED: closing.note_fact,
    EventType.RADIOTHERAPY_RECORDED: closing.note_fact,
    EventType.OUTCOME_RECORDED: closing.note_fact,
    EventType.CAPACITY_REPORTED: closing.note_fact,
    EventType.PAGE_ACKNOWLEDGED: people.acknowledge,
    EventType.PAGE_RECEIPT: closing.note_fact,
    EventType.HANDOVER_OFFERED: people.offer,
    EventType.HANDOVER_ACCEPTED: people.accept,
    EventType.CASES_JOINED: joining.join,
    EventType.CASES_PARTED: joining.part,
    EventType.CASE_CLOSED: closing.close,
    EventType.TIMER_RAISED: tiering.apply_timer,
    EventType.SHIFT_ENDED: people.leave,
}

_TURNS = frozenset({EventType.TIER_SET, EventType.TREATMENT_DECIDED})  # may change what is owed

_REFERRAL_MISSING = "the referral itself has not come yet: send referral.submitted.v1"


_Parts = dict[tuple[CaseId, tuple[tuple[str, str, str], ...]], Course]  # by case and log


@dataclass(frozen=True, slots=True)
class Followed:
    """A case's course up to the last event of its log (`events`: each once, in receipt order).

    The course in it is never changed: `further`, and `seen_at` where time has changed it, work on
    copies. So what it owes is worked out once for each set of standing rules, which is all of it
    that depends on the instant (`owed`).
    """

    course: Course
    events: tuple[Event, ...]
    roster: Roster
    owed: dict[tuple[str, ...], tuple[Obligation, ...]] = field(default_factory=dict, compare=False)


def fold(
    case: CaseId, log: Iterable[Event], book: PolicyBook, now: datetime, roster: Roster
) -> Case:
    """The case at `now`. An event that is there twice counts once, at its earliest receipt.

    The roster gives the receiving site's hours, in which some deadlines are counted, and says
    until when the owner is on duty.

    Raises nothing on any log of events that `read_event` could read.
    """
    return seen_at(follow(case, log, book, roster), now)


def follow(case: CaseId, log: Iterable[Event], book: PolicyBook, roster: Roster) -> Followed:
    """The course of a whole log, to be looked at, at any instant, or gone on from."""
    return _lived(Course(case, book), (), in_receipt_order(log), roster)


def further(before: Followed, new: Iterable[Event]) -> Followed:
    """As `follow` of the log with the new events; only they are worked through where that gives
    the same: in an opened case, where all are new and were received after the others.
    """
    rest = in_receipt_order(new)
    if not rest:
        return before
    course = before.course
    is_later = bool(before.events) and before.events[-1].receipt_order < rest[0].receipt_order
    is_new = all(event.key not in course.verdicts for event in rest)
    if course.opened_by is not None and is_later and is_new:
        return _lived(course.copy(), before.events, rest, before.roster)
    return follow(course.case, [*before.events, *rest], course.book, before.roster)


def seen_at(followed: Followed, now: datetime) -> Case:
    """What people see at `now`, which is not before the last event."""
    course = followed.course
    if course.lapses(now):
        return _look(course.copy(), followed.events, now, followed.roster, {})
    return _look(course, followed.events, now, followed.roster, followed.owed)


def _lived(
    course: Course,
    past: tuple[Event, ...],
    rest: Sequence[Event],
    roster: Roster,
    parts: _Parts | None = None,
) -> Followed:
    events, parts = (*past, *rest), {} if parts is None else parts
    course.notices |= _conflicts(past, rest)
    # Pages of every case in this log are its own, joined or not any more.
    others = {each.case: False for each in rest if each.case != course.case}
    course.members = others | course.members
    is_known = course.opened_by is not None or any(_opens(event) for event in rest)
    for place, event in enumerate(rest, start=len(past)):
        course.advance(event.received_at)
        before = course.copy() if event.type in _TURNS else None
        verdict = _apply(course, event, is_known)
        if event.type is EventType.CASES_JOINED and verdict.effect:
            joint.unite(course, _joined(course, event, events[:place], roster, parts), event)
        if before is not None and len(course.turns) > len(before.turns):
            course.missed = _missed(before, event, events[:place], roster)
        if course.opened_by is not None:  # what comes before the referral is of no tier yet
            course.note_tier(event.received_at)
        course.verdicts[event.key] = verdict
        if verdict.review:
            course.ask_review(verdict.review, event)
    return Followed(course, events, roster)


def _joined(
    course: Course, event: Event, earlier: Sequence[Event], roster: Roster, parts: _Parts
) -> list[Course]:
    """The cases that it joins as each was until then, the first received first.

    Each may have been joined before: one log is followed once (`parts`), or the work would double
    with every joining.
    """
    found = []
    for case, log in joining.logs_before(event, earlier):
        key = case, tuple(each.key for each in log)
        if key not in parts:
            alone = Course(case, course.book)
            parts[key] = _lived(alone, (), in_receipt_order(log), roster, parts).course
        one = parts[key].copy()
        one.advance(event.received_at)
        found += [(one.received_at, case, one)] if one.received_at is not None else []
    return [one for _, _, one in sorted(found, key=lambda each: each[:2])]


def _look(
    course: Course,
    events: Sequence[Event],
    now: datetime,
    roster: Roster,
    owed: dict[tuple[str, ...], tuple[Obligation, ...]],
) -> Case:
    """`owed` is what this course owes, by standing rules, as far as it was asked for."""
    course.advance(now)
    found = case_from(course, events, now)
    if is_canary(found.referral):  # no case of anybody's: in no list, on no ladder, under no clock
        return replace(found, state=CaseState.UNOPENED, run=None, timers=())
    site, notice = roster.site_for(found.destination)
    notices = tuple(sorted({*found.notices, notice})) if notice else found.notices
    if found.rules not in owed:
        asked = obligations(course, found, roster.sites[site])
        owed[found.rules] = with_causes(asked, course)
    return with_shift_end(found.owing(owed[found.rules], notices), course.book, roster)


def _missed(
    before: Course, turn: Event, earlier: Sequence[Event], roster: Roster
) -> tuple[Obligation, ...]:
    """What was breached when a decision or a set tier turned the case; `before` is used up."""
    if not earlier:
        return ()
    at = turn.received_at
    if before.opened_by is None:  # acts before the referral, which alone would count for nothing
        then = fold(before.case, earlier, before.book, at, roster)
    else:
        then = _look(before, earlier, at, roster, {})
    return tuple(
        replace(each, closed_at=at) if each.is_open else each
        for each in then.obligations
        if each.breached_at(at)
    )


def in_receipt_order(log: Iterable[Event]) -> Sequence[Event]:
    """Each event once, at its earliest receipt, in order of receipt.

    Our own notes of ordered pages tell nothing about the patient and are left out.
    """
    earliest: dict[tuple[str, str, str], Event] = {}
    for event in log:
        if event.type is EventType.PAGES_ORDERED:
            continue
        other = earliest.get(event.key)
        if other is None or event.receipt_order < other.receipt_order:
            earliest[event.key] = event
    return sorted(earliest.values(), key=lambda event: event.receipt_order)


def _conflicts(past: Sequence[Event], rest: Sequence[Event]) -> set[str]:
    """Same source and id with other content: both stand, and people are told. Among the `past`
    it has been told already."""
    new = {each.id for each in rest}
    told = (*(each for each in past if each.id in new), *rest)
    names = [(each.source, each.id) for each in told if each.sender.side is not Side.OURSELVES]
    return {"CONFLICT"} if len({*names}) < len(names) else set()


def _opens(event: Event) -> bool:
    return refusal(event) is None and opens(event)


def _apply(course: Course, event: Event, is_known: bool) -> Verdict:
    why_not = refusal(event)
    if why_not is not None:
        return Verdict(False, why_not, review=why_not)
    if not (is_known or people.is_about_review(course, event)):
        if event.type in joining.JOINT:  # whom it belongs with counts from the first event on
            _ACTS[event.type](course, event)
        return Verdict(
            False,
            "no such referral yet; kept, and it takes effect if the referral comes",
            review="an act for a referral that is not known",
        )
    _note_marks(course, event)
    if course.opened_by is None and opens(event):
        return _open(course, event)
    if event.type is EventType.TIER_SET:
        reported = report(event, course.book)
        verdict = tiering.apply_tier(course, event, reported)
        return with_unread(verdict, reported) if verdict.effect else verdict
    if event.type in _REPORTS:
        return _report(course, event)
    return _ACTS[event.type](course, event)


def _note_marks(course: Course, event: Event) -> None:
    course.notices.update(event.marks)
    if event.sender.side is Side.HOSPITAL and not event.sender.is_registered:
        course.notices.add("source_unregistered")


def _open(course: Course, event: Event) -> Verdict:
    """The first event that opens: whatever it holds is classified, blank as it may be."""
    course.opened_by = event
    course.received_at = event.receipt
    reported = report(event, course.book)
    worsened = tiering.apply_report(course, reported, opening=True)
    course.start_run(name=event.id, tag_parts=event.key, at=event.receipt, cause="new referral")
    if worsened and course.palliative is not None:  # whoever decided did not know of this
        call_decider(course)
    course.restart(event.receipt, event.id)
    if course.is_closed and closing.reopens(course, reported):
        course.closing = None
    if event.type in _REPORTS:
        verdict = describe(course, event, reported)
    else:
        verdict = _ACTS[event.type](course, event)
    if course.is_submitted:
        return verdict
    return replace(verdict, warnings=(*verdict.warnings, _REFERRAL_MISSING))


def _report(course: Course, event: Event) -> Verdict:
    reported = report(event, course.book)
    carries = reported.carries
    asks = event.type is EventType.REFERRAL_SUBMITTED
    if (carries or asks) and closing.reopens(course, reported):
        reopen(course, event)
        tiering.apply_report(course, reported, opening=False)
    elif carries or (asks and not course.is_submitted):
        tiering.apply_report(course, reported, opening=False)
    return describe(course, event, reported)
