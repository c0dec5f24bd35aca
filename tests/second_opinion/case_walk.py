"""The log from its first event to its last, with the timers that ran out between them."""

from collections.abc import Iterable
from datetime import datetime

from tests.second_opinion.case_acts import REPORTS, act, review
from tests.second_opinion.case_answers import (
    ReadPage,
    keep_promise,
    lapses_at,
)
from tests.second_opinion.case_chart import HOUR, Chart, Start
from tests.second_opinion.case_closing import is_worse_than_received
from tests.second_opinion.case_hours import Hours
from tests.second_opinion.case_joins import (
    Group,
    is_together,
    joins_or_parts,
    logs_before,
    unite,
)
from tests.second_opinion.case_owes import owed
from tests.second_opinion.case_reports import Report, report_of
from tests.second_opinion.case_roster import Rosters
from tests.second_opinion.case_runs import end_run, is_owned, note_due, start_run
from tests.second_opinion.case_senders import (
    CENTRE_OPENS,
    may_send,
)
from tests.second_opinion.case_shifts import leaving
from tests.second_opinion.case_sites import Sites, send_on
from tests.second_opinion.case_tier import (
    overdue_recheck,
    take_findings,
    timer_raises,
)
from triage.domain.events import Event, EventType, Side

T = EventType
# 'A raise by a timer, once committed, is a row of the case's log', also of one joined later.
ROW = "row "


def walk(
    events: Iterable[Event],
    now: datetime,
    read_page: ReadPage,
    hours: Hours,
    rosters: Rosters,
    cases: Group = frozenset(),
    sites: Sites | None = None,
) -> Chart:
    """The chart of `cases` at `now`; events received later are not known yet, timer rows are not
    read."""
    chart = Chart(rosters)
    known = once_each(events, now)
    # 'Same `source`+`id`, other content = a new event plus a conflict flag'
    chart.has_conflict = len({(each.source, each.id) for each in known}) < len(known)
    parts = {
        each.key: [
            walk(log, each.received_at, read_page, hours, rosters, group, sites)
            for group, log in logs_before(each, known[:number])
            if not cases or group <= cases  # of others there is less in this log than happened
        ]
        for number, each in enumerate(known)
        if each.type is T.CASES_JOINED and joins_or_parts(each)
    }
    chart.speaks = len(cases) < 2
    chart.committed = sorted({row for found in parts.values() for one in found for row in one.rows})
    for number, event in enumerate(known, start=1):
        pass_time(chart, event.received_at, hours)
        before = breaches(chart, event.received_at)
        turn = turns(chart)
        chart.heard = event.received_at
        step(chart, event, read_page)
        if sites is not None:
            send_on(chart, event, sites)
        if joins_or_parts(event):
            chart.speaks = is_together(cases, known[:number])
        if event.key in parts:
            unite(chart, parts[event.key], event, hours)
        if turns(chart) != turn and event.key not in parts:
            chart.breaches = before
        note_tier(chart, event.received_at)
        note_due(chart, hours)
    pass_time(chart, now, hours)
    return chart


def pass_time(chart: Chart, until: datetime, hours: Hours) -> None:
    """What runs out before the roster changes does so by the one that is in force until then."""
    for at in chart.rosters.changed:
        if chart.known < at <= until:
            run_timers(chart, at, hours)
            chart.known = at
    run_timers(chart, until, hours)


def once_each(events: Iterable[Event], now: datetime) -> list[Event]:
    """'a duplicate keeps its earliest receipt'"""
    first: dict[tuple[str, str, str], Event] = {}
    for event in events:
        if event.received_at > now or event.sender.side is Side.OURSELVES:
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
    """Remember which tier came to stand when: none before the case opens."""
    if chart.opener is None:
        return
    tier = chart.shown_tier or ""
    if chart.restarts:
        chart.restarts[-1].tier = tier
    if not chart.tiers or chart.tiers[-1][1] != tier:
        chart.tiers.append((received, tier))


def breaches(chart: Chart, at: datetime) -> list[tuple[str, datetime, datetime]]:
    """'a breach that has happened stays a breach'; one that we have since been told was none does
    not."""
    here = [((each.name, each.start, each.due), each.is_missed(at)) for each in owed(chart, at)]
    listed = {key for key, _ in here}
    kept = [key for key in chart.breaches if key not in listed]
    return [*kept, *[key for key, is_missed in here if is_missed]]


def turns(chart: Chart) -> tuple[object, ...]:
    """A lower tier or another decision takes obligations off the list."""
    return len(chart.decisions), chart.lowering and chart.lowering.event, chart.palliative


def run_out(chart: Chart, at: datetime, found: datetime, what: str) -> None:
    """A timer that a re-opening brings back is found past due, at that event's receipt."""
    if what == "shift":
        if is_owned(chart):
            start_run(chart, at, None, tells_owner=True).is_shift_end = True
    elif what.startswith(ROW):
        chart.committed.remove((at, what.removeprefix(ROW)))
        chart.rows.append((at, what.removeprefix(ROW)))
        if waits_for_timers(chart):
            timer_raises(chart, at, what.removeprefix(ROW))
    elif what != "promise":
        chart.rows.append((found, what))
        timer_raises(chart, found, what, due=at)
    elif lapses_at(chart.run) == at:  # no timer has started another run at that instant
        start_run(chart, at, None, tells_owner=True)


def timers(chart: Chart) -> list[tuple[datetime, str]]:
    """'While it stands, rules (E6 apart) and timers do not change the tier'; the same after
    treatment, and on a closed case."""
    found = [(at, ROW + rule) for at, rule in chart.committed]
    if chart.closing is not None or chart.opener is None:
        return found
    lapse = lapses_at(chart.run)
    if lapse is not None and still_binds(chart):
        found.append((lapse, "promise"))
    left = leaving(chart)
    if left is not None:
        found.append((left.lapses, "shift"))
    if not chart.speaks or not waits_for_timers(chart):
        return found
    if chart.timer is not None:
        found.append((chart.timer + HOUR, "TIMER_60"))
    for each in chart.rechecks:
        at = overdue_recheck(chart, each)
        if at is not None:
            found.append((at, "D7"))
    return found


def waits_for_timers(chart: Chart) -> bool:
    is_over = chart.palliative is not None or chart.treated_at is not None
    return chart.opener is not None and chart.closing is None and not is_over


def still_binds(chart: Chart) -> bool:
    """What was promised before treatment ended with 'the obligations of the waiting case'; of a
    hand-over asked since 'no answer starts a new run'."""
    treated, run = chart.treated_at, chart.runs[-1]
    if treated is None or run.is_deterioration:
        return True
    return run.answer is not None and run.answer.asked is not None and run.answer.received > treated


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
        # One that the cancellation closes is not marked: what re-opens it later takes it up again.
        chart.is_cancel_asked |= chart.is_cancelled_early and chart.closing is None
    if not has_effect:
        review(chart, event)
    elif event.sender.side is Side.CENTRE and keeps_promise(event):
        keep_promise(chart, event)
    begins_treated = chart.run is not None and chart.run.is_deterioration  # told before it opened
    if chart.treated_at is not None and not (was_treated or begins_treated):
        end_run(chart, event.receipt, unmet_only=True)  # 'the obligations of the waiting case end'


def keeps_promise(event: Event) -> bool:
    """'no centre milestone, examination or decision has been recorded since'; an examination is
    'any event with `ais` or `walking`'."""
    recorded = (T.MILESTONE_REACHED, T.TREATMENT_DECIDED, T.TIER_SET)
    return event.type in recorded or report_of(event).is_examination


def open_case(chart: Chart, event: Event) -> None:
    """'A hospital's event for a referral not seen before opens a provisional case'"""
    chart.opener = event
    closing = chart.closing
    if closing is not None:  # it was closed before anybody here knew of it
        is_after = event.occurred_at > closing.event.occurred_at
        if is_after or is_worse_than_received(report_of(event), closing):
            chart.closing = None
    start_run(chart, event.receipt, event)
    if event.type not in REPORTS:
        take_findings(chart, event, Report(event, {}, report_of(event).seen))
