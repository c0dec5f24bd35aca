"""The one bridge: load, fold, classify, plan, record, in one transaction.

Nothing else changes a case. Doors, consumers, the sweep and the relay bring events here and give
their sender the outcome; what follows (pages, records for Kafka) is in rows when this returns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from triage.domain.case_id import case_id
from triage.domain.events import CaseId, Event
from triage.domain.tiers import Tier
from triage.recording.holding import is_receipt
from triage.recording.ledger import Desk, Ledger
from triage.recording.writing import Entry, Incoming, write_cases, write_journal
from triage.store.transaction import Transaction

__all__ = ["Desk", "Incoming", "Outcome", "handle", "sweep_cases"]

_CLASHES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one event: the receipt (contract section 5); why, when it had no effect."""

    receipt: str
    case: CaseId
    tier: Tier | None
    duplicate: bool
    effect: bool
    reason: str | None
    unread: tuple[str, ...]
    warnings: tuple[str, ...]


def handle(
    tx: Transaction, incoming: Sequence[Incoming], desk: Desk, *, now: datetime
) -> list[Outcome]:
    """Record the events and everything that follows from them; one outcome each, in order.

    `now` is not before any `received_at`. Raises StoreBusy when another writer was faster (the
    caller rolls back and calls again) and StoreUnavailable when the database is away.
    """
    if not incoming:
        return []
    ledger = Ledger(tx, desk, now)
    addressed = _addressed(ledger, incoming)
    firsts = ledger.take([item.event for item in addressed])
    folded = ledger.fold_all()
    write_journal(ledger, [item for index, item in enumerate(addressed) if index in firsts])
    write_cases(ledger, folded)
    return [
        _outcome(ledger, item.event, duplicate=index not in firsts)
        for index, item in enumerate(addressed)
    ]


def sweep_cases(
    tx: Transaction,
    cases: Sequence[CaseId],
    desk: Desk,
    *,
    now: datetime,
    ready: Mapping[CaseId, Entry] = MappingProxyType({}),
) -> int:
    """Tell due cases what time it is; returns how many pages were ordered.

    `ready`: what some of these come to at `now` (`still_true`); the caller has locked those.
    """
    ledger = Ledger(tx, desk, now)
    rest = [case for case in cases if case not in ready]
    ledger.load(rest)
    ledger.touch(rest)
    return write_cases(ledger, ledger.fold_all(), list(ready.values()))


def _addressed(ledger: Ledger, incoming: Sequence[Incoming]) -> list[Incoming]:
    """Load the cases that are meant and resolve clashes of derived ids."""
    noted = {item.event.case for item in incoming}
    noted -= {item.event.case for item in incoming if not is_receipt(item.event)}
    ledger.load({item.event.case for item in incoming}, noted)
    return [_readdressed(item, _address(ledger, item.event)) for item in incoming]


def _readdressed(item: Incoming, event: Event) -> Incoming:
    return item if event is item.event else replace(item, event=event)


def _address(ledger: Ledger, event: Event) -> Event:
    if not event.referral:  # the sender named our case id
        known = ledger.referral_of(event.case)
        return replace(event, referral=known) if known else event
    for clash in range(_CLASHES + 1):
        candidate = case_id(event.referral, clash=clash)
        ledger.load({candidate})
        known = ledger.referral_of(candidate)
        if known in (None, "", event.referral):
            ledger.claim(candidate, event.referral)
            return event if event.case == candidate else replace(event, case=candidate)
    raise ValueError(f"case id: no bits left for a referral after {_CLASHES + 1} clashes")


def _outcome(ledger: Ledger, event: Event, *, duplicate: bool) -> Outcome:
    verdict, tier = ledger.verdict(event), ledger.tier(event.case)
    return Outcome(
        receipt=f"{event.case}.{event.content_hash[:16]}",
        case=event.case,
        tier=tier,
        duplicate=duplicate,
        effect=verdict.effect,
        reason=verdict.reason,
        unread=ledger.unread(event),
        warnings=verdict.warnings,
    )
