"""Who is paged when (policy 4.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.second_opinion.case_chart import HOUR, MINUTE, Chart, Run
from tests.second_opinion.case_hours import Hours
from tests.second_opinion.case_runs import due_of, ladder_tier
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
    is_repeat: bool = False  # what was due before the run started is its first call


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
    for role in run.quiet:  # 'another person's answer stops the repeats to that person'
        if role in found and found[role].is_repeat:
            del found[role]
    pages = {Page(role, "acknowledgement", max(step.at, run.start)) for role, step in found.items()}
    told = run.also_person
    if told is not None and not is_same_person(told, paged):
        pages.add(Page(told.role or "", "acknowledgement", run.start))
    return pages


def is_same_person(told: Actor, roles: Iterable[str]) -> bool:
    """One alert per state change (H7): who is paged as the role on call is not paged by name. The
    person on call as `site_manager` is `site-manager-a`."""
    return told.role in roles and told.person == f"{told.role}-a".replace("_", "-")


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


def rungs(run: Run, due: datetime, nominal: timedelta, after: list[int]) -> list[datetime]:
    """'its scale is (due - run start) / nominal time, at most 1, fixed when the run starts; rungs
    are at least one minute apart'. A rung that was declined sends the next one at once."""
    scale = max(timedelta(0), min(due - run.start, nominal)) / nominal
    times: list[datetime] = []
    for minutes in after:
        at = run.start + minutes * MINUTE * scale
        if times:
            at = max(at, times[-1] + MINUTE)
        times.append(at)
    for received, rung in run.declined:
        if rung < len(times):
            times[rung] = min(times[rung], received)
    return times


def within(steps: list[Step], run: Run, due: datetime) -> list[Step]:
    """No rung later than the due instant (or, past due, the run's start): those are part of the
    due round."""
    return [each for each in steps if each.at <= max(due, run.start)]


def emergent(run: Run, due: datetime, now: datetime) -> list[Step]:
    """'0 registrar + coordinator ...; 5 consultant; 12 second consultant + site manager | 15 |
    rounds to all of them at 15, 25, 35 ... every 10 min, from 35 also to the roles under `widen`,
    for ever'"""
    # '(and the consultant, when a timer raised it)'
    by_timer = ["consultant"] if run.is_by_timer else []
    zero, five, twelve = rungs(run, due, 15 * MINUTE, [0, 5, 12])
    steps = [
        Step(zero, ("registrar", "coordinator", *sorted(run.also), *by_timer)),
        Step(five, ("consultant",)),
        Step(twelve, ("second_consultant", "site_manager")),
    ]
    steps = within(steps, run, due)
    at, number = due, 0
    while at <= now:
        steps.append(
            Step(max(at, run.start), EVERYBODY + (WIDEN if number >= 2 else ()), at >= run.start)
        )
        at, number = at + 10 * MINUTE, number + 1
    return steps


def urgent(run: Run, due: datetime, now: datetime) -> list[Step]:
    """'0 registrar + coordinator; 30 both again; 45 consultant | 60 | consultant + site manager,
    hourly'"""
    zero, thirty, last = rungs(run, due, 60 * MINUTE, [0, 30, 45])
    both = ("registrar", "coordinator")
    steps = [Step(zero, (*both, *sorted(run.also))), Step(thirty, both)]
    steps = within([*steps, Step(last, ("consultant",))], run, due)
    at = due
    while at <= now:
        steps.append(Step(max(at, run.start), ("consultant", "site_manager"), at >= run.start))
        at += HOUR
    return steps


def priority(run: Run, due: datetime, hours: Hours) -> list[Step]:
    """'0 coordinator (out of hours: at the start of site hours or 12 h after receipt, whichever is
    earlier); 50 % again | the earlier of 4 h in hours and 24 h | registrar once; consultant once,
    4 h later'"""
    zero = min(hours.next_open(run.start), run.start + 12 * HOUR, max(due, run.start))
    half = max(run.start + (due - run.start) / 2, zero + MINUTE)
    steps = [Step(zero, ("coordinator",)), Step(half, ("coordinator",))]
    declined = min((at for at, rung in run.declined if rung == 1), default=half)
    steps[1] = Step(min(half, declined), ("coordinator",))
    steps = within(steps, run, due)
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
