"""Nine planted faults: each is found out by the checker within 200 seeds, also what never ends."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from triage.books import load_books
from triage.consumers.batch import Stored, store_batch
from triage.consumers.batches import Batches
from triage.consumers.records import ReadRecord, spans
from triage.domain.events import Actor, CaseId, Event, Sender, Side
from triage.domain.paging import Attempt, ClaimedPage
from triage.handle import Incoming, handle
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.paging_port import StorePages
from triage.proof.simulate.campaign import Judge, run_campaign
from triage.proof.simulate.checker import check
from triage.proof.simulate.incarnation import Makers
from triage.proof.simulate.make_story import crowd, random_story
from triage.proof.simulate.run import run_story
from triage.proof.simulate.story import Story
from triage.proof.simulate.verdict import Violation
from triage.proof.simulate.web_door import look_at_page
from triage.recording.ledger import Ledger, PolicyBooks
from triage.store import page_writes
from triage.store.prepared import Prepared
from triage.store.session import instant_parameter
from triage.web.parts import WebParts
from triage.web.submission import take

_SEEDS = 200


@cache
def _books() -> PolicyBooks:
    return load_books(None)


async def _answer_first(
    parts: WebParts, sender: Sender, raw: bytes, headers: Mapping[str, bytes]
) -> None:
    """Says yes, and stores a moment later."""

    async def later() -> None:
        await asyncio.sleep(0.2)
        with suppress(Exception):
            await take(parts, sender, raw, headers)

    _LATER.add(asyncio.get_running_loop().create_task(later()))


_LATER: set[asyncio.Task[None]] = set()


class _RecordsFirst(StorePages):
    """Settles pages as sent while it claims them."""

    def claim_pages(self, limit: int, lease_seconds: float) -> Sequence[ClaimedPage]:
        claimed = super().claim_pages(limit, lease_seconds)
        self.finish([_as_sent(each, self._clock.now()) for each in claimed if not each.suppress])
        return claimed


def _as_sent(claimed: ClaimedPage, at: Any) -> Attempt:
    order = claimed.order
    return Attempt(
        page=order.page,
        route=order.route,
        attempt=claimed.attempt,
        outcome="accepted",
        provider_word=None,
        at=at,
    )


class _HoldsForEver(StorePages):
    """A claim that never lapses."""

    def claim_pages(self, limit: int, lease_seconds: float) -> Sequence[ClaimedPage]:
        return super().claim_pages(limit, 1e7)


async def _act_on_get(parts: WebParts, page: str) -> int:
    """Takes the opening of a link for an answer."""
    status = await look_at_page(parts, page)
    by = Actor(name="Demonstration Visitor", role="consultant", site="centre:NEURO")
    case = page.split(".")[0]
    answer = {"case": case, "page": page, "answer": "coming", "minutes": 15}
    message = {
        "specversion": "1.0",
        "id": f"get-{page}",
        "source": "centre:NEURO",
        "type": "page.acknowledged.v1",
        "data": {**answer, "by": {"name": "Demonstration Visitor", "role": "consultant"}},
    }
    now = parts.clock.now()
    found = decode(
        orjson.dumps(message),
        headers={},
        door=Door(name="http", admits=Sender(side=Side.CENTRE, source="centre:NEURO", actor=by)),
        received_at=now,
        sent_at=None,
        origin="get",
    )
    with parts.store.begin() as tx:
        handle(tx, found, parts.desk, now=now)  # type: ignore[arg-type]
    return status


class _PositionApart(Batches):
    """Moves the position in a transaction of its own, then stores."""

    async def _store(self, part: Sequence[ReadRecord]) -> Stored:  # type: ignore[override]
        def move() -> None:
            with self.room.store.begin() as tx:
                for place, (first, after) in sorted(spans(part).items()):
                    tx.move_position(place.topic, place.partition, first, after)

        await self.room.run_blocking(move)
        places = list(spans(part))
        return await self.room.run_blocking(
            lambda: store_batch(
                self.room.store,
                part,
                self.room.desk,
                now=self.room.clock.now(),
                unfenced=places,
            )
        )


class _ReceiptsOfStrangers(StorePages):
    """Hands receipts in as a stranger's: somebody must look at each, and is paged for it."""

    def _receipts(self, results: Iterable[Attempt]) -> Iterable[Incoming]:
        stranger = Sender(side=Side.UNREGISTERED, source="centre:ELSEWHERE")
        for each in super()._receipts(results):
            yield replace(each, event=replace(each.event, sender=stranger))


async def _look_for_ever(parts: WebParts, page: str) -> int:
    """Asks again and again, and never waits."""
    while True:
        await asyncio.sleep(0)


def _first_red(
    makers: Makers, wanted: int, stories: Iterator[Story]
) -> tuple[int, list[Violation]]:
    for number, story in enumerate(stories, start=1):
        found = check(run_story(story, _books(), makers))
        if any(each.invariant == wanted for each in found):
            return number, found
    raise AssertionError(f"invariant {wanted} was never seen broken")


def _stories() -> Iterator[Story]:
    for seed in range(_SEEDS):
        yield random_story(seed)


@pytest.mark.parametrize(
    ("makers", "wanted"),
    [
        pytest.param(Makers(take=_answer_first), 1, id="acknowledge before store"),
        pytest.param(Makers(pages=_RecordsFirst), 7, id="record before send"),
        pytest.param(Makers(pages=_HoldsForEver), 7, id="no lease expiry"),
        pytest.param(Makers(look=_act_on_get), 1, id="act on GET"),
        pytest.param(Makers(batches=_PositionApart), 1, id="position outside the transaction"),
        pytest.param(Makers(look=_look_for_ever), 6, id="goes round without waiting"),
    ],
)
def test_a_planted_fault_turns_the_checker_red(makers: Makers, wanted: int) -> None:
    number, _ = _first_red(makers, wanted, _stories())
    assert number <= _SEEDS


def test_a_first_in_first_out_backlog_turns_the_checker_red(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fifo = text(
        "SELECT page FROM page WHERE ready_at <= :now ORDER BY owed_at, page LIMIT :limit"
    ).bindparams(instant_parameter("now"))
    monkeypatch.setattr(page_writes, "CLAIM_SQLITE", Prepared(fifo))
    number, _ = _first_red(Makers(), 8, (crowd(seed) for seed in range(5)))
    assert number <= _SEEDS


def test_a_joining_that_only_one_of_the_cases_hears_of_turns_the_checker_red(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def alone(_ledger: Ledger, event: Event) -> set[CaseId]:
        return {event.case}

    monkeypatch.setattr(Ledger, "_joint", alone)
    number, _ = _first_red(Makers(), 4, _stories())
    assert number <= _SEEDS


def test_a_run_that_would_never_end_is_given_up_and_its_seed_is_named() -> None:
    judge = Judge(books=_books(), makers=Makers(pages=_ReceiptsOfStrangers))
    campaign = run_campaign([2], judge)
    (found,) = campaign.broken[2]
    assert found.what.startswith("a storm of pages about ")
    assert campaign.pages < 1000
