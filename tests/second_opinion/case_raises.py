"""What a report shows that is worse, and the runs that this starts (policy 3 and 3.2)."""

from dataclasses import dataclass
from datetime import datetime

from tests.second_opinion.case_chart import Chart, Lowering, Run, restart
from tests.second_opinion.case_orders import (
    ORDERED,
    is_most_benign,
    is_worse,
    place,
    value_of,
)
from tests.second_opinion.case_reports import Merged, Reading, Report, merge
from tests.second_opinion.case_runs import is_owned, start_run
from tests.second_opinion.case_senders import by_of
from tests.second_opinion.vocabulary import COMPARED
from triage.domain.events import Event

RECHECKS = ("motor_loss", "pain_surge", "fall", "collapse")


@dataclass
class Set:
    """What a `tier.set.v1` upward sets: 'E6 for EMERGENT, `SET` below'."""

    tier: str

    @property
    def rule(self) -> str:
        return "E6" if self.tier == "EMERGENT" else "SET"


def raise_run(chart: Chart, at: datetime, starter: Event | None, *, timer: bool = False) -> None:
    """'A raise of the tier restarts acknowledgement, senior opinion, ...'"""
    if chart.opener is None or not chart.restarts:
        return  # not a raise: it opens, or it waits for what opens
    restart(chart, at)
    # 'At EMERGENT, ... on a case already acknowledged pages its owner and the consultant at once'
    also = ["consultant"] if is_owned(chart) and chart.tier == "EMERGENT" else []
    run = start_run(chart, at, starter, *also, tells_owner=True)
    run.is_by_timer = timer


def worse_when_owned(chart: Chart, at: datetime, starter: Event | None) -> None:
    """'At EMERGENT, a new EMERGENT rule, or D1-D3 or D6, on a case already acknowledged'"""
    if is_owned(chart) and chart.closing is None:
        start_run(chart, at, starter, "consultant", tells_owner=True)


def worse_when_palliative(chart: Chart, event: Event, signs: set[str]) -> None:
    """'any new D1-D3 event (section 3) pages that consultant again'; D6 is read with them."""
    if signs and chart.closing is None and chart.opener is not None:
        run = start_run(chart, event.receipt, event, "consultant")
        run.also_person = by_of(chart.palliative.data) if chart.palliative else None


def after_treatment(
    chart: Chart, event: Event, signs: set[str], recheck: str | None, upward: Set | None
) -> None:
    """'A finding worse than the last one ... (D1-D3, D6), a `recheck` = motor_loss, or E6 is
    *deterioration after treatment* ...; anything else raises nothing.'"""
    is_named_emergent = upward is not None and upward.tier == "EMERGENT"
    treated = chart.treated_at
    if treated is None or event.occurred_at < treated:
        return  # late news of the time before
    if not (signs or recheck == "motor_loss" or is_named_emergent):
        return
    if chart.closing is None and chart.opener is not None:
        deteriorate(chart, event)


def deteriorate(chart: Chart, event: Event) -> Run:
    run = start_run(chart, event.receipt, event, "consultant", tells_owner=True)
    run.is_deterioration = True
    return run


def deteriorations(report: Report, before: Merged) -> set[str]:
    """D1 'AIS worse', D2 'walking category lost', D3 'new bladder, bowel or saddle change;
    PVR >= 200', D6 'respiratory change'."""
    signs = set()
    if is_worse("ais", value_of(report.seen, "ais"), before.value("ais")):
        signs.add("D1")
    if is_worse("walking", value_of(report.seen, "walking"), before.compared("walking")):
        signs.add("D2")
    if has_new_sphincter_change(report, before):
        signs.add("D3")
    breathes = value_of(report.seen, "respiratory")
    if breathes == "compromised" and before.value("respiratory") != "compromised":
        signs.add("D6")
    return signs


def has_new_sphincter_change(report: Report, before: Merged) -> bool:
    for name in ("bladder", "saddle_sensation"):
        value, old = value_of(report.seen, name), before.value(name)
        bad = place(name, value)
        if bad and (old is None or is_worse(name, value, old) or place(name, old) is None):
            return True
    volume = place("pvr_ml", value_of(report.seen, "pvr_ml"))
    old = place("pvr_ml", before.value("pvr_ml"))
    return volume is not None and volume >= 200 and (old is None or volume > old)


def recheck_of(event: Event) -> str | None:
    word = event.data.get("recheck")
    word = word.strip().casefold() if isinstance(word, str) else None
    return word if word in RECHECKS else None


def count_again(
    chart: Chart, event: Event, report: Report, first: Reading, recheck: str | None
) -> None:
    """'A lowered case rises again on any later finding that is worse than what that clinician
    had'."""
    low = chart.lowering
    if low is None or low.is_over:
        return
    worse = [is_worse_than_best(low, report, name) for name in COMPARED]
    low.is_over = any(worse)  # after all of them, each of which may have a new best value
    if event.occurred_at <= low.event.occurred_at:
        return
    # 'A `trend` worsening, grade drop, walking category lost or `recheck` that occurred after the
    # lowering always counts'
    then = merge([each for each in chart.reports if each.occurred <= event.occurred_at])
    drops = then.drops and "ais" in report.seen.text
    is_worsening = report.seen.said("trend") == "worsening"
    low.is_over = low.is_over or is_worsening or drops or then.loses or recheck is not None


def is_worse_than_best(low: Lowering, report: Report, name: str) -> bool:
    """'some field that they read is worse than the best value received at or after the lowering
    (...; from not assessed to any value that is not the most benign is worse; a change to or from
    a value outside the orders, or of `level`, counts)'"""
    value, best = value_of(report.seen, name), low.best.get(name)
    if value is None:
        return False
    if name in ORDERED and place(name, value) is not None:
        if best is None:
            low.best[name] = value
            return not is_most_benign(name, value)
        if place(name, best) is not None:
            if is_worse(name, best, value):
                low.best[name] = value
            return is_worse(name, value, best)
    return value != best
