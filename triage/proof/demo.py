"""`triage demo`: the whole service in one process, and invented people around it.

The consumers, the sweep, the relay and the web pages are those of `triage run`; only the clock, the
people and, unless told otherwise, the broker are made up.
"""

import asyncio
import logging
import secrets
import signal
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from rich.console import Console

from triage.bootstrap import Service, build
from triage.clock import SystemClock
from triage.domain.case_id import read_case_id
from triage.domain.errors import TriageError
from triage.proof.accelerated_clock import AcceleratedClock
from triage.proof.clinicians import Clinicians
from triage.proof.demo_picture import Picture, as_line, take_picture
from triage.proof.demo_screen import IN_MEMORY_ONLY, ON_REAL_KAFKA, show
from triage.proof.demo_surroundings import BusKind, bus, register_hospitals, scratch_home
from triage.proof.demo_traffic import (
    InboxReader,
    Published,
    producer,
    run_clinicians,
    run_hospitals,
)
from triage.proof.hospitals import HospitalStream, Traffic
from triage.proof.ports import free_port
from triage.settings import Settings
from triage.store.schema import upgrade
from triage.store.store import Store

_ROSTER = Path(__file__).with_name("demo_roster.toml")
_STOP_SECONDS = 4
_FASTEST = 300
_OPENING_REFERRALS = 14
_REFERRALS_A_DAY = 2_880  # at speed 1: one in 30 s or so; nobody would wait for a real day
_PACE = 60  # at speed 1: what takes an hour in life takes a minute
_VISITOR_FIRST = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """`port` 0 = any free one. `speed` = how many times faster than life the clock runs.

    `home` None = a scratch folder that is deleted at the end.
    """

    port: int = 8000
    host: str = "127.0.0.1"
    speed: float = 1.0
    kafka: BusKind = "memory"
    seed: int = 7
    home: Path | None = None


def run_demo(options: DemoOptions) -> int:
    """Until Ctrl-C or SIGTERM; exit status 0. Raises TriageError where it cannot run."""
    _refuse_odd(options)
    console = Console()
    try:
        with scratch_home(options.home) as home, bus(options.kafka, home, console) as bootstrap:
            asyncio.run(Demo(options, console, home, bootstrap).run())
    except KeyboardInterrupt:
        console.print("Stopped.")
    return 0


def _refuse_odd(options: DemoOptions) -> None:
    if not 1 <= options.speed <= _FASTEST:
        raise TriageError(f"--speed: {options.speed:g}", hint=f"allowed: 1 to {_FASTEST}")
    if options.kafka == "real" and options.speed != 1:
        raise TriageError(
            f"--speed: {options.speed:g} with --kafka real",
            hint="a real broker stamps records by its own clock: use speed 1, or --kafka memory",
        )


class Demo:
    """One demonstration from start to stop."""

    def __init__(self, options: DemoOptions, console: Console, home: Path, bootstrap: str) -> None:
        self.options, self.console, self.home, self.bootstrap = options, console, home, bootstrap
        wall = SystemClock()
        self.clock = AcceleratedClock(wall, wall.now(), options.speed)
        self.published = Published()
        self.settings = self._settings(free_port(options.host, options.port))

    async def run(self) -> None:
        """Until a signal; whatever fails ends it and is raised."""
        _log_to(self.home / "demo.log")
        upgrade(self.settings.database_url)
        service = build(self.settings, clock=self.clock, is_demo=True, speed=self.options.speed)
        register_hospitals(service.store, Traffic().hospitals, self.clock.now())
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        self._greet()
        async with producer(self.bootstrap) as client, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(work)
                for work in (
                    service.run(stop),
                    run_hospitals(self._stream(), client, self.clock, stop, self.published),
                    run_clinicians(
                        self._clinicians(service.store),
                        InboxReader(self.home / "inbox.jsonl"),
                        client,
                        self.clock,
                        stop,
                        self.published,
                    ),
                    self._show(service, stop),
                )
            ]
            await stop.wait()
            _, late = await asyncio.wait(running, timeout=_STOP_SECONDS)
            for task in late:
                task.cancel()
        self.console.print(as_line(self._look(service.store)), soft_wrap=True, highlight=False)
        self.console.print("Stopped." if self.options.home else "Stopped; nothing is kept.")

    def _settings(self, port: int) -> Settings:
        address = f"http://{self.options.host}:{port}"
        return Settings(
            home=self.home,
            database_url=f"sqlite:///{self.home / 'triage.db'}",
            kafka_bootstrap=tuple(self.bootstrap.split(",")),
            roster_file=_ROSTER,
            http_host=self.options.host,
            http_port=port,
            public_url=address,
            secret_key=secrets.token_hex(32),
        )

    def _stream(self) -> HospitalStream:
        speed = self.options.speed
        traffic = Traffic(
            per_day=max(_REFERRALS_A_DAY / speed, 16),
            opening=_OPENING_REFERRALS,
            pace=max(_PACE / speed, 1),
            by_the_clock=speed > 1,
        )
        return HospitalStream(self.options.seed, self.clock.since, traffic)

    def _clinicians(self, store: Store) -> Clinicians:
        def referral_of(case: str) -> str | None:
            known = read_case_id(case)
            if known is None:
                return None
            with store.read() as reader:
                row = reader.case(known)
            return row.referral if row else None

        return Clinicians(
            self.options.seed,
            referral_of,
            pace=max(_PACE / self.options.speed, 1),
            shortest_answer=_VISITOR_FIRST,
        )

    def _greet(self) -> None:
        asked, given = self.options.port, self.settings.http_port
        say = partial(self.console.print, soft_wrap=True, highlight=False)
        if asked not in (0, given):
            say(f"Port {asked} is taken, using {given}.")
        say(self._heading, style="bold")
        say(f"board    {self.settings.public_url}/")
        say(f"inbox    {self.settings.public_url}/inbox   also {self.home / 'inbox.jsonl'}")
        say(f"refer    {self.settings.public_url}/refer   submit a referral by hand")
        say(f"metrics  {self.settings.public_url}/metrics")
        say(f"Kafka    {self.bootstrap}   log {self.home / 'demo.log'}")

    @property
    def _heading(self) -> str:
        return IN_MEMORY_ONLY if self.options.kafka == "memory" else ON_REAL_KAFKA

    async def _show(self, service: Service, stop: asyncio.Event) -> None:
        def look() -> Picture:
            return self._look(service.store)

        heading = f"{self._heading}\nBoard and inbox: {self.settings.public_url}/"
        await show(self.console, look, self.published, heading, stop)

    def _look(self, store: Store) -> Picture:
        with store.read() as reader:
            return take_picture(reader, self.clock.now())


def _log_to(file: Path) -> None:
    """The terminal is for the summary."""
    logging.basicConfig(
        filename=file, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
