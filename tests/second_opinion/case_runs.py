"""Runs of the acknowledgement ladder: when one starts, and when it is due."""

from datetime import datetime

from tests.second_opinion.case_chart import HOUR, MINUTE, Chart, Run, rank
from tests.second_opinion.case_hours import Hours
from triage.domain.events import Event


def limit(tier: str | None, start: datetime, hours: Hours) -> datetime:
    """'15 min | 60 min | the earlier of 4 h in hours and 24 h | 2 working d | 4 h'"""
    if tier == "EMERGENT":
        return start + 15 * MINUTE
    if tier == "URGENT":
        return start + 60 * MINUTE
    if tier == "PRIORITY":
        return min(hours.after_open_hours(start, 4), start + 24 * HOUR)
    if tier == "PALLIATIVE-MDT":
        return start + 4 * HOUR
    return hours.after_working_days(start, 2)


def ladder_tier(chart: Chart, run: Run) -> str | None:
    """'deterioration after treatment: it pages registrar and consultant as an EMERGENT run'"""
    return "EMERGENT" if run.is_deterioration else chart.shown_tier


def due_of(chart: Chart, run: Run, hours: Hours) -> datetime:
    """'It is due one acknowledgement limit after its start; a restarted due instant is never later
    than an unmet one that it replaces.' After a lowering 'obligations of the new tier keep their
    own clock starts; those that the new tier does not have close'."""
    tier = ladder_tier(chart, run) or ""
    carried = [due for due, then in run.carried if rank(then) <= rank(tier)]
    return min([limit(tier, run.start, hours), *carried])


def start_run(
    chart: Chart, start: datetime, starter: Event | None, *also: str, tells_owner: bool = False
) -> Run:
    """The run before it ends; its unmet due instant is carried over. `also` are roles."""
    old = chart.run
    carried: list[tuple[datetime, str]] = []
    if old is not None:
        if old.is_unmet:
            carried = [*old.carried, *([(old.due, old.tier or "")] if old.due else [])]
        old.ended = old.ended or start
    owner = old.answer.owner if tells_owner and old is not None and old.answer else None
    run = Run(start, starter, carried, set(also), owner)
    # 'deterioration after treatment: ... as an EMERGENT run'; so is every other run from then on
    run.is_deterioration = chart.treated_at is not None
    if run.is_deterioration:
        run.also.add("consultant")
        if old is not None and not old.is_deterioration:
            run.carried = []  # 'the obligations of the waiting case end'
    chart.runs.append(run)
    return run


def is_owned(chart: Chart) -> bool:
    """'a case already acknowledged'"""
    run = chart.run
    return run is not None and run.answer is not None and run.ended is None


def note_due(chart: Chart, hours: Hours) -> None:
    """Remember the tier under which the present run waits, and what its own start gives then."""
    run = chart.run
    if run is None:
        return
    if run.tier is not None and run.tier != ladder_tier(chart, run):
        run.also.clear()  # 'At EMERGENT, ... pages its owner and the consultant at once'
    if run.is_unmet or run.is_treated:  # which would go on if the treatment were withdrawn
        run.tier = ladder_tier(chart, run)
        run.due = limit(run.tier, run.start, hours)


def end_run(chart: Chart, at: datetime, *, unmet_only: bool = False) -> None:
    """Closing ends it; treatment what is unmet of it."""
    if chart.run is not None and chart.run.ended is None:
        if unmet_only and chart.run.answer is not None:
            return
        chart.run.ended, chart.run.is_treated = at, unmet_only
