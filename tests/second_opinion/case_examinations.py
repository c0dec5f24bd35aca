"""Re-examinations and the call-back (policy 3 and 4)."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from tests.second_opinion.case_chart import DAY, HOUR, Chart, rank
from tests.second_opinion.case_owed import Owed
from tests.second_opinion.case_tier import examined_since

LIMITS = {"EMERGENT": HOUR, "URGENT": 4 * HOUR, "PRIORITY": DAY}


def re_examination(chart: Chart) -> Iterator[Owed]:
    """'hourly | 4-hourly | daily'; 'receipt / raise, then each examination's occurred instant'.
    Each runs to the next examination or raise; one that a raise replaces unmet holds its due."""
    exams = sorted(each.occurred for each in chart.reports if each.is_examination)
    raises = [each.at for each in chart.restarts]
    starts = sorted({*raises, *[at for at in exams if raises and at > min(raises)]})
    unmet: list[tuple[datetime, str]] = []
    for start, following in pairwise([*starts, None]):
        assert start is not None
        tier = tier_before(chart, following)
        is_met = following in exams
        is_closed = following is not None and closed_before(chart, start, following) is not None
        if tier in LIMITS:
            kept = [due for due, then in unmet if rank(then) <= rank(tier)]
            due = min([start + LIMITS[tier], *kept])
            end = closed_before(chart, start, following) or following
            yield Owed(
                "re_examination",
                start,
                due,
                following if is_met and not is_closed else None,
                None if is_met and not is_closed else end,
            )
            unmet.append((due, tier))
        if is_met or is_closed:
            unmet = []


def tier_before(chart: Chart, end: datetime | None) -> str:
    """The tier that stood when the next one started; of now for the last."""
    if end is None:
        return chart.shown_tier or ""
    standing = [tier for received, tier in chart.tiers if received < end]
    return standing[-1] if standing else chart.shown_tier or ""


def closed_before(chart: Chart, start: datetime, end: datetime | None) -> datetime | None:
    """When the case was closed between the two, and re-opened since."""
    found = [
        each.closed
        for each in chart.restarts
        if each.closed is not None and start < each.closed and (end is None or each.closed <= end)
    ]
    return min(found, default=None)


def rechecked(chart: Chart) -> Iterator[Owed]:
    """D7, D9: 're-examination due in 60 min'"""
    for each in chart.rechecks:
        met = examined_since(chart.reports, each.event)
        start = each.event.receipt
        yield Owed("rechecked", start, start + HOUR, met, own="/".join(each.event.key))


def call_back(chart: Chart) -> Iterator[Owed]:
    """'first receipt at which U6 hits; 60 min | `neuro_unknown` clears'"""
    if chart.call_back is not None and chart.palliative is None:
        yield Owed("call_back", chart.call_back, chart.call_back + HOUR, chart.call_back_met)
