"""Which recording of a milestone stands, corrections and withdrawals applied."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from triage.domain.authority import FIRST_TIME_MILESTONES
from triage.domain.case import MilestoneEntry
from triage.domain.events import Event
from triage.domain.instants import parse_instant


def corrects(correction: Event, entry: MilestoneEntry) -> bool:
    """A side corrects only what it recorded: same side, same source, same milestone."""
    return (
        entry.event == correction.data.get("was")
        and entry.name == correction.data.get("milestone")
        and entry.recorded_by == correction.sender.source
        and entry.side == correction.sender.side.value
    )


def corrected_entries(
    entries: Iterable[MilestoneEntry], corrections: Sequence[Event]
) -> list[MilestoneEntry]:
    """Every recording with its last correction (in clinical order) applied, old value visible."""
    if not corrections:
        return list(entries)
    ordered = sorted(corrections, key=lambda event: event.clinical_order)
    return [_corrected(entry, ordered) for entry in entries]


def _corrected(entry: MilestoneEntry, corrections: Sequence[Event]) -> MilestoneEntry:
    for correction in corrections:
        if not corrects(correction, entry):
            continue
        if correction.data.get("withdrawn") is True:
            entry = replace(entry, is_withdrawn=True, was=entry.was or entry.at)
        else:
            entry = replace(
                entry,
                at=_clamped(correction),
                was=entry.was or entry.at,
                is_withdrawn=False,
            )
    return entry


def _clamped(correction: Event) -> datetime:
    """No clock may say that something is yet to happen: at the latest when we heard of it."""
    at = parse_instant(correction.data.get("time"))
    return min(at or correction.received_at, correction.received_at)


def standing(
    entries: Iterable[MilestoneEntry], corrections: Sequence[Event]
) -> dict[str, MilestoneEntry]:
    """The one entry of each milestone that counts; withdrawn ones are left out."""
    found: dict[str, MilestoneEntry] = {}
    for entry in corrected_entries(entries, corrections):
        if entry.is_withdrawn:
            continue
        other = found.get(entry.name)
        if other is None or _outranks(entry, other):
            found[entry.name] = entry
    return found


def _outranks(entry: MilestoneEntry, other: MilestoneEntry) -> bool:
    earlier = (entry.at, entry.source, entry.event) < (other.at, other.source, other.event)
    return earlier if entry.name in FIRST_TIME_MILESTONES else not earlier
