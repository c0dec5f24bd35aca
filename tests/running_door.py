"""A Kafka door with a database behind it, run until something can be seen, then stopped."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from triage.books import load_books
from triage.clock import SystemClock
from triage.consumers.broker import Bus
from triage.consumers.publisher import OutboxPublisher
from triage.consumers.service import KafkaDoor
from triage.consumers.status import DoorStatus
from triage.domain.errors import StoreUnavailable
from triage.domain.roster.roster import Roster, default_roster
from triage.intake.registry import Registry
from triage.recording.ledger import Desk
from triage.store import Store

T = TypeVar("T")
REGISTRY = Registry(
    centres=frozenset({"centre:NEURO"}), hospitals=frozenset({"hospital:RX1", "hospital:RX2"})
)
SECONDS = 60.0
_POLL = 0.02


def referral(number: int, **data: Any) -> tuple[bytes, bytes]:
    """Key and value of a referral of its own; `walking` cannot makes it worse."""
    subject = f"2026-{number:06d}"
    value = {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "hospital:RX1",
        "type": "referral.submitted.v1",
        "time": "2026-03-10T08:00:00+00:00",
        "subject": subject,
        "data": {"findings": {"cancer": "known"}} | data,
    }
    return f"hospital:RX1/{subject}".encode(), orjson.dumps(value)


def act(number: int, kind: str, **data: Any) -> tuple[bytes, bytes]:
    """Key and value of an act of the centre on that referral."""
    meant = f"hospital:RX1/2026-{number:06d}"
    value = {
        "specversion": "1.0",
        "id": f"a-{number}-{kind}",
        "source": "centre:NEURO",
        "type": kind,
        "time": "2026-03-10T08:30:00+00:00",
        "referral": meant,
        "data": data,
    }
    return meant.encode(), orjson.dumps(value)


class Switch:
    """A way to the database that can be cut: what is asked for then finds it away."""

    def __init__(self) -> None:
        self.is_cut = False
        self.refused = 0

    async def __call__(self, work: Callable[[], T], /) -> T:
        if self.is_cut:
            self.refused += 1
            raise StoreUnavailable("cut by the test")
        return await asyncio.to_thread(work)


@dataclass
class House:
    """Everything one process needs; `desk` may be one with a fault in it."""

    store: Store
    bootstrap: str
    group: str = "triage"
    roster: Roster = field(default_factory=default_roster)
    session_seconds: float = 3.0
    way: Switch = field(default_factory=Switch)

    def __post_init__(self) -> None:
        books = load_books(None)
        books.keep(self.store)
        self.desk = Desk(books, self.roster, True)
        self.clock = SystemClock()
        self.bus = Bus(
            bootstrap=self.bootstrap.split(","),
            group=self.group,
            session_timeout_seconds=self.session_seconds,
        )

    def door(self) -> KafkaDoor:
        return KafkaDoor(
            self.bus,
            store=self.store,
            desk=self.desk,
            clock=self.clock,
            registry=lambda: REGISTRY,
            run_blocking=self.way,
        )

    def publisher(self) -> OutboxPublisher:
        return OutboxPublisher(
            self.bus, store=self.store, clock=self.clock, run_blocking=asyncio.to_thread
        )


async def eventually(is_so: Callable[[], bool], what: object = "") -> None:
    """Wait until it is; fails after a minute, saying what was seen last."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(
                f"waited {SECONDS} s in vain: {what() if callable(what) else what}"
            )
        await asyncio.sleep(_POLL)


async def running(services: Sequence[Any], during: Callable[[], Awaitable[None]]) -> None:
    """Run doors and publishers while `during` looks on, then stop them as a service would."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(service.run(stop)) for service in services]
    try:
        await during()
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 30)


def drain(house: House, records: int) -> DoorStatus:
    """Run one door until it has taken in so many records and nothing is left."""
    door = house.door()

    async def until_empty() -> None:
        await eventually(lambda: door.status().processed >= records, door.status)

    asyncio.run(running([door], until_empty))
    return door.status()
