"""The log from its first event to its last, with the timers that ran out between them."""

from collections.abc import Iterable
from datetime import datetime

from tests.second_opinion.case_answers import (
    ReadPage,
    keep_promise,
    lapses_at,
    take_answer,
)
from tests.second_opinion.case_chart import HOUR, RANK, Chart, Milestone, Start, is_higher
from tests.second_opinion.case_closing import accept_plan, cancel, reopen_by, take_closing
from tests.second_opinion.case_hours import Hours
from tests.second_opinion.case_owes import owed
from tests.second_opinion.case_reports import Report, report_of
from tests.second_opinion.case_runs import end_run, note_due, start_run
from tests.second_opinion.case_senders import (
    CENTRE_OPENS,
    CONSULTANTS,
    NO_CLINICIANS,
    SENIORS,
    by_of,
    may_record,
    may_send,
)
from tests.second_opinion.case_tier import (
    Set,
    lower,
    overdue_recheck,
    raise_run,
    recheck_of,
    take_findings,
    timer_raises,
)
from triage.domain.events import Event, EventType, Side
from triage.domain.instants import parse_instant

T = EventType
REPORTS = (T.REFERRAL_SUBMITTED, T.REFERRAL_UPDATED, T.NEURO_EXAMINED, T.IMAGING_REPORTED)
PALLIATIVE_CODES = ("wishes", "prognosis", "no_benefit")


def walk(events: Iterable[Event], now: datetime, read_page: ReadPage, hours: Hours) -> Chart:
    """The chart at `now`; events received later are not known yet, timer rows are not read."""
    chart = Chart()
    for event in once_each(events, now):
        run_timers(chart, event.received_at, hours)
        before = breaches(chart, event.received_at)
        turn = turns(chart)
        chart.heard = event.received_at
        step(chart, event, read_page)
        if turns(chart) != turn:
            chart.breaches += before
        note_tier(chart, event.received_at)
        note_due(chart, hours)
    run_timers(chart, now, hours)
    return chart


def once_each(events: Iterable[Event], now: datetime) -> list[Event]:
    """'a duplicate keeps its earliest receipt'"""
    first: dict[tuple[str, str, str], Event] = {}
    for event in events:
        if event.received_at > now or event.type is T.TIMER_RAISED:
            continue
        if event.key not in first or event.received_at < first[event.key].received_at:
            first[event.key] = event
    return sorted(first.values(), key=lambda each: each.receipt_order)


def run_timers(chart: Chart, until: datetime, hours: Hours) -> None:
    """Everything that runs out up to `until`, in its order."""
    while True:
        due = [each for each in timers(chart) if each[0] <= until]
        if not due:
            return
        at, _ = min(due)
        for what in sorted({each for when, each in due if when == at}):
            run_out(chart, at, max(at, chart.heard), what)
        note_tier(chart, max(at, chart.heard))
        note_due(chart, hours)


def note_tier(chart: Chart, received: datetime) -> None:
    """Remember which tier came to stand when."""
    tier = chart.shown_tier or ""
    if chart.restarts:
        chart.restarts[-1].tier = tier
    if not chart.tiers or chart.tiers[-1][1] != tier:
        chart.tiers.append((received, tier))


def breaches(chart: Chart, at: datetime) -> list[tuple[str, datetime, datetime]]:
    """'a breach that has happened stays a breach'"""
    return [(each.name, each.start, each.due) for each in owed(chart, at) if each.is_missed(at)]


def turns(chart: Chart) -> tuple[object, ...]:
    """A lower tier or another decision takes obligations off the list."""
    return len(chart.decisions), chart.lowering and chart.lowering.event, chart.palliative


def run_out(chart: Chart, at: datetime, found: datetime, what: str) -> None:
    """A timer that a re-opening brings back is found past due, at that event's receipt."""
    if what != "promise":
        timer_raises(chart, found, what)
    elif lapses_at(chart.run) == at:  # no timer has started another run at that instant
        start_run(chart, at, None, tells_owner=True)


def timers(chart: Chart) -> list[tuple[datetime, str]]:
    """'While it stands, rules (E6 apart) and timers do not change the tier'; the same after
    treatment, and on a closed case."""
    if chart.closing is not None or chart.opener is None:
        return []
    found = []
    lapse = lapses_at(chart.run)
    if lapse is not None and (chart.treated_at is None or chart.runs[-1].is_deterioration):
        found.append((lapse, "promise"))
    if chart.palliative is not None or chart.treated_at is not None:
        return found
    if chart.timer is not None:
        found.append((chart.timer + HOUR, "TIMER_60"))
    for each in chart.rechecks:
        at = overdue_recheck(chart, each)
        if at is not None:
            found.append((at, "D7"))
    return found


def step(chart: Chart, event: Event, read_page: ReadPage) -> None:
    """One event."""
    if not may_send(event):
        review(chart, event)
        return
    is_hospital = event.sender.side is Side.HOSPITAL
    was_treated = chart.treated_at is not None
    if chart.opener is None and (is_hospital or event.type.value in CENTRE_OPENS):
        open_case(chart, event)
    elif chart.opener is None:
        review(chart, event)  # 'its other events for an unknown referral open nothing'
    has_effect = act(chart, event, read_page)
    if chart.opener is not None and not chart.restarts:
        chart.restarts.append(Start(event.receipt, chart.shown_tier or ""))
        chart.is_cancel_asked = chart.is_cancelled_early
    if not has_effect:
        review(chart, event)
    elif event.sender.side is Side.CENTRE and keeps_promise(event):
        keep_promise(chart)
    if chart.treated_at is not None and not was_treated:
        end_run(chart, event.receipt, unmet_only=True)  # 'the obligations of the waiting case end'


def keeps_promise(event: Event) -> bool:
    """'no centre milestone, examination or decision has been recorded since'"""
    recorded = (T.MILESTONE_REACHED, T.NEURO_EXAMINED, T.TREATMENT_DECIDED, T.TIER_SET)
    return event.type in recorded or report_of(event).is_examination


def open_case(chart: Chart, event: Event) -> None:
    """'A hospital's event for a referral not seen before opens a provisional case'"""
    chart.opener = event
    if chart.closing is not None and event.occurred_at > chart.closing.event.occurred_at:
        chart.closing = None  # it was closed before anybody here knew of it
    start_run(chart, event.receipt, event)
    if event.type not in REPORTS:
        take_findings(chart, event, Report(event, {}, report_of(event).seen))


def act(chart: Chart, event: Event, read_page: ReadPage) -> bool:
    """Whether it has an effect."""
    if event.type in REPORTS:
        return take_report(chart, event)
    if event.type is T.TIER_SET:
        return set_tier(chart, event)
    if event.type is T.TREATMENT_DECIDED:
        return decide(chart, event)
    if event.type is T.MILESTONE_REACHED:
        return reach(chart, event)
    if event.type is T.MILESTONE_CORRECTED:
        return correct(chart, event)
    if event.type is T.OPINION_GIVEN:
        return give_opinion(chart, event)
    if event.type is T.REFERRAL_CANCELLED:
        cancel(chart, event)
        return False  # it has one, and the coordinator is told: in a review page as well
    if event.type is T.CASE_CLOSED:
        return take_closing(chart, event)
    if event.type is T.HANDOVER_ACCEPTED:
        return accept_plan(chart, event)
    if event.type is T.PAGE_ACKNOWLEDGED:
        return take_answer(chart, event, read_page)
    return True


def review(chart: Chart, event: Event) -> None:
    """'is a review page, due in 15 min'"""
    if event.key not in [each.key for each, _ in chart.reviews]:
        chart.reviews.append((event, event.receipt))


def take_report(chart: Chart, event: Event) -> bool:
    chart.has_referral = chart.has_referral or event.type is T.REFERRAL_SUBMITTED
    report = report_of(event)
    if report.seen.review:
        review(chart, event)
    is_opener = chart.opener is not None and chart.opener.key == event.key
    if report.raw or recheck_of(event) or is_opener:
        reopen_by(chart, event, report, asks=recheck_of(event) is not None)
        take_findings(chart, event, report)
    return True


def set_tier(chart: Chart, event: Event) -> bool:
    """'Upward by any named clinician; downward only by a consultant or fellow', 'by name with a
    reason'."""
    by, tier = by_of(event.data), event.data.get("tier")
    if by is None or tier not in RANK or by.role in NO_CLINICIANS:
        return False
    report, tier = report_of(event), str(tier)
    reason = event.data.get("reason")
    may_lower = by.role in SENIORS and isinstance(reason, str) and bool(reason.strip())
    lowers = chart.tier is not None and is_higher(chart.tier, tier)
    if lowers and not may_lower and chart.palliative is None:
        return False
    if lowers and may_lower:  # also of the tier that a palliative decision hides
        if chart.palliative is not None:
            chart.palliative = None
            raise_run(chart, event.receipt, event)
        reopen_by(chart, event, report, asks=False)
        lower(chart, event, report, tier)
    else:
        was_palliative, chart.palliative = chart.palliative is not None, None
        reopen_by(chart, event, report, asks=True)
        runs = len(chart.runs)
        take_findings(chart, event, report, Set(tier))
        if was_palliative and len(chart.runs) == runs:
            raise_run(chart, event.receipt, event)
    if report.seen.review:
        review(chart, event)
    chart.tier_acts.append(event)
    return True


def decide(chart: Chart, event: Event) -> bool:
    """PM1: 'by a named consultant with a reason code (wishes / prognosis by an oncologist / no
    benefit)'; 'it ends with any later upward `tier.set.v1` or other `treatment.decided.v1`'."""
    by = by_of(event.data)
    if by is None:
        return False
    if event.data.get("treatment") == "palliative":
        code = event.data.get("reason_code")
        if by.role not in CONSULTANTS or code not in PALLIATIVE_CODES:
            return False
        chart.palliative = event
    elif chart.palliative is not None:
        chart.palliative = None
        raise_run(chart, event.receipt, event)
    chart.decisions.append(event)
    return True


def give_opinion(chart: Chart, event: Event) -> bool:
    if by_of(event.data) is None:
        return False
    chart.opinions.append(event)
    return True


def reach(chart: Chart, event: Event) -> bool:
    name = event.data.get("milestone")
    if not may_record(event, name):
        return False
    chart.milestones.append(Milestone(event, str(name), event.occurred_at))
    return True


def correct(chart: Chart, event: Event) -> bool:
    """'A side corrects only what it recorded'"""
    name, was = event.data.get("milestone"), event.data.get("was")
    found = [m for m in chart.milestones if m.name == name and m.event.id == was]
    own = [m for m in found if m.event.sender.side is event.sender.side]
    if found and not own:
        return False
    at = parse_instant(event.data.get("time"))
    for each in own:
        if event.data.get("withdrawn") is True:
            each.at = None
        elif at is not None:
            each.at = at
    return may_record(event, name)
