"""Answers to pages (policy 3.2, acknowledging)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.second_opinion.case_chart import MINUTE, Answer, Chart, Run
from tests.second_opinion.case_restarts import senior_opinion
from tests.second_opinion.case_runs import ladder_tier, start_run
from tests.second_opinion.case_senders import STOPPERS, by_of
from triage.domain.events import Actor, Event, Side

ACK = "acknowledgement"
SHIFT_END = 98  # the rung of a page about a shift's end: its successor takes over by answering


@dataclass(frozen=True)
class PageOf:
    """What a page was about: its obligation, the event or the instant that started its run (for a
    review the event that is to be looked at), its rung counted from 1, and its role."""

    obligation: str
    starter: tuple[str, str, str] | None
    start: datetime
    rung: int
    role: str


ReadPage = Callable[[object], PageOf | None]


def take_answer(chart: Chart, event: Event, read_page: ReadPage) -> bool:
    """Whether it had an effect: 'only an acknowledgement by a named person stops a ladder'."""
    by, page = by_of(event.data), read_page(event.data.get("page"))
    answer = event.data.get("answer")
    if by is None or page is None or answer not in ("coming", "decline", "hand_over", "hand_back"):
        return False
    if chart.closing is not None:
        return False  # 'A closed case pages no further.'
    if page.obligation != ACK:
        return take_other(chart, event, page, by, str(answer))
    run = chart.run
    if run is None or run.ended is not None or not is_page_of(page, run):
        return False  # 'acknowledging an old run'
    is_owned = run.answer is not None and run.answer.asked is None
    if page.rung == SHIFT_END and is_owned and answer == "decline":
        return True  # decision 12: 'A refusal changes nothing.'
    if answer == "coming":
        return coming(chart, run, event, by, takes_over=page.rung == SHIFT_END)
    if answer == "decline":
        run.declined.append((event.received_at, page.rung))
        return True
    if answer == "hand_over":
        return hand_over(chart, run, event, by)
    return hand_back(chart, run, event, by)


def is_page_of(page: PageOf, run: Run) -> bool:
    if run.starter is not None:
        return page.starter == run.starter.key
    return page.starter is None and page.start == run.start


def may_stop(chart: Chart, run: Run, by: Actor) -> bool:
    """'An EMERGENT ladder is stopped only by a registrar, fellow or consultant'"""
    return ladder_tier(chart, run) != "EMERGENT" or by.role in STOPPERS


def coming(chart: Chart, run: Run, event: Event, by: Actor, *, takes_over: bool) -> bool:
    """'another person's answer stops the repeats to that person'"""
    if not may_stop(chart, run, by):
        run.quiet.append(by)
        return True
    if run.answer is not None and run.answer.asked is None and not takes_over:
        return False  # somebody has it
    run.answer = Answer(by, event.received_at, event.occurred_at, promise(chart, run, event))
    run.first_answer = run.first_answer or run.answer
    return True


def promise(chart: Chart, run: Run, event: Event) -> datetime:
    """'`coming` holds for its `minutes`, counted from its occurred instant (absent: 15 for
    EMERGENT, 60 below), capped by the senior-opinion deadline only while that is ahead and not
    met, else by 15.'"""
    is_emergent = ladder_tier(chart, run) == "EMERGENT"
    minutes = event.data.get("minutes")
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes <= 0:
        minutes = 15 if is_emergent else 60
    at = event.occurred_at
    ahead = [each.due for each in senior_opinion(chart) if each.is_open and each.due > at]
    return min(at + timedelta(minutes=minutes), min(ahead, default=at + 15 * MINUTE))


def hand_over(chart: Chart, run: Run, event: Event, by: Actor) -> bool:
    """'asks the named person, who has 5 minutes (EMERGENT; 30 below); until then the giver owns,
    and no answer starts a new run.'"""
    to = by_of(event.data, "to")
    if to is None:
        return False
    if not may_stop(chart, run, by):
        run.quiet.append(by)
        return True
    ask(chart, run, event, by, to)
    return True


def ask(chart: Chart, run: Run, event: Event, by: Actor, to: Actor) -> None:
    minutes = 5 if ladder_tier(chart, run) == "EMERGENT" else 30
    until = event.received_at + minutes * MINUTE  # that person learns of it at the receipt
    run.answer = Answer(by, event.received_at, event.occurred_at, until, asked=to)
    run.first_answer = run.first_answer or run.answer


def offer(chart: Chart, event: Event) -> bool:
    """`handover.offered.v1`, 'from', 'to': what the owner offers is handed over as at a page; what
    somebody else offers asks nobody. An `onward_plan` is the hospital's to accept."""
    run, giver, to = chart.run, by_of(event.data, "from"), by_of(event.data, "to")
    if to is None:
        return False
    if event.data.get("leg") == "onward_plan" or event.sender.side is not Side.CENTRE:
        return True
    if run is None or run.ended is not None or run.answer is None or giver is None:
        return True
    if is_same_person(giver, run.answer.owner):
        ask(chart, run, event, run.answer.owner, to)
    return True


def accept_person(chart: Chart, event: Event) -> bool:
    """`handover.accepted.v1`, 'leg (a leg's name, `shift`, ...)': whoever was asked, or takes over
    the shift, owns the case if they may stop its ladder."""
    run, to, leg = chart.run, by_of(event.data, "to"), event.data.get("leg")
    if leg == "onward_plan" or event.sender.side is not Side.CENTRE:
        return True
    if to is None:
        return False
    if run is None or run.ended is not None or run.answer is None:
        return True
    if leg != "shift" and not is_same_person(to, run.answer.asked):
        return True
    if not may_stop(chart, run, to):
        return False
    run.answer = Answer(to, event.received_at, event.occurred_at, promise(chart, run, event))
    return True


def is_same_person(one: Actor, other: Actor | None) -> bool:
    if other is None:
        return False
    if one.person and other.person:
        return one.person == other.person
    return (one.role, one.name) == (other.role, other.name)


def hand_back(chart: Chart, run: Run, event: Event, by: Actor) -> bool:
    """'`hand_back` starts a new run at once'"""
    if run.answer is None:
        return False
    start_run(chart, event.receipt, event, tells_owner=True)
    return True


def lapses_at(run: Run | None) -> datetime | None:
    """'When they are over and no centre milestone, examination or decision has been recorded
    since, the acknowledgement lapses: a new run.'"""
    if run is None or run.answer is None or run.ended is not None:
        return None
    if run.answer.is_kept and run.answer.asked is None:
        return None
    return max(run.answer.until, run.answer.received)


def keep_promise(chart: Chart, event: Event) -> None:
    """Something was recorded since; what is received with the answer was not."""
    if chart.run is None or chart.run.answer is None:
        return
    if event.received_at > chart.run.answer.received:
        chart.run.answer = replace(chart.run.answer, is_kept=True)


def take_other(chart: Chart, event: Event, page: PageOf, by: Actor, answer: str) -> bool:
    """'on another obligation it holds that person's repeats for its `minutes`'; a review is met by
    whoever looks at it."""
    if page.obligation == "review" and page.starter is not None and answer == "coming":
        chart.review_answers.setdefault(page.starter, event.occurred_at)
    elif answer == "coming":
        until = promise_elsewhere(chart, event)
        chart.holds.append((page.obligation, page.start, until, by))
    return True


def promise_elsewhere(chart: Chart, event: Event) -> datetime:
    minutes = event.data.get("minutes")
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes <= 0:
        minutes = 15 if chart.shown_tier == "EMERGENT" else 60
    return event.occurred_at + timedelta(minutes=minutes)
