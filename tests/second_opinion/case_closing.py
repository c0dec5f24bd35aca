"""Cancelling, closing, coming back (policy 3.2, contract 1)."""

from tests.second_opinion.case_chart import Chart, Closing, restart
from tests.second_opinion.case_orders import ORDERED, is_most_benign, is_worse, place, value_of
from tests.second_opinion.case_reports import Report, merge
from tests.second_opinion.case_runs import end_run, start_run
from tests.second_opinion.case_senders import SENIORS, STOPPERS, by_of
from tests.second_opinion.vocabulary import COMPARED
from triage.domain.events import Event, Side

REASONS = (
    "operated radiotherapy systemic palliative watch declined cancelled died not_mscc duplicate "
    "transferred_elsewhere"
).split()


def cancel(chart: Chart, event: Event) -> bool:
    """'below EMERGENT it closes the case and tells the coordinator; at EMERGENT the case stays
    open, marked *cancellation asked* ... If the case was EMERGENT at any time, the same.'"""
    if chart.closing is not None:
        return False
    chart.is_cancelled_early = chart.opener is None
    if chart.was_emergent or chart.tier == "EMERGENT":
        chart.is_cancel_asked = True
    else:
        close(chart, event, "cancelled")
    return True


def take_closing(chart: Chart, event: Event) -> bool:
    """Whether it closes the case, or is a provisional `declined`."""
    reason, by = event.data.get("reason"), by_of(event.data)
    if chart.closing is not None:
        return False
    if reason not in REASONS or by is None or not may_close(chart, str(reason), event):
        return False
    if reason == "declined":
        chart.declining = event
    else:
        close(chart, event, str(reason))
    return True


def may_close(chart: Chart, reason: str, event: Event) -> bool:
    """'An EMERGENT case is closed only by a consultant or fellow (`cancelled`: also a registrar),
    with `plan` unless operated or died.'"""
    by = by_of(event.data)
    role = by.role if by is not None else None
    if reason == "cancelled" and chart.was_emergent and role not in STOPPERS:
        return False
    if chart.tier != "EMERGENT" or chart.palliative is not None:
        return True
    plan = event.data.get("plan")
    has_plan = isinstance(plan, str) and bool(plan.strip())
    if not has_plan and reason not in ("operated", "died"):
        return False
    return role in (STOPPERS if reason == "cancelled" else SENIORS)


def accept_plan(chart: Chart, event: Event) -> bool:
    """'`declined` is provisional, and the ladder goes on, until the hospital accepts the plan with
    `handover.accepted.v1`, leg `onward_plan`'"""
    if event.data.get("leg") != "onward_plan" or event.sender.side is not Side.HOSPITAL:
        return True
    if chart.declining is not None and chart.closing is None:
        close(chart, event, "declined")
    return True


def close(chart: Chart, event: Event, reason: str) -> None:
    """'A closed case pages no further.'"""
    chart.closing = Closing(event, reason, list(chart.reports))
    chart.is_cancel_asked = False
    chart.declining = None
    end_run(chart, event.receipt)


def reopen_by(chart: Chart, event: Event, report: Report, *, asks: bool) -> None:
    """'Findings that occurred after the closing re-open it with a new ladder run; findings that
    occurred before it are stored, and re-open it when they are worse than what had been received
    at the closing.'"""
    closing = chart.closing
    if closing is None or not (report.raw or asks):
        return
    is_after = event.occurred_at > closing.event.occurred_at
    if is_after or is_worse_than_received(report, closing):
        if chart.restarts:
            chart.restarts[-1].closed = closing.event.received_at
            restart(chart, event.receipt)
        chart.closing = None
        chart.timer = None  # the closing ended it; what still sets it sets it anew
        for each in chart.rechecks:
            each.is_timer_ended = True
        if chart.opener is None:  # 'open nothing: kept, ..., taking effect if the case appears'
            chart.is_cancelled_early = False
        else:
            start_run(chart, event.receipt, event)


def is_worse_than_received(report: Report, closing: Closing) -> bool:
    """As after a lowering: 'from not assessed to any value that is not the most benign is
    worse'."""
    had = merge(closing.reports).seen
    return any(_is_worse(report, name, value_of(had, name)) for name in COMPARED)


def _is_worse(report: Report, name: str, before: object) -> bool:
    value = value_of(report.seen, name)
    if value is None:
        return False
    if name not in ORDERED or place(name, value) is None:
        return value != before
    if before is None:
        return not is_most_benign(name, value)
    return is_worse(name, value, before)  # type: ignore[arg-type]
