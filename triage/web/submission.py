"""Taking events in: decode, then store, then answer. Nothing is answered before it is stored."""

import asyncio
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from triage.domain.errors import StoreUnavailable
from triage.domain.events import Sender, Side
from triage.handle import Incoming, Outcome, handle
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.intake.unreadable import Unreadable, quarantine_item
from triage.store.failures import StoreBusy
from triage.store.transaction import Transaction
from triage.web.parts import WebParts
from triage.web.problems import RefusalError, unavailable, undecided

T = TypeVar("T")

DOOR = "http"
_TRIES = 6
_FIRST_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of each message of one request, in its order. `tiers`: those it may be told."""

    results: Sequence[Outcome | Unreadable]
    may_see: Mapping[str, bool]

    @property
    def outcomes(self) -> list[Outcome]:
        """Of the messages that were stored."""
        return [each for each in self.results if isinstance(each, Outcome)]

    @property
    def unreadable(self) -> list[tuple[int, Unreadable]]:
        """Of the others, with their place."""
        return [
            (index, each) for index, each in enumerate(self.results) if isinstance(each, Unreadable)
        ]


async def take(parts: WebParts, sender: Sender, raw: bytes, headers: Mapping[str, bytes]) -> Taken:
    """Store what can be read. RefusalError: 400 or 403 when nothing can be, 503 without a store.

    Of a batch with readable members the unreadable ones go to quarantine, where a human sees them,
    besides being named in the answer.
    """
    now = parts.clock.now()
    decoded = decode(
        raw,
        headers=headers,
        door=Door(name=DOOR, admits=sender),
        received_at=now,
        sent_at=None,
        origin=f"{DOOR}:{uuid.uuid4().hex[:12]}",
        place=sender.source,
    )
    incoming = [each for each in decoded if isinstance(each, Incoming)]
    bad = [each for each in decoded if isinstance(each, Unreadable)]
    if not incoming:
        parts.instruments.unreadable(DOOR, "refused", max(len(bad), 1))
        raise refusal(bad)
    outcomes, may_see = await in_store(parts, partial(_store, parts, sender, incoming, bad, now))
    parts.instruments.events(DOOR, incoming, outcomes)
    parts.instruments.unreadable(DOOR, "quarantined", len(bad))
    return Taken(list(_in_order(decoded, outcomes)), may_see)


async def in_store(parts: WebParts, work: Callable[[], T]) -> T:
    """Run a transaction off the event loop; again when another writer was faster.

    Raises RefusalError (503) when the database stays away: nothing was stored then. When it hangs
    the answer says that nobody knows yet; what a thread still waits for may be stored later.
    """
    try:
        async with asyncio.timeout(parts.patience_seconds):
            return await _persistently(parts, work)
    except TimeoutError:
        raise undecided(parts.patience_seconds) from None


async def _persistently(parts: WebParts, work: Callable[[], T]) -> T:
    pause = _FIRST_PAUSE_SECONDS
    for _ in range(_TRIES):
        try:
            return await parts.run_blocking(work)
        except StoreBusy:
            await asyncio.sleep(pause)
            pause *= 2
        except StoreUnavailable:
            break
    raise unavailable()


def refusal(bad: Sequence[Unreadable]) -> RefusalError:
    """The answer when nothing of a request could be used."""
    errors = [unreadable_error(index, each) for index, each in enumerate(bad)]
    if bad and all(each.is_contradiction for each in bad):
        detail = "What the message says of its sender contradicts the token."
        return RefusalError(403, "Not yours to send", detail, errors=errors)
    detail = "Nothing was stored. Correct what `errors` names and send it again."
    return RefusalError(400, "Cannot be read as an event", detail, errors=errors)


def unreadable_error(index: int, unreadable: Unreadable) -> dict[str, Any]:
    """One entry of `errors`; `index` is the place in the batch, from 0."""
    reason = unreadable.reason
    return {
        **{key: reason.get(key) for key in ("path", "value", "allowed", "hint")},
        "index": index,
    }


def _store(
    parts: WebParts,
    sender: Sender,
    incoming: Sequence[Incoming],
    bad: Sequence[Unreadable],
    now: datetime,
) -> tuple[list[Outcome], dict[str, bool]]:
    with parts.store.begin() as tx:
        outcomes = handle(tx, incoming, parts.desk, now=now)
        tx.quarantine([quarantine_item(each) for each in bad])
        return outcomes, {
            outcome.case: _is_own(tx, sender, item, outcome)
            for item, outcome in zip(incoming, outcomes, strict=True)
        }


def _is_own(tx: Transaction, sender: Sender, item: Incoming, outcome: Outcome) -> bool:
    """Whether the sender may be told of this case: a hospital only of its own."""
    if sender.side is not Side.HOSPITAL:
        return True
    if item.event.referral:
        return item.event.referral.startswith(f"{sender.source}/")
    row = tx.reads.case(outcome.case)
    return row is not None and row.hospital == sender.source


def _in_order(
    decoded: Sequence[Incoming | Unreadable], outcomes: Sequence[Outcome]
) -> Iterator[Outcome | Unreadable]:
    stored = iter(outcomes)
    for each in decoded:
        yield each if isinstance(each, Unreadable) else next(stored)
