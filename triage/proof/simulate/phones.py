"""Providers and the telephones behind them: they take pages, refuse, hang, fail and mislead."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from triage.domain.paging import PageOrder
from triage.domain.roster.roster import DESK_INBOX
from triage.notify.routes import Accepted, Connection, Refused, SendResult, Unreachable
from triage.proof.simulate.crash_points import Gate
from triage.proof.simulate.story import Temper, dice

_HANGS_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A page at a provider: `is_seen` False where nobody will ever look at that telephone."""

    at: datetime
    asked_at: datetime
    document: Mapping[str, Any]
    route: str
    kind: str
    role: str
    is_seen: bool
    is_answered: bool  # the provider's yes came back in time


@dataclass(slots=True)
class Phones:
    """Every provider of the simulation. `asked` is told of each page that is about to be handed
    over, `rings` of each that has arrived."""

    seed: int
    temper: Temper
    now: Callable[[], datetime]
    is_away: Callable[[], bool]
    asked: Callable[[Mapping[str, Any]], None]
    rings: Callable[[Arrival], None]
    arrivals: list[Arrival] = field(default_factory=list)

    def of(self, gate: Gate) -> "PhoneRoutes":
        """The routes as one process reaches them."""
        return PhoneRoutes(self, gate)

    async def take(self, order: PageOrder, document: Mapping[str, Any], kind: str) -> SendResult:
        """One attempt to hand a page over."""
        asked_at = self.now()
        self.asked(document)
        luck = dice(self.seed, "provider", order.page, order.route, str(document["attempt"]))
        if self.temper.slowest_seconds:
            await asyncio.sleep(round(luck.uniform(0.1, 1.0) * self.temper.slowest_seconds, 3))
        way = "takes" if kind == "inbox" else self._way(luck.random())
        if way == "refuses":
            return Refused("the simulated provider does not take it")
        if way == "unreachable":
            return Unreachable("no connection: simulated")
        seen = way != "says delivered"
        arrival = Arrival(
            at=self.now(),
            asked_at=asked_at,
            document=document,
            route=order.route,
            kind=kind,
            role=order.role,
            is_seen=seen,
            is_answered=way != "hangs",
        )
        self.arrivals.append(arrival)
        self.rings(arrival)
        if way == "hangs":
            await asyncio.sleep(_HANGS_SECONDS)
        return Accepted("delivered" if way == "says delivered" else "taken")

    def _way(self, luck: float) -> str:
        if self.is_away():
            return "unreachable"
        temper = self.temper
        for way, part in (
            ("refuses", temper.refuses),
            ("hangs", temper.hangs),
            ("unreachable", temper.unreachable),
            ("says delivered", temper.says_delivered),
        ):
            if luck < part:
                return way
            luck -= part
        return "takes"


@dataclass(frozen=True, slots=True)
class PhoneRoutes:
    """The port of the relay: a connection for each route of an order."""

    phones: Phones
    gate: Gate

    def connect(self, order: PageOrder) -> Connection:
        """The order's own route; one lane for each kind, as providers are shared."""
        return Connection(order.route_kind, _Line(self, order.route_kind))

    def desk(self) -> Connection:
        """The inbox of the desk: it always takes."""
        return Connection(DESK_INBOX, _Line(self, "inbox"))


@dataclass(frozen=True, slots=True)
class _Line:
    routes: PhoneRoutes
    kind: str

    async def send(self, order: PageOrder, document: Mapping[str, Any]) -> SendResult:
        """With crash points before and after the provider has it."""
        self.routes.gate.at("provider.send")
        answer = await self.routes.phones.take(order, document, self.kind)
        self.routes.gate.at("provider.sent")
        return answer
