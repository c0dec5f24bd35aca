"""Answers of named people to pages: coming, decline, hand over, hand back (policy 3.2)."""

from dataclasses import replace
from datetime import datetime

from triage.domain.case import Acknowledgement, Hold, Verdict
from triage.domain.events import Actor, Event, EventType, Side, read_actor
from triage.domain.paging import ACKNOWLEDGEMENT, PageKey, read_page_id
from triage.domain.tiers import Tier
from triage.workflow.course import Course, EndedRun
from triage.workflow.owing import SHIFT_END_RUNG
from triage.workflow.senior_opinion import senior_due
from triage.workflow.terms import hand_over_wait, minutes, promise_default
from triage.workflow.timers import SENT_ON

REVIEW = "review"
ONWARD_PLAN = "onward_plan"
SHIFT = "shift"
SHIFT_RUN = "shift-end:"  # what the name of a run begins with that a shift's end started


def is_about_review(course: Course, event: Event) -> bool:
    """That a page rang, or the answer to a review page: no news, so no further review is asked for.

    Otherwise the page about a referral that is not known would ask for the next one, for ever.
    """
    if event.type is EventType.PAGE_RECEIPT:
        return True
    key = read_page_id(event.data.get("page"))
    if event.type is not EventType.PAGE_ACKNOWLEDGED or key is None:
        return False
    return key.obligation == REVIEW and key.case in {course.case, *course.members}


def acknowledge(course: Course, event: Event) -> Verdict:
    """`page.acknowledged.v1`: what the answer does depends on the page that it names."""
    by, key = read_actor(event.data.get("by")), read_page_id(event.data.get("page"))
    if by is None or not by.is_named:
        return _refused("data.by names no person with a role")
    if key is None or key.case not in {course.case, *course.members}:
        return _refused("data.page is no page of this case")
    answer = event.data.get("answer")
    if answer not in ("coming", "decline", "hand_over", "hand_back"):
        return _refused("data.answer is none of coming, decline, hand_over, hand_back")
    if course.is_closed:
        return Verdict(False, "the case is closed: nobody is paged for it any more")
    if key.obligation == REVIEW and answer == "coming":
        course.reviewed.setdefault(key.run_tag, event.occurred_at)
        return Verdict(True)
    if key.obligation != ACKNOWLEDGEMENT:
        return _hold(course, event, by, key)
    return _answer_ladder(course, event, by, key, str(answer))


def _hold(course: Course, event: Event, by: Actor, key: PageKey) -> Verdict:
    """On another obligation an answer holds that person's repeats for the minutes it promises."""
    if event.data.get("answer") != "coming":
        return Verdict(True, warnings=("noted; the obligation's pages go on",))
    default = promise_default(course.book, course.standing_tier)
    until = event.occurred_at + minutes(event.data.get("minutes"), default)
    course.holds.append(
        Hold(
            obligation=key.obligation,
            run_tag=key.run_tag,
            person=by.identity,
            until=until,
        )
    )
    if course.acknowledgement is None:
        return Verdict(
            True, warnings=("nobody owns the case yet: this page asks for one step only",)
        )
    return Verdict(True)


def _answer_ladder(course: Course, event: Event, by: Actor, key: PageKey, answer: str) -> Verdict:
    run, held = course.run, course.acknowledgement
    if run is None or key.run_tag != run.tag:
        return Verdict(False, "the page belongs to an earlier run; a newer one is waiting")
    if course.treated_at is not None and not run.after_treatment and held is None:
        return Verdict(False, "the patient has been treated: this ladder has ended")
    if answer == "hand_back":
        return _hand_back(course, event)
    if key.rung == SHIFT_END_RUNG and held is not None and answer == "decline":
        return Verdict(True, warnings=("noted; unless somebody accepts, everybody is called",))
    takes_over = key.rung == SHIFT_END_RUNG and held is not None and _may_stop(course, by)
    if held is not None and held.asked is None and answer != "hand_over" and not takes_over:
        return Verdict(False, f"already acknowledged by a {held.by.role}")
    if answer == "decline":
        course.run = replace(run, declines=(*run.declines, (event.received_at, key.rung)))
        return Verdict(True)
    if not _may_stop(course, by):
        course.run = replace(run, hushed=(*run.hushed, (by.identity, key.rung)))
        why = "noted; an EMERGENT ladder is stopped only by a registrar, fellow or consultant"
        return Verdict(True, warnings=(why,))
    return _hand_over(course, event, by) if answer == "hand_over" else _own(course, event, by)


def _may_stop(course: Course, by: Actor) -> bool:
    """Below EMERGENT any named person of the centre may."""
    emergent = ladder_tier(course) is Tier.EMERGENT
    return not emergent or by.role in course.book.authority.may.stop_emergent_ladder


def ladder_tier(course: Course) -> Tier:
    """After treatment every ladder is an EMERGENT one, whatever tier stands for the figures."""
    is_after = course.run is not None and course.run.after_treatment
    return Tier.EMERGENT if is_after else course.standing_tier


def _own(course: Course, event: Event, by: Actor) -> Verdict:
    """`coming`: the person owns the case until the promise ends or is kept."""
    book, tier = course.book, course.standing_tier
    promised = minutes(event.data.get("minutes"), promise_default(book, tier))
    cap = event.occurred_at + book.ladders.promise.cap
    senior = senior_due(course)
    if senior is not None and senior > event.occurred_at:
        cap = senior
    _take(course, event, by, until=min(event.occurred_at + promised, cap))
    return Verdict(True)


def _hand_over(course: Course, event: Event, by: Actor) -> Verdict:
    """The named person is asked; until an answer or the wait's end the giver owns."""
    to = read_actor(event.data.get("to"))
    if to is None or not (to.name or to.person):
        return _refused("data.to names nobody to hand over to")
    wait = hand_over_wait(course.book, ladder_tier(course))
    _take(course, event, by, until=event.received_at + wait, asked=to)
    return Verdict(True)


def _take(
    course: Course, event: Event, by: Actor, *, until: datetime, asked: Actor | None = None
) -> None:
    assert course.run is not None
    held = course.acknowledgement
    course.acknowledgement = Acknowledgement(
        by=by,
        at=event.occurred_at,
        received_at=event.received_at,
        until=max(until, event.received_at),
        event=event.id,
        run=course.run.tag,
        asked=asked,
        stopped_at=held.met_at if held else None,
    )
    if course.first_acknowledged is None:
        course.first_acknowledged = (event.occurred_at, event.id, event.sender.source)


def _hand_back(course: Course, event: Event) -> Verdict:
    if course.acknowledgement is None:
        return Verdict(False, "nobody owns the case: there is nothing to hand back")
    course.start_run(name=event.id, tag_parts=event.key, at=event.receipt, cause="handed back")
    return Verdict(True)


def leave(course: Course, event: Event) -> Verdict:
    """`shift.ended.v1`: the owner's shift is over and nobody took over; everybody is called."""
    held = course.acknowledgement
    if held is None or held.event != event.data.get("event"):
        return Verdict(False, "the case has changed hands")
    is_sent_on = event.data.get("rule") == SENT_ON
    gone = "sent on to another site" if is_sent_on else "owner off shift"
    course.start_run(
        name=f"{SHIFT_RUN}{held.event}",
        tag_parts=("shift-end", held.event, event.occurred_at.isoformat()),
        at=event.occurred_at,
        cause=f"{gone}, not handed over",
    )
    return Verdict(True)


def offer(course: Course, event: Event) -> Verdict:
    """`handover.offered.v1`: the owner asks somebody to take the case, as at a page.

    The giver owns it until the answer, and without one in time the ladder starts again. What is
    not the giver's stays as it is.
    """
    if read_actor(event.data.get("to")) is None:
        return _refused("data.to names nobody")
    if event.sender.side is not Side.CENTRE or event.data.get("leg") == ONWARD_PLAN:
        return Verdict(True)
    held, giver = course.acknowledgement, read_actor(event.data.get("from"))
    if held is None or giver is None or not is_same(giver, held.by):
        return Verdict(True, warnings=("noted; data.from does not own the case: nobody is asked",))
    return _hand_over(course, event, held.by)


def is_same(one: Actor, other: Actor) -> bool:
    """Whether two acts name one person: the roster's id where both have it, else role and name."""
    if one.person and other.person:
        return one.person == other.person
    return one.name is not None and (one.role, one.name) == (other.role, other.name)


def hands_over_a_shift(event: Event) -> bool:
    """Whether the event is about every open case of its giver, not only the one that it names."""
    kinds = (EventType.HANDOVER_OFFERED, EventType.HANDOVER_ACCEPTED)
    is_shift = event.type in kinds and event.data.get("leg") == SHIFT
    return is_shift and event.sender.side is Side.CENTRE


def accept(course: Course, event: Event) -> Verdict:
    """`handover.accepted.v1`: the hospital accepts an onward plan, or a person takes the case."""
    leg, to = event.data.get("leg"), read_actor(event.data.get("to"))
    if leg == ONWARD_PLAN:
        return _accept_plan(course, event)
    if to is None or not to.is_named:
        return _refused("data.to names no person with a role")
    held = course.acknowledgement
    if event.sender.side is not Side.CENTRE or held is None:
        return Verdict(True)
    takes_asked = held.asked is not None and is_same(to, held.asked)
    if not (takes_asked or leg == SHIFT):
        return Verdict(True)
    if not _may_stop(course, to):
        return _refused("an EMERGENT case is owned only by a registrar, fellow or consultant")
    return _own(course, event, to)


def _accept_plan(course: Course, event: Event) -> Verdict:
    if event.sender.side is not Side.HOSPITAL:
        return _refused("an onward plan is accepted by the referring hospital")
    if course.declined is None:
        return Verdict(False, "no declined referral with a plan is waiting to be accepted")
    course.closing = replace(course.declined, received_at=event.received_at)
    course.declined = None
    end_run(course, event)
    return Verdict(True)


def end_run(course: Course, event: Event) -> None:
    """Closing ends the ladder; what was owed before stays visible."""
    if course.run is not None:
        met = course.acknowledgement.met_at if course.acknowledgement else None
        course.ended_runs.append(EndedRun(course.run, met, event.received_at))
    course.run = None
    course.acknowledgement = None


def _refused(reason: str) -> Verdict:
    return Verdict(False, reason, review=reason)
