"""Who is paged when (policy 4.1)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.second_opinion.case_chart import HOUR, MINUTE, Chart, Run
from tests.second_opinion.case_hours import Hours
from tests.second_opinion.case_roster import Rosters, Serving
from tests.second_opinion.case_runs import due_of, ladder_tier, limit
from triage.domain.events import Actor

EVERYBODY = ("registrar", "coordinator", "consultant", "second_consultant", "site_manager")


OWNER = "owner of the case"
ASKED = "named in the hand-over"
TAKES_OVER = "takes over from the owner"


@dataclass(frozen=True)
class Page:
    """A page that is owed: the latest step of one role in one ladder; whom it reaches now, and
    which rule of the roster chose them."""

    role: str
    obligation: str
    owed: datetime
    person: str | None
    rule: str


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
        return {page_to(chart, asked, run.answer.received, now, ASKED)}
    due = due_of(chart, run, hours)
    found = latest([each for each in ladder(chart, run, due, now, hours) if each.at <= now])
    pages, called = set[Page](), set[str | None]()
    for role, step in found.items():
        who = chart.serving(role, now)
        called |= {who.human.id} if who.human else set()
        # 'An EMERGENT ladder ...; another person's answer stops the repeats to that person'
        is_quiet = ladder_tier(chart, run) == "EMERGENT" and step.is_repeat
        if not (is_quiet and who.human and any(map(who.human.is_meant, run.quiet))):
            pages.add(page_of(role, "acknowledgement", max(step.at, run.start), who))
    if run.also_person is not None:
        # One alert per state change (H7): who is paged as the role on call is not paged by name.
        named = page_to(chart, run.also_person, run.start, now, OWNER)
        pages |= {named} if named.person is None or named.person not in called else set()
    return pages


def page_of(role: str, obligation: str, owed: datetime, who: Serving) -> Page:
    return Page(role, obligation, owed, who.human.id if who.human else None, who.rule)


def late_page(page: Page, rosters: Rosters, now: datetime) -> Page:
    """'The person is looked up again when a page is *sent*, and the page says by which rule.' 'Some
    pages mean one person'. Where nobody serves any more the last one is told."""
    who = rosters.serving(page.role, now, now)
    if page.rule.startswith((OWNER, ASKED, TAKES_OVER)) or who.human is None:
        return page
    return replace(page, person=who.human.id, rule=who.rule)


def page_to(chart: Chart, whom: Actor, owed: datetime, now: datetime, rule: str) -> Page:
    """Somebody is meant in person. Whom the roster does not know is reached by whoever serves."""
    humans, role = chart.rosters.file(chart.known).humans, whom.role or "registrar"
    human = humans.get(whom.person or "")
    who = Serving(human, rule) if human is not None else chart.serving(role, now)
    return page_of(role, "acknowledgement", owed, who)


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
        return emergent(chart, run, due, now)
    if tier == "URGENT":
        return urgent(chart, run, due, now)
    if tier == "PRIORITY":
        return priority(chart, run, due, hours)
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


def handed_on(chart: Chart, steps: list[Step], longest: timedelta) -> list[Step]:
    """'A rung that reaches nobody (nobody on call, or nobody who has a route) shows in the desk's
    inbox, and the next rung is paged in the same moment.' One that would come later than the
    interval of the rounds after the last that reached somebody 'is brought forward to it'."""
    told = handed = None
    found = []
    for step in steps:
        at = min([step.at, *([told + longest] if told else []), *([handed] if handed else [])])
        found.append(Step(at, step.roles))
        is_reached = reaches(chart, found[-1])
        told, handed = (at, None) if is_reached else (told, at)
    return found


def reaches(chart: Chart, step: Step) -> bool:
    """'Plans look at the roster that is in force, not at earlier ones.'"""
    serving = [chart.serving(role, step.at).human for role in step.roles]
    return any(each is not None and each.has_route for each in serving)


def emergent(chart: Chart, run: Run, due: datetime, now: datetime) -> list[Step]:
    """'0 registrar + coordinator ...; 5 consultant; 12 second consultant + site manager | 15 |
    rounds to all of them at 15, 25, 35 ... every 10 min, from 35 also to the roles under `widen`,
    for ever'"""
    # '(and the consultant, when a timer raised it)'
    by_timer = ["consultant"] if run.is_by_timer else []
    zero, five, twelve = rungs(run, due, 15 * MINUTE, [0 * MINUTE, 5 * MINUTE, 12 * MINUTE])
    steps = [
        Step(zero, ("registrar", "coordinator", *sorted(run.also), *by_timer)),
        Step(five, ("consultant",)),
        Step(twelve, ("second_consultant", "site_manager")),
    ]
    # 'the longest time without a page' is 10 minutes (decision 11)
    steps = handed_on(chart, steps, 10 * MINUTE)
    last = max([each.at for each in steps if reaches(chart, each)], default=run.start)
    if due - last > 10 * MINUTE:
        between = min(last + 10 * MINUTE, due - MINUTE)
        steps.append(Step(between, EVERYBODY, True))
    at, number, widen = due, 0, chart.rosters.file(chart.known).widen
    while at <= now:
        steps.append(Step(max(at, run.start), EVERYBODY + (widen if number >= 2 else ()), True))
        at, number = at + 10 * MINUTE, number + 1
    return steps


def urgent(chart: Chart, run: Run, due: datetime, now: datetime) -> list[Step]:
    """'0 registrar + coordinator; 30 both again; 45 consultant | 60 | consultant + site manager,
    hourly'"""
    zero, thirty, last = rungs(run, due, 60 * MINUTE, [0 * MINUTE, 30 * MINUTE, 45 * MINUTE])
    both = ("registrar", "coordinator")
    steps = [Step(zero, (*both, *sorted(run.also))), Step(thirty, both)]
    steps = handed_on(chart, [*steps, Step(last, ("consultant",))], HOUR)
    at = due
    while at <= now:
        steps.append(Step(max(at, run.start), ("consultant", "site_manager"), True))
        at += HOUR
    return steps


def priority(chart: Chart, run: Run, due: datetime, hours: Hours) -> list[Step]:
    """'0 coordinator (out of hours: at the start of site hours or 12 h after receipt, whichever is
    earlier); 50 % again | the earlier of 4 h in hours and 24 h | registrar once; consultant once,
    4 h later'"""
    opening = min(hours.next_open(run.start) - run.start, 12 * HOUR)
    nominal = limit("PRIORITY", run.start, hours) - run.start
    steps = [Step(at, ("coordinator",)) for at in rungs(run, due, nominal, [opening, nominal / 2])]
    steps = handed_on(chart, steps, due - run.start)
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
