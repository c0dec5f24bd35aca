"""The loops of each role, put together from their rooms."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp

from triage.clock import SystemClock
from triage.consumers.archive import KafkaArchive
from triage.consumers.batch import Stored
from triage.consumers.broker import Bus
from triage.consumers.one_record import publish_one
from triage.consumers.publisher import OutboxPublisher
from triage.consumers.service import KafkaDoor
from triage.consumers.topics import REFERRALS
from triage.domain.instants import Clock
from triage.domain.paging import PageOrder
from triage.escalation.audit_heads import HEADS_FILE, HeadsFile
from triage.escalation.audit_reading import AuditView
from triage.escalation.auditor import Auditor
from triage.escalation.canary import Canary
from triage.escalation.every import every
from triage.escalation.louder import Louder
from triage.escalation.metronome import Metronome
from triage.escalation.roster_watch import RosterWatch
from triage.escalation.silence import Silence
from triage.escalation.sweep import Sweep
from triage.handle import Desk
from triage.metrics.collector import SnapshotCollector
from triage.metrics.exporter import Exporter
from triage.metrics.instruments import Instruments
from triage.notify.delivery import Delivery
from triage.notify.directory import Directory
from triage.notify.inbox import INBOX_FILE, InboxRoute
from triage.notify.push_route import PushParts
from triage.notify.recalls import TURN_SECONDS as RECALL_SECONDS
from triage.notify.recalls import Recalls
from triage.notify.relay import Relay
from triage.notify.resolve import resolve_order
from triage.paging_port import StorePages
from triage.registering import EVERY_SECONDS as REGISTER_SECONDS
from triage.registering import Registering
from triage.rosters.fetching import FeedFetcher
from triage.settings import Settings
from triage.store.reaching import Subscription
from triage.store.store import Store, open_store

_METER_SECONDS = 2.0
# Of the time between two passes, what the auditor may use for its walk.
_SHARE_ALONE, _SHARE = 0.5, 0.1
T = TypeVar("T")
Work = Coroutine[Any, Any, None]
OnWake = Callable[[str, Callable[[], None]], None]


@dataclass(slots=True)
class Roles:
    """Builds what a role runs. `on_wake` registers who is to be woken for `due` or `page`."""

    settings: Settings
    clock: Clock
    speed: float
    store: Store
    desk: Desk
    instruments: Instruments
    threads: Callable[[Callable[[], Any]], Awaitable[Any]]
    on_wake: OnWake
    door: KafkaDoor | None = field(default=None, init=False)

    def run_blocking(self, function: Callable[[], T]) -> Awaitable[T]:
        """Run database work in a thread of the service."""
        return self.threads(function)

    def timed(
        self, seconds: float, turn: Callable[[datetime], object], name: str, stop: asyncio.Event
    ) -> Work:
        """`turn(now)` in a thread every so many real seconds; a fault is counted and outlived."""

        def step() -> Awaitable[object]:
            return self.run_blocking(lambda: turn(self.clock.now()))

        return every(seconds, step, name=name, stop=stop, failed=self.instruments.loop_failed)

    def recall(self, recalls: Recalls, stop: asyncio.Event) -> Work:
        """Recalls, every second."""
        failed = self.instruments.loop_failed
        return every(RECALL_SECONDS, recalls.turn, name="recalls", stop=stop, failed=failed)

    async def consume(self, stop: asyncio.Event) -> list[Work]:
        """The Kafka door, the outbox to Kafka, and what they need; pages wait for its backlog."""
        settings = self.settings
        bus = Bus(
            bootstrap=settings.kafka_bootstrap,
            security=settings.kafka_security,
            group=settings.kafka_group,
            session_timeout_seconds=settings.kafka_session_timeout_seconds,
        )
        registering = Registering(self.store, self.desk)
        self.door = KafkaDoor(
            bus,
            store=self.store,
            desk=self.desk,
            clock=self.clock,
            registry=registering.registry,
            run_blocking=self.run_blocking,
            observe=self._observe,
        )
        await self.door.announce()
        publisher = OutboxPublisher(
            bus, store=self.store, clock=self.clock, run_blocking=self.run_blocking
        )
        return [
            self.timed(REGISTER_SECONDS, lambda _: registering.refresh(), "registering", stop),
            self.door.run(stop),
            publisher.run(stop),
            self._meter(stop),
        ]

    def escalate(self) -> Metronome:
        """The sweep and what makes it run."""
        failed = self.instruments.loop_failed
        sweep = Sweep(self._own_store("sweep"), self.desk, self.clock, failed)
        metronome = Metronome(
            sweep.turn,
            clock=self.clock,
            machine=SystemClock(),
            run_blocking=self.run_blocking,
            speed=self.speed,
            failed=failed,
        )
        self.on_wake("due", metronome.wake)
        return metronome

    def louder(self) -> Louder:
        """The site manager and the call list, for when no provider takes a page."""
        return Louder(self.store, self.desk, self.settings.home)

    def silence(self) -> Silence:
        """What notices hospitals that fall silent."""
        return Silence(self.store, self.desk, self.instruments)

    def canary(self) -> Canary:
        """What sends canaries: through Kafka where there is one."""
        settings = self.settings

        def over_kafka(key: str, value: bytes) -> None:
            publish_one(
                settings.kafka_bootstrap,
                settings.kafka_security,
                topic=REFERRALS,
                key=key,
                value=value,
            )

        return Canary(
            self.store,
            self.desk,
            self.instruments,
            seconds=settings.canary_seconds * self.speed,
            send=over_kafka if settings.kafka_bootstrap else None,
        )

    def watch_roster(self) -> RosterWatch:
        """What looks ahead for gaps in the roster."""
        return RosterWatch(
            self.store,
            self.desk,
            self.instruments,
            secret=self.settings.secret_key or "",
            test_every=timedelta(days=self.settings.route_test_days),
        )

    def fetch_feeds(self) -> FeedFetcher:
        """What keeps calendar feeds fresh."""
        return FeedFetcher(self.store, self.desk, os.environ)

    def notify(self, client: aiohttp.ClientSession, stack: AsyncExitStack) -> tuple[Relay, Recalls]:
        """The relay that sends pages, and what recalls those that need no answer any more."""
        inbox = InboxRoute(self.settings.home / INBOX_FILE, self.run_blocking)
        directory = Directory(
            roster=lambda: self.desk.roster,
            inbox=inbox,
            client=client,
            clock=self.clock,
            environment=os.environ,
            public_url=self.settings.public_url,
            push=self._push(),
        )
        stack.callback(directory.close)

        def resolve(order: PageOrder) -> PageOrder:
            return resolve_order(order, self.desk.roster, self.clock.now())

        delivery = Delivery(
            routes=directory,
            resolve=resolve,
            clock=self.clock,
            public_url=self.settings.public_url,
        )
        pages = StorePages(
            self._own_store("relay"), self.desk, self.clock, self.instruments, speed=self.speed
        )
        recalls = Recalls(
            find=pages.answered_elsewhere,
            routes=directory,
            resolve=resolve,
            clock=self.clock,
            run_blocking=self.run_blocking,
        )
        return Relay(port=pages, delivery=delivery, run_blocking=self.run_blocking), recalls

    def _push(self) -> PushParts:
        def find(person: str) -> list[Subscription]:
            with self.store.read() as reader:
                return reader.subscriptions(person)

        def end(browser: str) -> None:
            with self.store.begin() as tx:
                tx.end_subscription(browser, self.clock.now())

        return PushParts(
            key=self.settings.push_key,
            contact=self.settings.push_contact or "",
            browsers=lambda person: self.run_blocking(lambda: find(person)),
            forget=lambda browser: self.run_blocking(lambda: end(browser)),
        )

    def exporter(self) -> Exporter:
        """The figures of the database for Prometheus."""
        book = self.desk.books.current
        collector = SnapshotCollector(
            steps=[row.name for row in book.deadlines.obligation], policy=book.version
        )
        return Exporter(
            store=self.store, collector=collector, instruments=self.instruments, clock=self.clock
        )

    def audit(self, stack: AsyncExitStack, *, is_alone: bool) -> Callable[[datetime], None]:
        """The auditor, reading over a connection of its own; beside other roles it takes turns."""
        settings = self.settings
        view = AuditView(settings.audit_database_url or settings.database_url)
        stack.callback(view.dispose)
        auditor = Auditor(
            view,
            self._own_store("audit"),
            self.desk,
            archive=self._archive(),
            heads=HeadsFile(settings.heads_file or settings.home / HEADS_FILE),
            budget_seconds=settings.audit_every_seconds * (_SHARE_ALONE if is_alone else _SHARE),
            patience=max(self.speed, 1.0),
        )

        def turn(now: datetime) -> None:
            self.instruments.audited(auditor.turn(now))

        return turn

    def _archive(self) -> KafkaArchive | None:
        settings = self.settings
        if not settings.kafka_bootstrap:
            return None
        return KafkaArchive(settings.kafka_bootstrap, settings.kafka_security)

    def _own_store(self, role: str) -> Store:
        """On PostgreSQL a pool that no crowd at the doors can empty; SQLite has one writer."""
        return (
            open_store(self.settings.database_url, role=role)
            if self.store.is_postgres
            else (self.store)
        )

    def _observe(self, stored: Stored) -> None:
        """What one Kafka batch came to, as metrics."""
        self.instruments.events("kafka", stored.incoming, stored.outcomes)
        self.instruments.unreadable("kafka", "quarantined", stored.quarantined)

    async def _meter(self, stop: asyncio.Event) -> None:
        """How far the Kafka door is."""
        while not stop.is_set():
            await _wait(stop, _METER_SECONDS)
            status = self.door.status() if self.door else None
            if status is None:
                continue
            at = status.last_batch_at.timestamp() if status.last_batch_at else 0.0
            self.instruments.consumed("kafka", at, status.lag or 0)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
