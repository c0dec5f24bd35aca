"""The composition root: the roles that were asked for, in one process, until told to stop."""

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import uvicorn

from triage import __version__
from triage.books import Books
from triage.clock import SystemClock
from triage.consumers.batch import Stored
from triage.consumers.broker import Bus
from triage.consumers.publisher import OutboxPublisher
from triage.consumers.service import KafkaDoor
from triage.desks import build_desk
from triage.domain.errors import StoreUnavailable, TriageError
from triage.domain.instants import Clock
from triage.escalation.metronome import Metronome
from triage.escalation.sweep import Sweep
from triage.handle import Desk
from triage.metrics.collector import SnapshotCollector
from triage.metrics.exporter import Exporter
from triage.metrics.instruments import Instruments
from triage.notify.delivery import Delivery
from triage.notify.directory import Directory
from triage.notify.inbox import INBOX_FILE, InboxRoute
from triage.notify.relay import Relay
from triage.notify.resolve import resolve_order
from triage.notify.webhook import webhook_client
from triage.paging_port import StorePages
from triage.registering import Registering
from triage.settings import Settings
from triage.store.listening import listen
from triage.store.schema import expected_schema_version, schema_version, upgrade
from triage.store.store import Store, open_store
from triage.web.app import create_app, create_status_app
from triage.web.parts import STALE_AFTER, Component, WebParts

_LOG = logging.getLogger(__name__)
ROLES = ("consume", "escalate", "notify", "web", "export")
_THREADS = 8
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_METER_SECONDS = 2.0
T = TypeVar("T")
Work = Coroutine[Any, Any, None]


class _Server(uvicorn.Server):
    """Leaves signals to the command that runs the service."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(slots=True)
class Service:
    """Built by `build`; `run` returns when `stop` is set and everything under way has ended."""

    settings: Settings
    roles: frozenset[str]
    clock: Clock
    speed: float
    is_demo: bool
    store: Store
    desk: Desk
    instruments: Instruments
    _preparing: str | None = "starting"
    _door: KafkaDoor | None = None
    _wakes: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_THREADS, thread_name_prefix="triage")
    )

    async def run(self, stop: asyncio.Event) -> None:
        """Every role until `stop`. The database may come later: health says that we wait for it."""
        async with AsyncExitStack() as stack:
            server = self._server()
            serving = asyncio.create_task(server.serve())
            try:
                if await self._prepare(stop):
                    await self._run_roles(stop, stack)
            finally:
                server.should_exit = True
                await serving
        self.store.dispose()
        self._threads.shutdown(wait=False)

    def run_blocking(self, function: Callable[[], T]) -> Awaitable[T]:
        """Run database work in a thread of this service."""
        return asyncio.get_running_loop().run_in_executor(self._threads, function)

    def _server(self) -> uvicorn.Server:
        parts = WebParts(
            store=self.store,
            desk=self.desk,
            clock=self.clock,
            run_blocking=self.run_blocking,
            instruments=self.instruments,
            secret_key=self.settings.secret_key or "",
            public_url=self.settings.public_url,
            health=self._components,
            is_demo=self.is_demo,
            stale_after=STALE_AFTER * self.speed,
        )
        app = create_app(parts) if "web" in self.roles else create_status_app(parts)
        config = uvicorn.Config(
            app,
            host=self.settings.http_host,
            port=self.settings.http_port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        return _Server(config)

    async def _prepare(self, stop: asyncio.Event) -> bool:
        """Wait for the database and its schema; False when told to stop meanwhile."""
        pause = _FIRST_PAUSE_SECONDS
        while not stop.is_set():
            try:
                await self.run_blocking(self._make_ready)
            except (StoreUnavailable, TriageError) as error:
                if self._preparing != error.what:
                    _LOG.warning("service.waiting: %s", error.what)
                self._preparing = error.what
                await _wait(stop, pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            self._preparing = None
            _LOG.info("service.ready: roles %s", ", ".join(sorted(self.roles)))
            return True
        return False

    def _make_ready(self) -> None:
        url = self.settings.database_url
        if url.startswith("sqlite"):
            self.settings.home.mkdir(parents=True, exist_ok=True)
            upgrade(url)
        else:
            found, expected = schema_version(url), expected_schema_version()
            if found != expected:
                raise TriageError(f"database schema {found}, waiting for {expected}")
        assert isinstance(self.desk.books, Books)
        self.desk.books.keep(self.store)

    async def _run_roles(self, stop: asyncio.Event, stack: AsyncExitStack) -> None:
        async with asyncio.TaskGroup() as tasks:
            for work in await self._work(stop, stack):
                tasks.create_task(work)
            self._listen(stack)
            await stop.wait()

    async def _work(self, stop: asyncio.Event, stack: AsyncExitStack) -> list[Work]:
        work: list[Work] = []
        if "consume" in self.roles and self.settings.kafka_bootstrap:
            work += self._consume(stop)
        if "escalate" in self.roles:
            work.append(self._escalate().run(stop))
        if "notify" in self.roles:
            client = await stack.enter_async_context(webhook_client())
            wake = asyncio.Event()
            self._on_wake("page", wake.set)
            work.append(self._notify(client, stack).run(stop, wake))
        if "export" in self.roles:
            work.append(self._exporter().run(stop, self.run_blocking))
        return work

    def _consume(self, stop: asyncio.Event) -> list[Work]:
        settings = self.settings
        bus = Bus(
            bootstrap=settings.kafka_bootstrap,
            security=settings.kafka_security,
            group=settings.kafka_group,
            session_timeout_seconds=settings.kafka_session_timeout_seconds,
        )
        registering = Registering(self.store, self.desk.roster)
        self._door = KafkaDoor(
            bus,
            store=self.store,
            desk=self.desk,
            clock=self.clock,
            registry=registering.registry,
            run_blocking=self.run_blocking,
            observe=self._observe,
        )
        publisher = OutboxPublisher(
            bus, store=self.store, clock=self.clock, run_blocking=self.run_blocking
        )
        return [
            registering.run(stop, self.run_blocking),
            self._door.run(stop),
            publisher.run(stop),
            self._meter(stop),
        ]

    def _escalate(self) -> Metronome:
        sweep = Sweep(self._own_store("sweep"), self.desk)
        metronome = Metronome(
            sweep.turn,
            clock=self.clock,
            machine=SystemClock(),
            run_blocking=self.run_blocking,
            speed=self.speed,
        )
        self._on_wake("due", metronome.wake)
        return metronome

    def _notify(self, client: httpx.AsyncClient, stack: AsyncExitStack) -> Relay:
        inbox = InboxRoute(self.settings.home / INBOX_FILE, self.run_blocking)
        directory = Directory(
            roster=lambda: self.desk.roster,
            inbox=inbox,
            client=client,
            clock=self.clock,
            environment=os.environ,
        )
        stack.callback(directory.close)
        delivery = Delivery(
            routes=directory,
            resolve=lambda order: resolve_order(order, self.desk.roster, self.clock.now()),
            clock=self.clock,
            public_url=self.settings.public_url,
        )
        pages = StorePages(
            self._own_store("relay"), self.desk, self.clock, self.instruments, speed=self.speed
        )
        return Relay(port=pages, delivery=delivery, run_blocking=self.run_blocking)

    def _exporter(self) -> Exporter:
        book = self.desk.books.current
        collector = SnapshotCollector(
            steps=[row.name for row in book.deadlines.obligation], policy=book.version
        )
        return Exporter(
            store=self.store, collector=collector, instruments=self.instruments, clock=self.clock
        )

    def _own_store(self, role: str) -> Store:
        """On PostgreSQL a pool that no crowd at the doors can empty; SQLite has one writer."""
        return (
            open_store(self.settings.database_url, role=role)
            if self.store.is_postgres
            else (self.store)
        )

    def _on_wake(self, name: str, callback: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()

        def from_any_thread() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(callback)

        self._wakes.setdefault(name, []).append(from_any_thread)
        if not self.store.is_postgres:
            self.store.on_wake(name, from_any_thread)

    def _listen(self, stack: AsyncExitStack) -> None:
        """Hints of other processes; polling finds the same a second later."""
        if not self.store.is_postgres or not self._wakes:
            return
        ended = threading.Event()
        stack.callback(ended.set)

        def woken(name: str) -> None:
            for callback in self._wakes.get(name, ()):
                callback()

        listen(self.settings.database_url, tuple(self._wakes), woken, ended)

    def _observe(self, stored: Stored) -> None:
        """What one Kafka batch came to, as metrics."""
        self.instruments.events("kafka", stored.incoming, stored.outcomes)
        self.instruments.unreadable("kafka", "quarantined", stored.quarantined)

    async def _meter(self, stop: asyncio.Event) -> None:
        """How far the Kafka door is."""
        while not stop.is_set():
            await _wait(stop, _METER_SECONDS)
            status = self._door.status() if self._door else None
            if status is None:
                continue
            at = status.last_batch_at.timestamp() if status.last_batch_at else 0.0
            self.instruments.consumed("kafka", at, status.lag or 0)

    def _components(self) -> Sequence[Component]:
        found = []
        if self._preparing is not None:
            found.append(Component("preparation", is_well=False, detail=self._preparing))
        if self._door is not None:
            status = self._door.status()
            detail = f"waiting for {status.waiting_for}" if status.waiting_for else "connected"
            is_vital = "web" not in self.roles
            found.append(Component("kafka", status.connected, detail, is_vital))
        return found


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    roles: Sequence[str] = ROLES,
    is_demo: bool = False,
    speed: float = 1.0,
) -> Service:
    """A service that is not running yet. Raises TriageError for what no waiting mends."""
    if "web" in roles and not settings.secret_key:
        raise TriageError(
            "TRIAGE_SECRET_KEY: not set", hint="at least 32 characters, e.g. `openssl rand -hex 32`"
        )
    if settings.database_url.startswith("sqlite"):
        settings.home.mkdir(parents=True, exist_ok=True)
    store = open_store(settings.database_url)
    return Service(
        settings=settings,
        roles=frozenset(roles),
        clock=clock or SystemClock(),
        speed=speed,
        is_demo=is_demo,
        store=store,
        desk=build_desk(settings),
        instruments=Instruments(version=__version__),
    )


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
