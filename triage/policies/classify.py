"""From findings to a tier with its rules, flags, reasons and what was assumed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from triage.domain.tiers import Tier
from triage.policies.bands import Earlier, Findings
from triage.policies.book import PolicyBook
from triage.policies.reasons import Telling

_TIMER, _CALL_BACK = "TIMER_60", "U6"


class Assessment(NamedTuple):
    """What the rules say at one instant. All tuples are sorted, but `reasons`: most telling first.

    `assumed`: fields not assessed that this tier rests on; `needs`: those of them worth a call.
    `timer_60` and `u6` start the timers of the same name.
    """

    tier: Tier
    rules: tuple[str, ...]
    all_rules: tuple[str, ...]
    flags: tuple[str, ...]
    reasons: tuple[str, ...]
    assumed: tuple[str, ...]
    needs: tuple[str, ...]
    policy: str
    sev: int
    grade_drop: bool
    neuro_unknown: bool
    timer_60: bool
    u6: bool


def classify(
    findings: Findings,
    book: PolicyBook,
    *,
    now: datetime,
    ais_at: datetime | None = None,
    earlier_ais: Earlier = (),
) -> Assessment:
    """Evaluate every rule at `now`.

    `ais_at` is when the present grade was found (default `now`); `earlier_ais` are grades of
    earlier examinations with their times, beside `previous_ais`. Never raises for findings that
    `read_findings` gave for this book.
    """
    compiled, values = book.compiled, findings.values
    bands = compiled.bands
    drop = bands.grade_drop(values, ais_at or now, earlier_ais)
    sins = bands.sins.read(values)
    settled, fitting = compiled.program.settle(bands.failed(findings, now, drop, sins))
    found = compiled.outcome(fitting)
    telling = Telling(values, now, drop, sins)
    reasons = tuple([telling.sentence(rule, fitting) for rule in found.winners])
    return Assessment(
        found.tier,
        found.rules,
        found.all_rules,
        found.flags,
        reasons or compiled.layout.otherwise_reasons,
        found.assumed,
        found.needs,
        book.version,
        int(settled["sev"]),
        drop is not None,
        settled["neuro_unknown"] == "yes",
        _TIMER in found.flags,
        _CALL_BACK in found.all_rules,
    )


def depends_on_time(values: Mapping[str, Any]) -> bool:
    """Whether an assessment of these findings may be another one at another instant.

    Only of a finding that is an instant does the age count, or is told: the grade's is given.
    """
    return any(isinstance(value, datetime) for value in values.values())
