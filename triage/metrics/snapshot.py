"""One reading of the figures: all from the same instant of the database."""

from dataclasses import dataclass
from datetime import datetime

from triage.store.figures import Counts, DeadlineCount, LegDuration, OpenCount, Unacknowledged
from triage.store.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the collector shows until the next reading. `registered`: sources that hold a token."""

    at: datetime
    open_cases: list[OpenCount]
    deadlines: list[DeadlineCount]
    unacknowledged: list[Unacknowledged]
    durations: list[LegDuration]
    counts: Counts
    progress: dict[str, datetime]
    open_findings: dict[str, int]
    registered: frozenset[str]


def take_snapshot(reader: Reader, now: datetime) -> Snapshot:
    """Reads every figure; nothing of it names a patient or a case."""
    return Snapshot(
        at=now,
        open_cases=reader.open_by_tier_leg(),
        deadlines=reader.past_deadline(now),
        unacknowledged=reader.unacknowledged_oldest(),
        durations=reader.durations(),
        counts=reader.counts(),
        progress=reader.progress(),
        open_findings=reader.open_findings(),
        registered=reader.sources(),
    )
