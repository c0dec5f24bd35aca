"""Clocks that stand as they are, whatever raises the tier: from imaging to after surgery."""

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.second_opinion.case_chart import DAY, HOUR, MINUTE, Chart
from tests.second_opinion.case_orders import value_of
from tests.second_opinion.case_owed import Owed, earliest, ending
from tests.second_opinion.case_reports import classify, merge
from tests.second_opinion.case_restarts import decided_at, heard_of, restarted, standing_decision


def suspected(chart: Chart) -> datetime:
    """'`suspected` missing = the earliest of first_presentation, referral_sent,
    referral_received'"""
    at = chart.standing("suspected")
    if at is not None:
        return at
    others = [chart.standing(name) for name in ("first_presentation", "referral_sent")]
    return min([received(chart), *[each for each in others if each is not None]])


def received(chart: Chart) -> datetime:
    """'`referral_received` = the earlier of the two'"""
    assert chart.opener is not None
    return chart.opener.receipt


def first_found(chart: Chart, *values: str) -> datetime | None:
    """When `mri` was first said to be one of these."""
    times = [r.occurred for r in chart.reports if value_of(r.seen, "mri") in values]
    return min(times, default=None)


def mri_met(chart: Chart) -> datetime | None:
    """'mri_done, or `mri` done or reported'"""
    return earliest(chart.standing("mri_done"), first_found(chart, "done", "reported"))


def report_met(chart: Chart) -> datetime | None:
    """'mri_reported or `imaging.reported.v1`'; `mri` = reported says the same."""
    reports = [r.occurred for r in chart.reports if r.event.type.value == "imaging.reported.v1"]
    found = first_found(chart, "reported")
    return earliest(chart.standing("mri_reported"), min(reports, default=None), found)


FROM_SUSPICION = {"EMERGENT": DAY, "URGENT": DAY, "PRIORITY": 7 * DAY, "ROUTINE": 14 * DAY}


def imaging(chart: Chart) -> Iterator[Owed]:
    """MRI: '4 h; hard 24 h from suspicion | 24 h from suspicion | 7 d | 14 d'; report: '1 h | same
    24 h | within 7 d'"""
    tier, start, met = chart.shown_tier or "", suspected(chart), mri_met(chart)
    for each in restarted(chart, "mri", {"EMERGENT": 4 * HOUR}, []):
        # The picture has been taken: a raise asks for no second one. What ended is not met late.
        is_met = met is not None and (each.ended is None or met <= each.ended)
        yield Owed("mri", each.start, each.due, met if is_met else None, each.ended)
    if tier == "EMERGENT" and met is not None:
        yield Owed("mri_report", met, met + HOUR, report_met(chart))
    if tier in FROM_SUSPICION:
        yield Owed("mri", start, start + FROM_SUSPICION[tier], met)
    if tier in ("URGENT", "PRIORITY"):
        yield Owed("mri_report", start, start + FROM_SUSPICION[tier], report_met(chart))


def first_decision(chart: Chart) -> datetime | None:
    """'`treatment.decided.v1` other than more_info'"""
    times = [e.occurred_at for e in chart.decisions if e.data.get("treatment") != "more_info"]
    return min(times, default=None)


def decision(chart: Chart) -> Iterator[Owed]:
    """'2 h after report; hard 24 h from suspicion | 24 h from suspicion | 7 d | 14 d | made'"""
    tier, reported, start = chart.shown_tier or "", report_met(chart), suspected(chart)
    met = first_decision(chart)
    if tier == "EMERGENT" and reported is not None:
        yield Owed("decision", reported, reported + 2 * HOUR, met)
    if tier in FROM_SUSPICION:
        yield Owed("decision", start, start + FROM_SUSPICION[tier], met)


def transfer(chart: Chart) -> Iterator[Owed]:
    """'(accepted -> departed / arrived) 2 h / 4 h | 6 h / 12 h'; ends with 'decision without
    transfer'"""
    accepted, decided = chart.standing("accepted"), standing_decision(chart)
    hours = {"EMERGENT": (2, 4), "URGENT": (6, 12)}.get(chart.shown_tier or "")
    if accepted is None or hours is None:
        return
    arrived = chart.standing("arrived")
    left = chart.standing("departed") or arrived  # who has arrived has left
    found = [
        Owed("transfer", accepted, accepted + hours[0] * HOUR, left),
        Owed("transfer", accepted, accepted + hours[1] * HOUR, arrived),
    ]
    stays = decided is not None and decided.data.get("treatment") in ("watch", "palliative")
    yield from ending(iter(found), decided_at(chart) if stays else None)


def theatre(chart: Chart, now: datetime) -> Iterator[Owed]:
    """'6 h from decision, breach 24 h from received | 24 h from decision, 48 h from onset; U4 only
    72 h | 7 d'"""
    decided, tier = standing_decision(chart), chart.shown_tier
    if decided is None or decided.data.get("treatment") not in ("surgery", "stabilise"):
        return
    at = decided.occurred_at
    clocks: list[tuple[datetime, int]] = []
    if tier == "EMERGENT":
        clocks = [(at, 6), (received(chart), 24)]
    elif tier == "URGENT" and is_only_unstable(chart, now):
        clocks = [(at, 72)]
    elif tier == "URGENT":
        onset = onset_of(chart)
        clocks = [(at, 24), *([(onset, 48)] if onset is not None else [])]
    elif tier == "PRIORITY":
        clocks = [(at, 7 * 24)]
    for start, hours in clocks:
        yield Owed("theatre", start, start + hours * HOUR, operated(chart, at))


def onset_of(chart: Chart) -> datetime | None:
    """'48 h from onset': of what is stated, as a finding or as a milestone, the earliest."""
    found = merge(chart.reports).seen.instant.get("deficit_onset_at")
    stated = None if found is None else datetime.fromtimestamp(float(found), UTC)
    return earliest(stated, chart.standing("deficit_onset"), chart.standing("last_walked"))


def operated(chart: Chart, decided: datetime) -> datetime | None:
    """'decision = surgery or stabilise | knife_to_skin': an operation that had ended before the
    decision is not what was decided."""
    ends = [at for _, at in heard_of(chart, "surgery_end")]
    found = []
    for _, knife in heard_of(chart, "knife_to_skin"):
        end = min((at for at in ends if at >= knife), default=None)
        if knife >= decided or (end is not None and end >= decided):
            found.append(knife)
    return min(found, default=None)


def is_only_unstable(chart: Chart, now: datetime) -> bool:
    """'U4 only': what findings give now, and no tier that somebody set, who may know more."""
    is_set = chart.is_lowered or "SET" in chart.stands
    return not is_set and classify(chart.reports, now).rules == ["U4"]


def radiotherapy(chart: Chart) -> Iterator[Owed]:
    """'24 h from decision | 24 h | 7 d | per plan | 24 h if neurology'"""
    decided = standing_decision(chart)
    limits = {"EMERGENT": DAY, "URGENT": DAY, "PRIORITY": 7 * DAY, "PALLIATIVE-MDT": DAY}
    span = limits.get(chart.shown_tier or "")
    if decided is None or span is None:
        return
    chosen = decided.data.get("treatment") == "radiotherapy"
    if chosen if chart.palliative is None else has_neurology(chart):
        at = decided.occurred_at
        begun = [each for _, each in heard_of(chart, "radiotherapy_started") if each >= at]
        yield Owed("radiotherapy", at, at + span, min(begun, default=None))


def has_neurology(chart: Chart) -> bool:
    """A neurological symptom or sign."""
    reading = classify(chart.reports, max(each.occurred for each in chart.reports))
    return bool({"U1", "E3", "U3"} & set(reading.all_rules))


def after_surgery(chart: Chart) -> Iterator[Owed]:
    """'postop_neuro_exam within 2 h, an examination at 24 h'; not below PRIORITY; ends: died."""
    end = chart.standing("surgery_end")
    if end is None or chart.shown_tier in ("ROUTINE", "PALLIATIVE-MDT"):
        return
    # One in the second half of the day counts as the one at its end.
    exams = [r.occurred for r in chart.reports if r.is_examination and r.occurred >= end + DAY / 2]
    recovery = [at for _, at in heard_of(chart, "postop_neuro_exam") if at >= end]
    found = [
        Owed("after_surgery", end, end + 2 * HOUR, min(recovery, default=None)),
        Owed("after_surgery", end, end + DAY, min(exams, default=None)),
    ]
    yield from ending(iter(found), chart.standing("died"))


def information(chart: Chart) -> Iterator[Owed]:
    """'info_requested; 60 min EMERGENT, 4 h else | info_completed'"""
    asked = chart.standing("info_requested")
    if asked is None:
        return
    done = min((at for _, at in heard_of(chart, "info_completed") if at >= asked), default=None)
    span = 60 * MINUTE if chart.shown_tier == "EMERGENT" else 4 * HOUR
    yield Owed("information_requested", asked, asked + span, done)
