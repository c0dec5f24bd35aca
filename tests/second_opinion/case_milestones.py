"""Milestones, and what a correction of one changes (contract 1 and 4)."""

from datetime import datetime

from tests.second_opinion.case_chart import Chart, Milestone
from tests.second_opinion.case_senders import may_record
from tests.second_opinion.case_tier import waits_again
from triage.domain.events import Event
from triage.domain.instants import parse_instant


def reach(chart: Chart, event: Event) -> bool:
    name = event.data.get("milestone")
    if not may_record(event, name):
        return False
    chart.milestones.append(Milestone(event, str(name), event.occurred_at))
    apply_corrections(chart)
    return True


def correct(chart: Chart, event: Event) -> bool:
    """'A side corrects only what it recorded'; 'the corrected instant or `withdrawn`: true'."""
    if not may_record(event, event.data.get("milestone")):
        return False
    if event.data.get("withdrawn") is not True and corrected_instant(event) is None:
        return False
    named = [each for each in chart.milestones if is_named(event, each)]
    if any(not is_own(event, each) for each in named):
        return False
    was_treated = chart.treated_at is not None
    chart.corrections.append(event)
    apply_corrections(chart)
    if was_treated and chart.treated_at is None:
        waits_again(chart, event)
    return True


def apply_corrections(chart: Chart) -> None:
    """'the event's own `time` is when it was corrected': the last one in clinical order counts,
    whichever of correction and milestone comes first."""
    for each in chart.milestones:
        each.at = each.event.occurred_at
        for event in sorted(chart.corrections, key=lambda one: one.clinical_order):
            if is_named(event, each) and is_own(event, each):
                withdrawn = event.data.get("withdrawn") is True
                each.at = None if withdrawn else corrected_instant(event)


def is_named(event: Event, milestone: Milestone) -> bool:
    """'names what it corrects'"""
    named = event.data.get("was"), event.data.get("milestone")
    return named == (milestone.event.id, milestone.name)


def is_own(event: Event, milestone: Milestone) -> bool:
    """An `id` is 'unique per `source`'."""
    return event.sender == milestone.event.sender


def corrected_instant(event: Event) -> datetime | None:
    """As any time: '`time` after receipt: occurred = received'."""
    at = parse_instant(event.data.get("time"))
    return None if at is None else min(at, event.received_at)
