"""Who is paged when (policy 4.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.second_opinion.case_chart import HOUR, MINUTE, Chart, Run
from tests.second_opinion.case_hours import Hours
from tests.second_opinion.case_runs import due_of, ladder_tier, limit
from triage.domain.events import Actor

WIDEN = ("oncology", "clinical_director")  # 'default: oncology, clinical director'
EVERYBODY = ("registrar", "coordinator", "consultant", "second_consultant", "site_manager")


@dataclass(frozen=True)
class Page:
    """A page that is owed: the latest step of one role in one ladder."""

    role: str
    obligation: str
    owed: datetime


@dataclass(frozen=True)
class Step:
    """A rung or a round."""

    at: datetime
    roles: tuple[str, ...]
    is_repeat: bool = False


def acknowledgement_pages(chart: Chart, now: datetime, hours: Hours) -> set[Page]:
    """The ladder while nobody owns the case; and the person to whom it was handed over."""
    run = chart.run
    if run is None or run.ended is not None or chart.closing is not None:
        return set()
    if run.answer is not None:
        asked = run.answer.asked
        if asked is None:
            return set()
        return {Page(asked.role or "", "acknowledgement", run.answer.received)}
    due = due_of(chart, run, hours)
    steps = [each for each in ladder(chart, run, due, now, hours) if each.at <= now]
    found = latest(steps)
    paged = set(found)
    # 'An EMERGENT ladder ...; another person's answer stops the repeats to that person'
    for role in run.quiet if ladder_tier(chart, run) == "EMERGENT" else ():
        if role in found and found[role].is_repeat:
            del found[role]
    pages = {Page(role, "acknowledgement", max(step.at, run.start)) for role, step in found.items()}
    told = run.also_person
    if told is not None and not is_same_person(told, paged, registrar_on_call(chart.relief, now)):
        pages.add(Page(told.role or "", "acknowledgement", run.start))
    return pages


def is_same_person(told: Actor, roles: Iterable[str], registrar: str) -> bool:
    """One alert per state change (H7): who is paged as the role on call is not paged by name. The
    person on call as `site_manager` is `site-manager-a`."""
    serving = registrar if told.role == "registrar" else f"{told.role}-a".replace("_", "-")
    return told.role in roles and told.person == serving


def registrar_on_call(relief: datetime | None, at: datetime) -> str:
    """The night's registrar serves for twelve hours from the relief."""
    return "registrar-b" if relief and relief <= at < relief + 12 * HOUR else "registrar-a"


def latest(steps: list[Step]) -> dict[str, Step]:
    """'what is already past is paged at once, together': each role the latest step only."""
    found: dict[str, Step] = {}
    for step in sorted(steps, key=lambda each: each.at):
        for role in step.roles:
            found[role] = step
    return found


def ladder(chart: Chart, run: Run, due: datetime, now: datetime, hours: Hours) -> list[Step]:
    """Rungs, then rounds up to `now`."""
    tier = ladder_tier(chart, run)
    if tier == "EMERGENT":
        return emergent(run, due, now)
    if tier == "URGENT":
        return urgent(run, due, now)
    if tier == "PRIORITY":
        return priority(run, due, hours)
    if tier == "PALLIATIVE-MDT":
        first = ("palliative", "coordinator", *sorted(run.also))
        return [Step(run.start, first), Step(due, ("consultant",))]
    return routine(run, due, now, hours)


def rungs(run: Run, due: datetime, nominal: timedelta, after: list[timedelta]) -> list[datetime]:
    """'its scale is (due - run start) / nominal time, at most 1, fixed when the run starts'"""
    scale = max(timedelta(0), min(due - run.start, nominal)) / nominal
    wanted = [run.start + each * scale for each in after]
    return spread(run.start, due, wanted, run.declined)


def spread(
    start: datetime,
    due: datetime,
    wanted: list[datetime],
    declined: Iterable[tuple[datetime, int]] = (),
) -> list[datetime]:
    """'rungs are at least one minute apart; what is already past is paged at once, together'. The
    due instant counts as the next rung (decision 6). 'decline goes to the next rung at once'"""
    latest_safe = max(due - MINUTE, start)
    times: list[datetime] = []
    for number, at in enumerate(wanted):
        at = max(at, start)
        if times:
            at = max(at, times[-1] + MINUTE)
            if at > latest_safe:
                at = latest_safe if latest_safe - times[-1] >= MINUTE else times[-1]
        at = min([max(at, start), *[max(when, start) for when, rung in declined if rung == number]])
        times.append(min(at, latest_safe) if not times else at)
    return times


def emergent(run: Run, due: datetime, now: datetime) -> list[Step]:
    """'0 registrar + coordinator ...; 5 consultant; 12 second consultant + site manager | 15 |
    rounds to all of them at 15, 25, 35 ... every 10 min, from 35 also to the roles under `widen`,
    for ever'"""
    # '(and the consultant, when a timer raised it)'
    by_timer = ["consultant"] if run.is_by_timer else []
    zero, five, twelve = rungs(run, due, 15 * MINUTE, [0 * MINUTE, 5 * MINUTE, 12 * MINUTE])
    # 'the longest gap between pages never exceeds the ladder's 10 minutes' (decision 11)
    twelve = min(twelve, five + 10 * MINUTE)
    steps = [
        Step(zero, ("registrar", "coordinator", *sorted(run.also), *by_timer)),
        Step(five, ("consultant",)),
        Step(twelve, ("second_consultant", "site_manager")),
    ]
    if due - twelve > 10 * MINUTE:
        between = min(twelve + 10 * MINUTE, due - MINUTE)
        steps.append(Step(between, EVERYBODY, True))
    at, number = due, 0
    while at <= now:
        steps.append(Step(max(at, run.start), EVERYBODY + (WIDEN if number >= 2 else ()), True))
        at, number = at + 10 * MINUTE, number + 1
    return steps


def urgent(run: Run, due: datetime, now: datetime) -> list[Step]:
    """'0 registrar + coordinator; 30 both again; 45 consultant | 60 | consultant + site manager,
    hourly'"""
    zero, thirty, last = rungs(run, due, 60 * MINUTE, [0 * MINUTE, 30 * MINUTE, 45 * MINUTE])
    both = ("registrar", "coordinator")
    steps = [Step(zero, (*both, *sorted(run.also))), Step(thirty, both)]
    steps.append(Step(last, ("consultant",)))
    at = due
    while at <= now:
        steps.append(Step(max(at, run.start), ("consultant", "site_manager"), True))
        at += HOUR
    return steps


def priority(run: Run, due: datetime, hours: Hours) -> list[Step]:
    """'0 coordinator (out of hours: at the start of site hours or 12 h after receipt, whichever is
    earlier); 50 % again | the earlier of 4 h in hours and 24 h | registrar once; consultant once,
    4 h later'"""
    opening = min(hours.next_open(run.start) - run.start, 12 * HOUR)
    nominal = limit("PRIORITY", run.start, hours) - run.start
    steps = [Step(at, ("coordinator",)) for at in rungs(run, due, nominal, [opening, nominal / 2])]
    if run.also:
        steps.append(Step(run.start, tuple(sorted(run.also))))
    return [*steps, Step(due, ("registrar",)), Step(due + 4 * HOUR, ("consultant",))]


def routine(run: Run, due: datetime, now: datetime, hours: Hours) -> list[Step]:
    """'worklist only | 2 working days | coordinator once each working day'"""
    steps = [Step(run.start, tuple(sorted(run.also)))] if run.also else []
    at = due
    while at <= now:
        steps.append(Step(at, ("coordinator",)))
        at = hours.after_working_days(at, 1)
    return steps
