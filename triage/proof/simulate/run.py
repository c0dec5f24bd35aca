"""One story from its first message to rest, and what came of it."""

import asyncio
import gc
import logging
import random
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from triage.domain.events import Sender, Side
from triage.proof.simulate.acts import Acts
from triage.proof.simulate.crash_points import ProcessDied
from triage.proof.simulate.incarnation import Incarnation, Makers, owning_factory
from triage.proof.simulate.people import People
from triage.proof.simulate.story import HTTP, Message, Story, dice
from triage.proof.simulate.verdict import Down, Violation
from triage.proof.simulate.virtual_time import TimeStandsStill, VirtualLoop, run_virtually
from triage.proof.simulate.world import World, loop_dice
from triage.recording.ledger import PolicyBooks
from triage.web.problems import RefusalError

_SETTLING = timedelta(minutes=5)
_NOTICED_SECONDS = 3.0  # how long until the group knows that a consumer is dead
_RESTART_SECONDS = (0.5, 6.0)
_LONG_RESTS, _LONG_REST_SECONDS = 0.1, (300.0, 2400.0)
_TRY_AGAIN_SECONDS = 5.0
_REFUSED = (400, 403)
_COLLECT_EVERY = 100_000  # more objects than freed ones
PLAIN = Makers()


@dataclass(slots=True)
class Sent:
    """What the HTTP door was given, and whether it was answered as stored."""

    message: Message
    is_accepted: bool = False


@dataclass(slots=True)
class Outcome:
    """A run that has come to rest: its world, and what the senders know."""

    world: World
    http: list[Sent] = field(default_factory=list)
    deaths: int = 0


class House:
    """The processes of a story and everybody around them."""

    def __init__(self, world: World, makers: Makers) -> None:
        self.world, self.makers = world, makers
        self.outcome = Outcome(world)
        self._alive: dict[str, Incarnation] = {}
        self._waiting_tasks: set[asyncio.Task[None]] = set()
        self._people = People(world, Acts(world, self.send), self.look)
        self._nobody_since: datetime | None = None
        world.on_arrival = self._people.hear

    async def run(self) -> Outcome:
        """Until the story's end and the time that everything has to come to rest."""
        world, story = self.world, self.world.story
        loop = asyncio.get_running_loop()
        for number in range(story.processes):
            self._start(f"p{number + 1}")
        for message in story.messages:
            loop.call_later(world.clock.until(message.at), self.send, message)
        for outage in story.outages:
            if outage.kind == "database":
                world.notes.down.append(
                    Down(story.start + outage.starts, story.start + outage.ends)
                )
            for edge in (outage.starts, outage.ends):
                loop.call_later(edge.total_seconds(), self._edge)
        await world.passes(world.clock.until(story.end))
        if world.gave_up is not None:
            return self.outcome
        world.faults_ended = world.points.is_over = True
        self._edge()
        for number in range(story.processes):
            self._start(f"p{number + 1}")
        await world.passes(_SETTLING.total_seconds())
        return self.outcome

    def send(self, message: Message) -> None:
        """A message leaves its sender."""
        if message.topic == HTTP:
            sent = Sent(message)
            self.outcome.http.append(sent)
            self._outside(self._post(sent))
            return
        record = self.world.bus.append(message, self.world.clock.now())
        self.world.say(f"record {record.topic}/{record.partition}/{record.offset}")
        self.world.poke()

    def look(self, page: str) -> None:
        """Somebody opens the link of a page."""
        process = self._any("look", page)
        if process is not None:
            self._outside(self._looked(process, page))

    async def _looked(self, process: Incarnation, page: str) -> None:
        status = await _unless_dead(process.spawn(self.makers.look(process.parts, page)))
        self.world.say(f"look {page} {status}")
        self.world.trace.reached("a page was looked at")

    async def _post(self, sent: Sent) -> None:
        attempt, message = 0, sent.message
        side = Side.CENTRE if message.source in self.world.roster.sites else Side.HOSPITAL
        sender = Sender(side=side, source=message.source)
        while not sent.is_accepted:
            attempt += 1
            process = self._any("http", str(message.at), str(attempt))
            if process is not None:
                doing = self._taken(process, sender, message)
                answer = await _unless_dead(process.spawn(doing))
                self.world.say(f"http {message.key.decode()} {answer}")
                sent.is_accepted = answer == "accepted"
                if answer == "refused":
                    return
            if not sent.is_accepted:
                self.world.trace.reached("a sender had to try again")
                await asyncio.sleep(_TRY_AGAIN_SECONDS)

    async def _taken(self, process: Incarnation, sender: Sender, message: Message) -> str:
        """The answer of a process that may die before it begins."""
        body, headers = message.value or b"", dict(message.headers)
        try:
            await self.makers.take(process.parts, sender, body, headers)
        except RefusalError as error:
            return "refused" if error.status in _REFUSED else "try again"
        return "accepted"

    def _any(self, *about: str) -> Incarnation | None:
        names = sorted(self._alive)
        return self._alive[dice(self.world.story.seed, *about).choice(names)] if names else None

    def _start(self, name: str) -> None:
        if name in self._alive:
            return
        if self._nobody_since is not None:
            self.world.notes.down.append(Down(self._nobody_since, self.world.clock.now()))
            self._nobody_since = None
        process = Incarnation(self.world, name, self.makers, self._died)
        self._alive[name] = process
        self.world.say(f"start {name}")
        process.start()
        self._divide()

    def _died(self, process: Incarnation, point: str) -> None:
        """A process is dead: the group notices later, and somebody starts it again."""
        self.outcome.deaths += 1
        self.world.say(f"death {process.name} at {point}")
        self.world.trace.reached(f"died at {point}")
        if self._alive.get(process.name) is process:
            del self._alive[process.name]
        if not self._alive:
            self._nobody_since = self.world.clock.now()
        loop = asyncio.get_running_loop()
        loop.call_soon(process.die)
        loop.call_later(_NOTICED_SECONDS, self._divide)
        luck = dice(self.world.story.seed, "restart", process.name, str(self.outcome.deaths))
        rests = _LONG_REST_SECONDS if luck.random() < _LONG_RESTS else _RESTART_SECONDS
        loop.call_later(luck.uniform(*rests), self._start, process.name)

    def _divide(self) -> None:
        """Every partition to one living process."""
        processes = [self._alive[name] for name in sorted(self._alive)]
        partitions = sorted(self.world.bus.logs)
        for number, process in enumerate(processes):
            process.assign(partitions[number :: len(processes)])

    def _edge(self) -> None:
        """An outage begins or ends."""
        self.world.bus.set_away(self.world.is_away("bus"), self.world.clock.now())
        self.world.say("edge")
        self.world.poke()

    def _outside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._waiting_tasks.add(task)
        task.add_done_callback(self._waiting_tasks.discard)


async def _unless_dead(task: "asyncio.Task[object]") -> object:
    """What a process answered; None when it died over it. The sender lives on either way."""
    await asyncio.wait([task])
    if task.cancelled() or isinstance(task.exception(), ProcessDied):
        return None
    return task.result()


def run_story(
    story: Story,
    books: PolicyBooks,
    makers: Makers = PLAIN,
    *,
    watches: bool = True,
    file: Path | None = None,
) -> Outcome:
    """The whole story, or as far as it went before it was given up (`gave_up` of its world).

    Its store is in memory, or in a new `file`.
    """
    loop = VirtualLoop(loop_dice(story))
    loop.set_task_factory(owning_factory)  # type: ignore[arg-type]
    loop.set_exception_handler(_unheard)
    with _quiet_logs(), _seeded(story.seed), _seldom_collected():
        world = World(story, loop, books, watches=watches, file=file)
        house = House(world, makers)
        try:
            return run_virtually(loop, house.run())
        except TimeStandsStill as error:
            world.give_up(Violation(6, f"time stands still {error}"))
            return house.outcome


def _unheard(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Deaths are not news; anything else that nobody caught is a fault of the simulation."""
    error = context.get("exception")
    if isinstance(error, BaseException) and not isinstance(error, ProcessDied):
        raise error


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """What the program would log of thousands of deaths helps nobody."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """A run keeps all that it makes to its end: to look through it for garbage finds little."""
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """The pauses of the program are spread at random; here by the seed."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
