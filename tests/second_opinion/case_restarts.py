"""Obligations that a raise restarts: when they are due, and whether they are met."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.second_opinion.case_chart import DAY, HOUR, Chart, Start, rank
from tests.second_opinion.case_owed import Owed, closed_at, ending
from tests.second_opinion.case_senders import SENIORS, by_of
from triage.domain.events import Event

Acts = list[tuple[datetime, datetime]]  # what may meet it: received, and when it happened


def restarted(chart: Chart, name: str, limits: dict[str, timedelta], acts: Acts) -> Iterator[Owed]:
    """'A raise of the tier restarts ... at the raising event's receipt, but never to an instant
    later than an unmet due instant that it replaces'; 'obligations of the new tier keep their own
    clock starts'. One for every start, the last one that of now."""
    unmet: list[tuple[datetime, str]] = []
    for number, each in enumerate(chart.restarts):
        following = chart.restarts[number + 1] if number + 1 < len(chart.restarts) else None
        within = [
            at
            for received, at in acts
            # What was recorded before the opening takes effect when the case appears.
            if (number == 0 or received >= each.at)
            and (following is None or received < following.at)
        ]
        met = min(within, default=None)
        kept = [due for due, tier in unmet if rank(tier) <= rank(each.tier)]
        if met is not None or each.closed is not None:
            unmet = []
        if each.tier not in limits:
            continue
        due = min([each.at + limits[each.tier], *kept])
        yield Owed(name, each.at, due, met, end_of(each, following))
        if met is None and each.closed is None:
            unmet.append((due, each.tier))


def end_of(each: Start, following: Start | None) -> datetime | None:
    if each.closed is not None:
        return each.closed
    return following.at if following is not None else None


SENIOR_LIMITS = {"EMERGENT": HOUR, "URGENT": 2 * HOUR, "PRIORITY": DAY}


def senior_opinion(chart: Chart) -> list[Owed]:
    """'60 min | 2 h | 24 h'; 'senior_reviewed, or tier or treatment set by a consultant or
    fellow'; ends with 'closing, decision', and with treatment."""
    events = [each for each in [*chart.decisions, *chart.tier_acts] if is_by_senior(each)]
    acts = [(each.received_at, each.occurred_at) for each in events]
    acts += heard_of(chart, "senior_reviewed")
    found: list[Owed] = []
    for each in restarted(chart, "senior_opinion", SENIOR_LIMITS, acts):
        # A raise restarts it: what was decided before that does not end it.
        is_first = each.start == chart.restarts[0].at
        made = [
            one.occurred_at
            for one in final_decisions(chart)
            if is_first or one.received_at >= each.start
        ]
        found += ending(iter([each]), chart.treated_at, closed_at(chart), *made)
    return found


def heard_of(chart: Chart, milestone: str) -> Acts:
    return [
        (each.event.received_at, each.at)
        for each in chart.milestones
        if each.name == milestone and each.at is not None
    ]


def is_by_senior(event: Event) -> bool:
    """A tier or a treatment; to ask for more information sets none."""
    by = by_of(event.data)
    is_set = event.data.get("treatment") != "more_info"
    return is_set and by is not None and by.role in SENIORS


def standing_decision(chart: Chart) -> Event | None:
    """'`treatment.decided.v1` other than more_info': the latest one; 'another decision' ends what
    an earlier one started."""
    return max(final_decisions(chart), key=lambda each: each.clinical_order, default=None)


def final_decisions(chart: Chart) -> list[Event]:
    return [each for each in chart.decisions if each.data.get("treatment") != "more_info"]


def decided_at(chart: Chart) -> datetime | None:
    decided = standing_decision(chart)
    return decided.occurred_at if decided is not None else None


ONCOLOGY_LIMITS = {
    "EMERGENT": HOUR,
    "URGENT": 4 * HOUR,
    "PRIORITY": DAY,
    "PALLIATIVE-MDT": 4 * HOUR,
}


def oncology(chart: Chart) -> Iterator[Owed]:
    """'60 min, in parallel | 4 h | 24 h | board | 4 h'; 'oncology_contacted, or an opinion from
    oncology or haematology'"""
    acts = [
        (each.received_at, each.occurred_at)
        for each in chart.opinions
        if any(
            who in ("oncology", "haematology")
            for who in (each.data.get("specialty"), by_role(each))
        )
    ]
    acts += heard_of(chart, "oncology_contacted")
    return restarted(chart, "oncology_contacted", ONCOLOGY_LIMITS, acts)


def by_role(event: Event) -> str | None:
    by = by_of(event.data)
    return by.role if by is not None else None
