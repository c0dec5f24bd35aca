"""The tier of a waiting case: what raises it, what lowers it (policy 2 and 3)."""

from collections.abc import Iterable
from datetime import datetime

from tests.second_opinion.case_chart import HOUR, RANK, Chart, Lowering, Recheck, is_higher
from tests.second_opinion.case_orders import (
    value_of,
)
from tests.second_opinion.case_raises import (
    Set,
    after_treatment,
    count_again,
    deteriorations,
    raise_run,
    recheck_of,
    worse_when_owned,
    worse_when_palliative,
)
from tests.second_opinion.case_reports import Reading, Report, classify, merge
from tests.second_opinion.case_runs import is_owned
from tests.second_opinion.vocabulary import COMPARED
from triage.domain.events import Event


def take_findings(chart: Chart, event: Event, report: Report, upward: Set | None = None) -> None:
    """'at each one that carries findings or a `recheck` ..., classify twice ... The higher
    counts.'"""
    signs = new_signs(chart, report)
    chart.reports.append(report)
    recheck = recheck_of(event)
    if recheck:
        chart.rechecks.append(Recheck(event, recheck == "motor_loss"))
    first, second = two_readings(chart, event)
    watch_call_back(chart, event)
    count_again(chart, event, report, first, recheck)
    tier, rules = higher(first, second) if is_counting(chart) else (None, set())
    if upward is not None and (tier is None or not is_higher(tier, upward.tier)):
        same = rules if tier == upward.tier else set()
        tier, rules = upward.tier, same | {upward.rule}
    if chart.treated_at is not None and chart.restarts:  # what opens is always classified
        after_treatment(chart, event, signs, recheck, upward)
        if tier is not None:
            chart.unraised.append((tier, rules))
        set_timer(chart, second, event.receipt)
        return
    if upward is not None and (chart.tier is None or not is_higher(chart.tier, upward.tier)):
        chart.stands.add(upward.rule)  # one who may not lower gives no lower tier
    settle(chart, event, tier, rules, signs)
    set_timer(chart, second, event.receipt)


def new_signs(chart: Chart, report: Report) -> set[str]:
    """D1-D3 and D6 are 'new information', 'against ... any earlier examination': worse than what
    was known, and than what had been found before it."""
    signs = deteriorations(report, merge(chart.reports))
    order = report.event.clinical_order
    earlier = [each for each in chart.reports if each.event.clinical_order < order]
    if len(earlier) < len(chart.reports):
        signs &= deteriorations(report, merge(earlier))
    return signs


def two_readings(chart: Chart, event: Event) -> tuple[Reading, Reading]:
    """'the findings that had occurred up to it, with `now` = its occurred instant; and all
    findings received so far, with `now` = the latest occurred instant among them'"""
    then = [each for each in chart.reports if each.occurred <= event.occurred_at]
    latest = max((each.occurred for each in chart.reports), default=event.occurred_at)
    first = classify(then, event.occurred_at)
    return first, classify(chart.reports, max(latest, event.occurred_at))


def higher(first: Reading, second: Reading) -> tuple[str, set[str]]:
    """Of two equal readings the rules of both."""
    if first.tier == second.tier:
        return first.tier, {*first.rules, *second.rules}
    best = first if is_higher(first.tier, second.tier) else second
    return best.tier, set(best.rules)


def is_counting(chart: Chart) -> bool:
    """After a lowering 'the rules count again from the first event ...'"""
    return chart.lowering is None or chart.lowering.is_over


def settle(chart: Chart, event: Event, tier: str | None, rules: set[str], signs: set[str]) -> None:
    """Raise, or tell an owner of an EMERGENT case what is new about it."""
    is_new = tier == "EMERGENT" and bool(rules - chart.rules_seen)
    if tier == "EMERGENT":
        chart.rules_seen |= rules
        chart.was_emergent = True
    if tier is not None and tier == chart.tier and not chart.is_lowered:
        chart.gave = sorted({*chart.gave, *rules})
    if tier is not None and is_higher(tier, chart.tier):
        chart.tier, chart.gave, chart.is_lowered = tier, sorted(rules), False
        chart.declining = None  # a calmer patient was declined
        if "SET" not in rules:
            chart.stands.discard("SET")
        if chart.palliative is None:
            raise_run(chart, event.receipt, event)
            return
    if chart.palliative is not None:
        worse_when_palliative(chart, event, signs)
    elif chart.tier == "EMERGENT" and (is_new or signs):
        worse_when_owned(chart, event.receipt, event)


def waits_again(chart: Chart, event: Event) -> None:
    """The treatment was none: the ladder that it ended goes on, and 'the highest that the receipt
    of any event ... has given' counts with what came since."""
    run, given = chart.run, chart.unraised
    if run is not None and run.is_treated and chart.closing is None:
        run.ended, run.is_treated = None, False
    chart.unraised = []
    tier = max((each for each, _ in given), key=RANK.index, default=None)
    rules = {rule for each, names in given if each == tier for rule in names}
    chart.stands |= rules & {"E6", "SET"}
    settle(chart, event, tier, rules, set())
    if chart.tier == "EMERGENT":
        chart.timer = None


def watch_call_back(chart: Chart, event: Event) -> None:
    """Call-back: 'first receipt at which U6 hits'; met when '`neuro_unknown` clears'."""
    seen = merge(chart.reports).seen
    missing = [n for n in ("ais", "walking", "neuro_symptom") if n not in seen.text]
    no_cancer = seen.said("cancer") == "none" and seen.said("spinal_metastasis") == "no"
    if len(missing) < 2:
        if chart.call_back is not None and chart.call_back_met is None:
            chart.call_back_met = event.occurred_at
    elif not no_cancer and chart.call_back is None:
        chart.call_back = event.receipt


def set_timer(chart: Chart, reading: Reading, receipt: datetime) -> None:
    """TIMER_60 'starts when first set ..., is not restarted by further messages, and ends only
    when a re-evaluation no longer sets it'."""
    if "TIMER_60" not in reading.flags or chart.tier == "EMERGENT" or not is_counting(chart):
        chart.timer = None
    elif chart.timer is None:
        chart.timer = receipt


def lower(chart: Chart, event: Event, report: Report, tier: str) -> None:
    """'a lowering carries the findings of the clinician who lowers (merged as an examination)'.
    'Timers set before a lowering end with it.'"""
    chart.reports.append(report)
    seen = merge(chart.reports).seen
    best = {name: value_of(seen, name) for name in COMPARED}
    chart.lowering = Lowering(event, tier, best)
    chart.tier, chart.gave, chart.is_lowered = tier, ["SET"], True
    chart.stands.clear()
    chart.rules_seen.clear()
    chart.unraised.clear()
    chart.timer = None
    for each in chart.rechecks:
        each.is_timer_ended = True
    watch_call_back(chart, event)


def timer_raises(chart: Chart, at: datetime, rule: str, due: datetime | None = None) -> None:
    """'After 60 min: EMERGENT, with `TIMER_60` as the rule.' D7: 'not done in time -> EMERGENT
    with rule `D7`'. What was raised already since it was due pages the consultant at once too."""
    chart.stands.add(rule)
    chart.was_emergent = True
    is_new = rule not in chart.rules_seen
    chart.rules_seen.add(rule)
    if is_higher("EMERGENT", chart.tier):
        chart.is_lowered = False
        chart.tier, chart.gave = "EMERGENT", [rule]
        chart.declining = None
        raise_run(chart, at, None, timer=True)
    elif is_new and is_owned(chart):
        worse_when_owned(chart, at, None)
    elif is_new and chart.run is not None and due is not None and chart.run.start >= due:
        chart.run.is_by_timer = True
    chart.timer = None


def overdue_recheck(chart: Chart, each: Recheck) -> datetime | None:
    """When a D7 raises; None when it was met, ended, or asked for another reason."""
    if not each.is_motor_loss or each.is_timer_ended or "D7" in chart.stands:
        return None
    if examined_since(chart.reports, each.event) is not None:
        return None
    return each.event.receipt + HOUR


def examined_since(reports: Iterable[Report], event: Event) -> datetime | None:
    """'met by any event with `ais` or `walking` that occurred later'"""
    since = [r.occurred for r in reports if r.is_examination and r.occurred > event.occurred_at]
    return min(since, default=None)
