"""Stand-ins for the relay's neighbours: a store in memory, a clock, routes that do as told."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from triage.domain.events import CaseId
from triage.domain.paging import Attempt, ClaimedPage, PageId, PageKey, PageOrder, page_id
from triage.domain.tiers import Tier
from triage.notify.routes import Accepted, Connection, PageRoute, SendResult

T = TypeVar("T")
START = datetime(2026, 3, 10, 8, 2, tzinfo=UTC)
CASE = CaseId("BF2T-5B1F-ZGDY")


async def run_inline(work: Callable[[], T]) -> T:
    """Blocking work done at once, so that a test knows the order of things."""
    return work()


@dataclass
class FakeClock:
    """A clock that only a test moves."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def order(
    *,
    tier: Tier | None = Tier.EMERGENT,
    route: str = "desk",
    kind: str = "webhook",
    role: str = "registrar",
    rung: int = 0,
    owed_at: datetime = START,
    **changes: Any,
) -> PageOrder:
    """A page of an invented case."""
    key = PageKey(case=CASE, obligation="acknowledgement", run_tag="3f9c21ab", rung=rung, round=0)
    made = PageOrder(
        page=page_id(key, role=role, route=route),
        case=CASE,
        tier=tier,
        reason_class="worsening deficit, cord compressed",
        asked="acknowledge",
        obligation="acknowledgement",
        due_at=START + timedelta(minutes=15),
        owed_at=owed_at,
        run="e-0001",
        rung=rung,
        round=0,
        role=role,
        site="centre:NEURO",
        person="reg-a",
        name="Sample Registrar",
        chosen_by="rota registrar at centre:NEURO, turn of 2026-03-09",
        route=route,
        route_kind=kind,
        callback="+44 1632 960001",
        policy="0.1+3f9c21ab-draft",
    )
    return replace(made, **changes)


def _turn(ordered: PageOrder) -> tuple[bool, datetime, datetime]:
    drain_by = ordered.due_at or ordered.owed_at
    return (ordered.tier is not Tier.EMERGENT, drain_by, ordered.owed_at)


def claim(ordered: PageOrder, *, attempt: int = 1, **changes: Any) -> ClaimedPage:
    """The page as a relay holds it."""
    return replace(ClaimedPage(order=ordered, attempt=attempt, possibly_doubled=False), **changes)


@dataclass
class _Page:
    order: PageOrder
    ready_at: datetime | None
    attempts: int = 0
    is_sending: bool = False
    possibly_doubled: bool = False
    withdrawn: str | None = None


class FakeStore:
    """Pages in memory, with the store's rules for claiming, leases and settling."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.attempts: list[Attempt] = []
        self.is_away = False
        self._pages: dict[PageId, _Page] = {}

    def owe(self, *orders: PageOrder) -> None:
        for ordered in orders:
            self._pages.setdefault(ordered.page, _Page(ordered, self.clock.now()))

    def withdraw(self, ordered: PageOrder, reason: str) -> None:
        self._pages[ordered.page].withdrawn = reason

    def outcomes(self, ordered: PageOrder) -> list[tuple[str, str]]:
        """(route, outcome) of every attempt on a page, in the order of recording."""
        return [
            (attempt.route, attempt.outcome)
            for attempt in self.attempts
            if attempt.page == ordered.page
        ]

    def is_settled(self, ordered: PageOrder) -> bool:
        return self._pages[ordered.page].ready_at is None

    def claim_pages(self, limit: int, lease_seconds: float) -> Sequence[ClaimedPage]:
        self._answer()
        now = self.clock.now()
        ready = [page for page in self._pages.values() if page.ready_at and page.ready_at <= now]
        ready.sort(key=lambda page: _turn(page.order))
        return [self._claim(page, now, lease_seconds) for page in ready[:limit]]

    def _claim(self, page: _Page, now: datetime, lease_seconds: float) -> ClaimedPage:
        page.possibly_doubled |= page.is_sending
        page.is_sending = True
        page.attempts += 1
        page.ready_at = now + timedelta(seconds=lease_seconds)
        return ClaimedPage(
            order=page.order,
            attempt=page.attempts,
            possibly_doubled=page.possibly_doubled,
            suppress=page.withdrawn,
        )

    def finish(self, results: Sequence[Attempt]) -> None:
        self._answer()
        self.attempts.extend(results)
        for result in results:
            page = self._pages[result.page]
            if result.route == page.order.route:
                page.is_sending = False
                page.ready_at = result.retry_at

    def _answer(self) -> None:
        if self.is_away:
            raise ConnectionError("store is away")


@dataclass
class FakeRoute:
    """A route that keeps what it was sent, and answers what it is told to."""

    answers: list[SendResult] = field(default_factory=list)
    hangs: bool = False
    sent: list[Mapping[str, Any]] = field(default_factory=list)
    orders: list[PageOrder] = field(default_factory=list)

    async def send(self, order: PageOrder, document: Mapping[str, Any]) -> SendResult:
        self.sent.append(document)
        self.orders.append(order)
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        return self.answers.pop(0) if self.answers else Accepted("taken")

    @property
    def pages(self) -> list[str]:
        return [document["page"] for document in self.sent]


class FakeRoutes:
    """Routes by name; every route is a lane. The desk's inbox is `desk_inbox`."""

    def __init__(self, **routes: PageRoute) -> None:
        self.named = routes
        self.desk_inbox = FakeRoute()

    def connect(self, order: PageOrder) -> Connection:
        if order.route_kind == "inbox" or order.route not in self.named:
            return self.desk()
        return Connection(order.route, self.named[order.route])

    def desk(self) -> Connection:
        return Connection("inbox", self.desk_inbox)
