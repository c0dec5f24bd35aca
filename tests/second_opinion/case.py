"""The second model of the case machine: what a case's log says, from the text alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tests.scenarios.house import ROSTER_TEXT
from tests.second_opinion.case_answers import PageOf, ReadPage
from tests.second_opinion.case_chart import Chart, is_higher
from tests.second_opinion.case_hours import Hours
from tests.second_opinion.case_joins import Group
from tests.second_opinion.case_ladders import Page, acknowledgement_pages
from tests.second_opinion.case_owed import Owed
from tests.second_opinion.case_owes import duty_pages, owed
from tests.second_opinion.case_reports import Reading, classify
from tests.second_opinion.case_roster import Rosters, rosters_of
from tests.second_opinion.case_runs import due_of
from tests.second_opinion.case_shifts import leaving, shift_pages
from tests.second_opinion.case_sites import Sites
from tests.second_opinion.case_walk import once_each, walk
from triage.domain.events import Event

__all__ = ["Page", "PageOf", "Said", "second_opinion"]


@dataclass(frozen=True, order=True)
class Duty:
    """An obligation other than acknowledgement and review, and when it is due."""

    name: str
    due: datetime


@dataclass(frozen=True)
class Said:
    """What people should see at `now`; `acknowledgement` is start, due and whether answered."""

    state: str
    tier: str | None = None
    rules: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    is_held: bool = False
    owner: str | None = None
    acknowledgement: tuple[datetime, datetime, bool] | None = None
    open_by: frozenset[Duty] = frozenset()
    missed: frozenset[Duty] = frozenset()
    pages: frozenset[Page] = frozenset()
    leaves: tuple[datetime, datetime, str | None] | None = None  # end, lapse, who takes over


def second_opinion(
    events: Iterable[Event],
    now: datetime,
    read_page: ReadPage,
    hours: Hours | None = None,
    rosters: Rosters | None = None,
    cases: Group = frozenset(),
    sites: Sites | None = None,
) -> Said:
    """`cases` (joined, where they are several) at `now`. `read_page` tells what a page id in an
    answer was about."""
    hours = hours or Hours()
    if sites is not None:  # 'Deadlines in hours are counted in those of the site that has it now'
        hours = sites.hours[sites.last(once_each(events, now))]
        rosters = sites.rosters[sites.default]
    rosters = rosters or rosters_of(ROSTER_TEXT)
    chart = walk(events, now, read_page, hours, rosters, cases, sites)
    if chart.opener is None:
        return Said("unopened")
    latest = max((each.occurred for each in chart.reports), default=now)
    present = classify(chart.reports, max(now, latest))
    rules, is_held = shown_rules(chart, present)
    owes = owed(chart, now)
    return Said(
        state=chart.state,
        tier=chart.shown_tier,
        rules=tuple(rules),
        flags=tuple(sorted({*present.flags, *(["CONFLICT"] if chart.has_conflict else [])})),
        is_held=is_held,
        owner=owner_of(chart),
        acknowledgement=acknowledgement_of(chart, hours),
        open_by=frozenset(Duty(each.name, each.due) for each in owes if each.is_open),
        missed=missed(chart, owes, now),
        pages=frozenset(
            acknowledgement_pages(chart, now, hours)
            | set(shift_pages(chart, now))
            | duty_pages(chart, owes, now)
        ),
        leaves=leaves_of(chart),
    )


def missed(chart: Chart, owes: list[Owed], now: datetime) -> frozenset[Duty]:
    """Now, and at every turn so far of what is not on the list any more: 'a breach that has
    happened stays a breach'."""
    here = {(each.name, each.start, each.due) for each in owes}
    before = {
        Duty(key[0], key[2])
        for key in chart.breaches
        if key not in here and not was_in_time(chart, *key)
    }
    return frozenset(before | {Duty(each.name, each.due) for each in owes if each.is_missed(now)})


def was_in_time(chart: Chart, name: str, start: datetime, due: datetime) -> bool:
    """What we have since been told of: 'any event with `ais` or `walking` that occurred later', or
    'rests from knife_to_skin'; 'from `surgery_end` ... the obligations of the waiting case end'."""
    found = [] if name in ("theatre", "radiotherapy", "after_surgery") else [chart.treated_at]
    if name == "re_examination":
        found += [each.occurred for each in chart.reports if each.is_examination]
        found.append(chart.standing("knife_to_skin"))
    return any(at is not None and start < at <= due for at in found)


def shown_rules(chart: Chart, present: Reading) -> tuple[list[str], bool]:
    """'A standing tier that present findings alone would not give is marked *held* and shows the
    rules and the event that gave it.' PM1: '`rules` = PM1'."""
    if chart.palliative is not None:
        return ["PM1"], False
    is_held = is_higher(chart.tier or "", present.tier)
    given = present.rules if present.tier == chart.tier else chart.gave
    emergent = chart.tier == "EMERGENT"
    stands = {rule for rule in chart.stands if (rule != "SET") == emergent}
    if chart.is_lowered:
        return ["SET"], is_held  # contract 3: 'after a lowering `rules` = [`SET`]'
    return sorted({*given, *stands}), is_held


def leaves_of(chart: Chart) -> tuple[datetime, datetime, str | None] | None:
    found = leaving(chart)
    if found is None:
        return None
    human = found.successor.human
    return found.ends, found.lapses, human.id if human else None


def owner_of(chart: Chart) -> str | None:
    run = chart.run
    if run is None or run.answer is None or run.ended is not None:
        return None
    return run.answer.owner.role


def acknowledgement_of(chart: Chart, hours: Hours) -> tuple[datetime, datetime, bool] | None:
    run = chart.run
    if run is None or run.ended is not None:
        return None
    return run.start, due_of(chart, run, hours), run.answer is not None
