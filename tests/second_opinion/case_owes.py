"""What is owed and by when (policy 4), and who is told of it (policy 4.1, other obligations)."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from tests.second_opinion.case_chart import DAY, HOUR, MINUTE, Chart
from tests.second_opinion.case_clocks import (
    after_surgery,
    decision,
    imaging,
    information,
    radiotherapy,
    theatre,
    transfer,
)
from tests.second_opinion.case_examinations import call_back, re_examination, rechecked
from tests.second_opinion.case_ladders import Page, Step, handed_on, page_of, spread
from tests.second_opinion.case_owed import Owed, closed_at, ending
from tests.second_opinion.case_restarts import heard_of, oncology, senior_opinion
from tests.second_opinion.case_roster import Serving


def owed(chart: Chart, now: datetime) -> list[Owed]:
    """Everything but acknowledgement and review."""
    if chart.opener is None:
        return []
    closed = closed_at(chart)
    return [
        *ending(waiting(chart), chart.treated_at, closed),
        # 'rests from knife_to_skin to surgery_end'
        *ending(re_examination(chart), operation(chart), chart.treated_at, closed),
        *ending(theatre(chart, now), closed),
        *ending(radiotherapy(chart), closed),
        *after_surgery(chart),
    ]


def operation(chart: Chart) -> datetime | None:
    """When the first operation since the referral began."""
    assert chart.opener is not None
    begun = [at for _, at in heard_of(chart, "knife_to_skin") if at >= chart.opener.receipt]
    return min(begun, default=None)


def waiting(chart: Chart) -> Iterator[Owed]:
    """'From `surgery_end` (or radiotherapy_started) ... the obligations of the waiting case end'"""
    yield from call_back(chart)
    yield from senior_opinion(chart)
    yield from oncology(chart)
    yield from rechecked(chart)
    yield from imaging(chart)
    yield from decision(chart)
    yield from transfer(chart)
    yield from information(chart)


HOLDERS = {
    "senior_opinion": ("registrar",),
    "oncology_contacted": ("registrar",),
    "call_back": ("coordinator",),
    "re_examination": ("registrar",),
    "rechecked": ("registrar",),
    "mri": ("coordinator",),
    "mri_report": ("radiology",),
    "decision": ("consultant",),
    "transfer": ("coordinator", "site_manager"),
    "theatre": ("theatre", "anaesthetics", "consultant"),
    "radiotherapy": ("oncology",),
    "after_surgery": ("registrar",),
    "information_requested": ("coordinator",),
}


def duty_pages(chart: Chart, owes: Iterable[Owed], now: datetime) -> set[Page]:
    """'Every other obligation has a holder'. Of several clocks of one obligation the strictest
    rules; of what is past each role is told the latest."""
    if chart.closing is not None:
        return set()
    first: dict[tuple[str, str], Owed] = {}
    for each in sorted(owes, key=lambda each: each.due):
        if each.is_open:
            first.setdefault((each.name, each.own), each)
    return {page for each in first.values() for page in told(chart, each, now)}


def told(chart: Chart, each: Owed, now: datetime) -> Iterator[Page]:
    latest: dict[str, tuple[datetime, bool]] = {}
    for at, roles, is_repeat in steps(chart, each, now):
        if at <= now:
            latest |= dict.fromkeys(roles, (at, is_repeat))
    for role, (at, is_repeat) in latest.items():
        who = chart.serving(role, now)
        if not (is_repeat and is_held(chart, each, who, now)):
            yield page_of(role, each.name, at, who)


def steps(
    chart: Chart, each: Owed, now: datetime
) -> Iterator[tuple[datetime, tuple[str, ...], bool]]:
    """'told at 50 % and 80 % of the time; at 80 % also the consultant; when it is due (a breach)
    the holder, the consultant and, for EMERGENT and URGENT, the site manager. Then every 30 min to
    the holder and the consultant for EMERGENT, hourly to the holder for URGENT, once a day
    below'"""
    tier, holder, span = chart.shown_tier, HOLDERS[each.name], each.due - each.start
    both = (*holder, "consultant")
    half, most = spread(
        each.start, each.due, [each.start + span * 50 / 100, each.start + span * 80 / 100]
    )
    # 'A rung that reaches nobody ..., and the next rung is paged in the same moment.'
    for step in handed_on(chart, [Step(half, holder), Step(most, both)], each.due - each.start):
        yield step.at, step.roles, False
    is_high = tier in ("EMERGENT", "URGENT")
    at = max(each.due, each.start)  # what was past when it started is a breach at its start
    yield at, (*both, "site_manager") if is_high else both, False
    every = {"EMERGENT": 30 * MINUTE, "URGENT": HOUR}.get(tier, DAY)
    for at in repeats(each.due, every, now):
        if at >= each.start:
            yield at, both if tier == "EMERGENT" else holder, True


def repeats(due: datetime, every: timedelta, now: datetime) -> Iterator[datetime]:
    at = due + every
    while at <= now:
        yield at
        at += every


def is_held(chart: Chart, each: Owed, who: Serving, now: datetime) -> bool:
    """'on another obligation it holds that person's repeats for its `minutes`'"""
    return any(
        (name, start) == (each.name, each.start) and until > now
        for name, start, until, by in chart.holds
        if who.human is not None and who.human.is_meant(by)
    )
