"""Immediate measures to remind of. Text only: the prescriber decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from triage.policies.bands import Findings
from triage.policies.book import PolicyBook
from triage.policies.classify import Assessment


@dataclass(frozen=True, slots=True)
class Reminded:
    """One reminder with the cautions that this patient asks for."""

    id: str
    text: str
    cautions: tuple[str, ...]
    source: tuple[str, ...]


def reminders(
    findings: Findings, assessment: Assessment, book: PolicyBook, *, now: datetime
) -> tuple[Reminded, ...]:
    """The reminders that apply at `now`, in the order of the book."""
    compiled = book.compiled
    sins = compiled.bands.sins.read(findings.values)
    failed = compiled.bands.failed(findings, now, None, sins)
    fitting = compiled.program.settle(failed)[1]
    flags, tier = assessment.flags, assessment.tier
    return tuple(
        Reminded(row.id, row.text, _cautions(row.caution, row.caution_with, flags), row.source)
        for row, plan in compiled.layout.reminders
        if row.always or plan.is_set(fitting, flags, tier)
    )


def _cautions(caution: str, by_flag: Mapping[str, str], flags: tuple[str, ...]) -> tuple[str, ...]:
    """The caution that a flag asks for comes first."""
    asked = [text for flag, text in by_flag.items() if flag in flags]
    return tuple(text for text in (*asked, caution) if text)
