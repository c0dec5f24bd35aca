"""The composition root: the roles that were asked for, in one process, until told to stop."""

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import uvicorn

from triage import __version__
from triage.books import Books
from triage.clock import SystemClock
from triage.desks import build_desk
from triage.domain.errors import StoreUnavailable, TriageError
from triage.domain.instants import Clock
from triage.escalation.canary import LOOK_SECONDS as CANARY_SECONDS
from triage.escalation.louder import EVERY_SECONDS as LOUDER_SECONDS
from triage.escalation.roster_watch import EVERY_SECONDS as WATCH_SECONDS
from triage.escalation.silence import EVERY_SECONDS as SILENCE_SECONDS
from triage.handle import Desk
from triage.metrics.instruments import Instruments
from triage.notify.push_message import point_of, read_key, to_base64
from triage.notify.secrets import Missing, resolve_reference
from triage.notify.webhook import webhook_client
from triage.roles import Roles, Work
from triage.rosters.fetching import LOOK_SECONDS as FEED_SECONDS
from triage.rosters.keeper import LOOK_SECONDS as ROSTER_SECONDS
from triage.rosters.keeper import RosterKeeper
from triage.settings import ROLES, Settings
from triage.store.listening import listen
from triage.store.schema import expected_schema_version, schema_version, upgrade
from triage.store.store import Store, open_store
from triage.web.app import create_app, create_status_app
from triage.web.parts import STALE_AFTER, Component, WebParts

_LOG = logging.getLogger(__name__)
_THREADS = 8
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_WIND_UP_SECONDS = 7.0
T = TypeVar("T")


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
    keeper: RosterKeeper
    _preparing: str | None = "starting"
    _roles: Roles | None = None
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
            secret_of=_secret_of,
            push_key=_public_push_key(self.settings.push_key),
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
        self.keeper.look(self.clock.now())

    async def _run_roles(self, stop: asyncio.Event, stack: AsyncExitStack) -> None:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(work) for work in await self._work(stop, stack)]
            self._listen(stack)
            await stop.wait()
            late = (await asyncio.wait(running, timeout=_WIND_UP_SECONDS))[1] if running else ()
            for task in late:  # what a lost Kafka or a hanging provider holds up
                _LOG.error("service.loop_cancelled: %s", task.get_name())
                task.cancel()

    async def _work(self, stop: asyncio.Event, stack: AsyncExitStack) -> list[Work]:
        roles = self._roles = self._built_roles()
        work: list[Work] = [roles.timed(ROSTER_SECONDS, self.keeper.look, "keeper", stop)]
        if "consume" in self.roles and self.settings.kafka_bootstrap:
            work += await roles.consume(stop)
        if "escalate" in self.roles:
            work.append(roles.escalate().run(stop))
            work += self._look_around(roles, stop)
        if "notify" in self.roles:
            client = await stack.enter_async_context(webhook_client())
            wake = asyncio.Event()
            self._on_wake("page", wake.set)
            relay, recalls = roles.notify(client, stack)
            work += [relay.run(stop, wake), roles.recall(recalls, stop)]
        if "export" in self.roles:
            work.append(roles.exporter().run(stop, self.run_blocking))
        if "audit" in self.roles:
            audit = roles.audit(stack, is_alone=len(self.roles) == 1)
            work.append(roles.timed(self.settings.audit_every_seconds, audit, "audit", stop))
        return work

    def _look_around(self, roles: Roles, stop: asyncio.Event) -> list[Work]:
        """What looks for gaps in the roster, fresh feeds, untaken pages, and silence."""
        work = [
            roles.timed(WATCH_SECONDS / self.speed, roles.watch_roster().turn, "roster", stop),
            roles.timed(FEED_SECONDS, roles.fetch_feeds().turn, "feeds", stop),
            roles.timed(LOUDER_SECONDS, roles.louder().turn, "louder", stop),
            roles.timed(SILENCE_SECONDS, roles.silence().turn, "silence", stop),
        ]
        if self.settings.canary_seconds:
            work.append(roles.timed(CANARY_SECONDS, roles.canary().turn, "canary", stop))
        return work

    def _built_roles(self) -> Roles:
        return Roles(
            settings=self.settings,
            clock=self.clock,
            speed=self.speed,
            store=self.store,
            desk=self.desk,
            instruments=self.instruments,
            threads=self.run_blocking,
            on_wake=self._on_wake,
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

    def _components(self) -> Sequence[Component]:
        found = []
        if self._preparing is not None:
            found.append(Component("preparation", is_well=False, detail=self._preparing))
        if self._roles is not None and self._roles.door is not None:
            status = self._roles.door.status()
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
    store, desk = open_store(settings.database_url), build_desk(settings)
    return Service(
        settings=settings,
        roles=frozenset(roles),
        clock=clock or SystemClock(),
        speed=speed,
        is_demo=is_demo,
        store=store,
        desk=desk,
        instruments=Instruments(version=__version__),
        keeper=RosterKeeper(desk, store, settings.roster_file),
    )


def _public_push_key(key: str | None) -> str | None:
    return to_base64(point_of(read_key(key))) if key else None


def _secret_of(reference: str | None) -> str | None:
    found = resolve_reference(reference, os.environ)
    return None if isinstance(found, Missing) else found


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
