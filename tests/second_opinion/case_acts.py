"""What each type of event does to a case."""

from tests.second_opinion.case_answers import (
    ReadPage,
    accept_person,
    offer,
    take_answer,
)
from tests.second_opinion.case_chart import RANK, Chart, is_higher, restart
from tests.second_opinion.case_closing import accept_plan, cancel, reopen_by, take_closing
from tests.second_opinion.case_joins import joins_or_parts
from tests.second_opinion.case_milestones import correct, reach
from tests.second_opinion.case_raises import Set, raise_run, recheck_of
from tests.second_opinion.case_reports import report_of
from tests.second_opinion.case_senders import (
    CLINICIANS,
    CONSULTANTS,
    SENIORS,
    by_of,
)
from tests.second_opinion.case_tier import (
    lower,
    take_findings,
)
from triage.domain.events import Event, EventType

T = EventType
REPORTS = (T.REFERRAL_SUBMITTED, T.REFERRAL_UPDATED, T.NEURO_EXAMINED, T.IMAGING_REPORTED)
TREATMENTS = "surgery radiotherapy systemic stabilise palliative watch more_info".split()
PALLIATIVE_CODES = ("wishes", "prognosis", "no_benefit")


def act(chart: Chart, event: Event, read_page: ReadPage) -> bool:
    """Whether it has an effect."""
    if event.type in REPORTS:
        return take_report(chart, event)
    if event.type is T.TIER_SET:
        return set_tier(chart, event)
    if event.type is T.TREATMENT_DECIDED:
        return decide(chart, event)
    if event.type is T.MILESTONE_REACHED:
        return reach(chart, event)
    if event.type is T.MILESTONE_CORRECTED:
        return correct(chart, event)
    if event.type is T.OPINION_GIVEN:
        return give_opinion(chart, event)
    if event.type is T.REFERRAL_CANCELLED:
        cancel(chart, event)
        return False  # it has one, and the coordinator is told: in a review page as well
    if event.type is T.CASE_CLOSED:
        return take_closing(chart, event)
    if event.type is T.HANDOVER_OFFERED:
        return offer(chart, event)
    if event.type is T.HANDOVER_ACCEPTED:
        return accept_plan(chart, event) and accept_person(chart, event)
    if event.type is T.PAGE_ACKNOWLEDGED:
        return take_answer(chart, event, read_page)
    return event.type not in (T.CASES_JOINED, T.CASES_PARTED) or joins_or_parts(event)


def review(chart: Chart, event: Event) -> None:
    """'is a review page, due in 15 min'"""
    if event.key not in [each.key for each, _ in chart.reviews]:
        chart.reviews.append((event, event.receipt))


def take_report(chart: Chart, event: Event) -> bool:
    is_referral = event.type is T.REFERRAL_SUBMITTED
    is_first, chart.has_referral = not chart.has_referral, chart.has_referral or is_referral
    report, was_closed = report_of(event), chart.closing is not None
    if report.seen.review:
        review(chart, event)
    asks = recheck_of(event) is not None
    sent = asks or isinstance(event.data.get("findings"), dict) or report.seen.review
    if sent or is_referral:  # to refer once more asks, whatever it holds
        reopen_by(chart, event, report, asks=True)
    is_opener = chart.opener is not None and chart.opener.key == event.key
    reopens = was_closed and chart.closing is None
    if sent or is_opener or (is_referral and (is_first or reopens)):
        take_findings(chart, event, report)
    return True


def set_tier(chart: Chart, event: Event) -> bool:
    """'Upward by any named clinician; downward only by a consultant or fellow', 'by name with a
    reason'."""
    by, tier = by_of(event.data), tier_of(event)
    if by is None or tier not in RANK or by.role not in CLINICIANS:
        return False
    report = report_of(event)
    reason = event.data.get("reason")
    may_lower = by.role in SENIORS and isinstance(reason, str) and bool(reason.strip())
    lowers = chart.tier is not None and is_higher(chart.tier, tier)
    if lowers and not may_lower and chart.palliative is None:
        return False
    lowers = lowers and may_lower  # also the tier that a palliative decision hides
    was_palliative, chart.palliative = chart.palliative is not None, None
    reopen_by(chart, event, report, asks=not lowers)
    runs = len(chart.runs)
    if lowers:
        lower(chart, event, report, tier)
    else:
        take_findings(chart, event, report, Set(tier))
    if was_palliative:
        waits_for_all(chart, event, is_paged=len(chart.runs) > runs)
    if report.seen.review:
        review(chart, event)
    chart.tier_acts.append(event)
    return True


def waits_for_all(chart: Chart, event: Event, *, is_paged: bool) -> None:
    """After a palliative decision the tier that stands now is a raise."""
    if not is_paged:
        raise_run(chart, event.receipt, event)
    elif chart.restarts:
        restart(chart, event.receipt)


def tier_of(event: Event) -> str:
    """'one of the four', trimmed and in any case, as values are read."""
    tier = event.data.get("tier")
    return tier.strip().upper() if isinstance(tier, str) else ""


def decide(chart: Chart, event: Event) -> bool:
    """PM1: 'by a named consultant with a reason code (wishes / prognosis by an oncologist / no
    benefit)'; 'it ends with any later upward `tier.set.v1` or other `treatment.decided.v1`'."""
    by = by_of(event.data)
    if by is None or event.data.get("treatment") not in TREATMENTS:
        return False
    if event.data.get("treatment") == "palliative":
        code = event.data.get("reason_code")
        if by.role not in CONSULTANTS or code not in PALLIATIVE_CODES:
            return False
        chart.palliative = event
    elif chart.palliative is not None:
        chart.palliative = None
        raise_run(chart, event.receipt, event)
    chart.decisions.append(event)
    return True


def give_opinion(chart: Chart, event: Event) -> bool:
    if by_of(event.data) is None:
        return False
    chart.opinions.append(event)
    return True
