"""Joined and parted cases (contract 1): 'Joined cases are one fold: the first-received id leads,
the highest tier, the earliest clocks, open ladders stay; parting restores both'."""

from collections.abc import Iterable, Sequence

from tests.second_opinion.case_chart import HOUR, Chart, Run, rank
from tests.second_opinion.case_hours import Hours
from tests.second_opinion.case_reports import classify
from tests.second_opinion.case_runs import due_of, end_run, is_owned, ladder_tier, start_run
from tests.second_opinion.case_senders import CENTRE_OPENS, by_of, may_send
from triage.domain.events import Event, EventType, Side

JOINED, PARTED = EventType.CASES_JOINED, EventType.CASES_PARTED
Group = frozenset[str]


def joins_or_parts(event: Event) -> bool:
    """`cases`, `by`, `agreed` (the two identifiers), by the centre; its own case is one of them."""
    if event.type not in (JOINED, PARTED) or not may_send(event):
        return False
    if by_of(event.data) is None or event.case not in named(event):
        return False
    agreed = event.data.get("agreed")
    two = isinstance(agreed, list) and len({str(each) for each in agreed}) >= 2
    return event.type is PARTED or (two and len(named(event)) >= 2)


def named(event: Event) -> Group:
    cases = event.data.get("cases")
    return frozenset(map(str, cases)) if isinstance(cases, list) else frozenset()


def groups(events: Iterable[Event]) -> list[Group]:
    """Who is joined with whom once all these have come; a parting takes out whom it names."""
    pairs = set[Group]()
    for event in events:
        if joins_or_parts(event):
            cases = named(event)
            if event.type is JOINED:
                pairs |= {frozenset((a, b)) for a in cases for b in cases if a < b}
            else:
                pairs = {pair for pair in pairs if not pair & cases}
    found: list[Group] = []
    for pair in pairs:
        touched = [each for each in found if each & pair]
        found = [each for each in found if not each & pair]
        found.append(pair.union(*touched))
    return found


def group_of(case: str, events: Iterable[Event]) -> Group:
    return next((each for each in groups(events) if case in each), frozenset((case,)))


def log_of(group: Group, events: Iterable[Event]) -> list[Event]:
    """Whatever was sent about one of them; and who joined and parted anybody."""
    return [each for each in events if each.case in group or joins_or_parts(each)]


def opener_of(case: str, known: list[Event]) -> Event | None:
    """'A hospital's event for a referral not seen before opens'; a centre's report does, too."""
    for each in known:
        is_hospital = each.sender.side is Side.HOSPITAL
        opens = is_hospital or each.type.value in CENTRE_OPENS
        if each.case == case and may_send(each) and opens:
            return each
    return None


def is_together(cases: Group, events: Sequence[Event]) -> bool:
    """A timer runs out for the case that speaks: that of all that are joined then, and no others.
    What one of them raised before is a row of its log."""
    return all(group_of(case, events) == cases for case in cases)


def logs_before(event: Event, earlier: Sequence[Event]) -> list[tuple[Group, list[Event]]]:
    """Of each case that it joins, with those that it was joined with already."""
    parts = {group_of(case, earlier) for case in named(event)}
    return [(group, log_of(group, earlier)) for group in sorted(parts, key=sorted)]


def unite(chart: Chart, parts: list[Chart], event: Event, hours: Hours) -> None:
    """None of them gets calmer. `chart` has read all of it as if of one patient from the start."""
    parts = [each for each in parts if each.opener is not None]
    if len(parts) < 2:
        return
    parts.sort(key=lambda each: (each.opener.receipt, each.opener.case))  # type: ignore[union-attr]
    chart.was_emergent |= any(each.was_emergent for each in parts)
    highest_tier(chart, parts)
    earliest_clocks(chart, parts)
    goes_with(chart, parts[0], event)
    alive = [each for each in parts if each.closing is None]
    if not alive:
        end_run(chart, event.receipt)
        closings = [each.closing for each in parts if each.closing is not None]
        chart.closing = max(closings, key=lambda each: each.event.received_at)
        chart.is_cancel_asked = False
        return
    chart.closing = None
    chart.is_cancel_asked = any(each.is_cancel_asked for each in alive)
    if not all(each.declining for each in alive):
        chart.declining = None
    open_ladders(chart, alive, event, hours)


def highest_tier(chart: Chart, parts: list[Chart]) -> None:
    best = max(parts, key=lambda each: rank(each.shown_tier or ""))
    for each in parts:
        if each.shown_tier == best.shown_tier == chart.shown_tier:
            chart.stands |= each.stands  # a human or a timer gave it, whatever was closed then
    if rank(best.shown_tier or "") > rank(chart.shown_tier or ""):
        chart.palliative = None
        chart.tier, chart.gave = best.tier, list(best.gave)
        chart.stands = set(best.stands)
        chart.lowering, chart.is_lowered = best.lowering, best.is_lowered
        chart.rules_seen |= best.rules_seen


def earliest_clocks(chart: Chart, parts: list[Chart]) -> None:
    """Of timers too: what was lowered or closed was one of them."""
    chart.opener = parts[0].opener
    chart.breaches = [each for part in parts for each in part.breaches]  # as one they missed none
    assert chart.opener is not None
    if chart.restarts:
        chart.restarts[0].at = min(chart.restarts[0].at, chart.opener.receipt)
    running = [each.timer for each in parts if each.timer is not None]
    latest = max((each.occurred for each in chart.reports), default=event_time(chart))
    if running and "TIMER_60" in classify(chart.reports, latest).flags:
        chart.timer = min(running)
    if chart.tier == "EMERGENT":
        chart.timer = None  # 'ends ... when a rule has raised the tier'
    asked = {e.event.key for part in parts for e in part.rechecks if not e.is_timer_ended}
    for each in chart.rechecks:
        if each.event.key in asked:
            each.is_timer_ended = False


def goes_with(chart: Chart, first: Chart, event: Event) -> None:
    """'Joined cases go where the message received last of all of theirs says; for the one that
    leads that counts from the joining on.'"""
    chart.sent_on = first.sent_on if chart.site == first.site else event.received_at


def event_time(chart: Chart):  # type: ignore[no-untyped-def]
    assert chart.opener is not None
    return chart.opener.receipt + 0 * HOUR


def waits(chart: Chart) -> bool:
    run = chart.run
    return run is not None and run.answer is None and run.ended is None


def place(chart: Chart) -> int:
    """EMERGENT above all, after treatment as well."""
    assert chart.run is not None
    return rank(ladder_tier(chart, chart.run) or "")


def open_ladders(chart: Chart, parts: list[Chart], event: Event, hours: Hours) -> None:
    """'open ladders stay': only an acknowledgement stops one; but whoever owns the patient at a
    higher tier has the lower one too."""
    owned = [each for each in parts if is_owned(each)]
    top = max(map(place, owned), default=-2)
    waiting = [each for each in parts if waits(each) and place(each) >= top]
    if waiting:
        first = min(waiting, key=lambda each: (-place(each), each.runs[-1].start))
        others = [each for each in waiting if each is not first]
        run = first.runs[-1]
        for each in others:
            other = each.runs[-1]
            run.carried += [*other.carried, (due_of(each, other, hours), other.tier or "")]
        take_over(chart, run)
        if chart.treated_at is not None and not run.is_deterioration:
            run.is_deterioration, run.also, run.tier = True, {"consultant"}, "EMERGENT"
    elif owned and top >= rank(chart.shown_tier or ""):
        take_over(chart, next(each for each in owned if place(each) == top).runs[-1])
    elif owned and (is_owned(chart) or chart.run is None or chart.run.ended is not None):
        run = start_run(chart, event.receipt, event, tells_owner=True)
        had = (
            max(owned, key=place).runs[-1].answer
        )  # 'as at a raise': who has the calmer one is told
        run.also_person = had.owner if had is not None else None
        if chart.tier == "EMERGENT":
            run.also.add("consultant")


def take_over(chart: Chart, run: Run) -> None:
    if chart.run is not None and chart.run.ended is None:
        chart.run.ended = run.start
    chart.runs.append(run)
