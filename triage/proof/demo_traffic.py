"""What happens around the service in a demonstration: hospitals publish, clinicians answer."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer

from triage.proof.accelerated_clock import AcceleratedClock
from triage.proof.clinicians import Clinicians
from triage.proof.messages import TimedMessage

_LOOK_EVERY_SECONDS = 0.5


@dataclass(slots=True)
class Published:
    """How many records went onto the bus so far, for the live summary."""

    hospitals: int = 0
    clinicians: int = 0


@asynccontextmanager
async def producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """An ordinary producer, as a hospital's or a centre's system would run it."""
    client = AIOKafkaProducer(
        bootstrap_servers=bootstrap.split(","), acks="all", enable_idempotence=True
    )
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def publish(client: AIOKafkaProducer, message: TimedMessage, sent_at_ms: int) -> None:
    """One record; returns once the broker has it. `sent_at_ms` counts where topics do not stamp
    records themselves."""
    await client.send_and_wait(
        message.topic,
        message.value,
        key=message.key,
        headers=list(message.headers),
        timestamp_ms=sent_at_ms,
    )


async def run_hospitals(
    stream: Iterable[TimedMessage],
    client: AIOKafkaProducer,
    clock: AcceleratedClock,
    stop: asyncio.Event,
    published: Published,
) -> None:
    """Publish each record when its time has come, until `stop`."""
    for message in stream:
        if await waited_for(stop, clock.real_seconds_until(message.at)):
            return
        await publish(client, message, _milliseconds(clock))
        published.hospitals += 1


async def run_clinicians(
    clinicians: Clinicians,
    inbox: "InboxReader",
    client: AIOKafkaProducer,
    clock: AcceleratedClock,
    stop: asyncio.Event,
    published: Published,
) -> None:
    """Read the inbox as it grows and do what they have decided, until `stop`."""
    while not await waited_for(stop, _LOOK_EVERY_SECONDS):
        for page in await asyncio.to_thread(lambda: list(inbox.new_pages())):
            await asyncio.to_thread(clinicians.see, page, clock.now())
        for message in clinicians.due(clock.now()):
            await publish(client, message, _milliseconds(clock))
            published.clinicians += 1


@dataclass(slots=True)
class InboxReader:
    """The pages of `inbox.jsonl` in the order they came, each once."""

    path: Path
    _offset: int = field(default=0, init=False)

    def new_pages(self) -> Iterator[dict[str, object]]:
        """What was added since the last call; a line still being written waits."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield orjson.loads(line)


async def waited_for(stop: asyncio.Event, seconds: float) -> bool:
    """Whether `stop` came within that time."""
    try:
        await asyncio.wait_for(stop.wait(), timeout=seconds)
    except TimeoutError:
        return False
    return True


def _milliseconds(clock: AcceleratedClock) -> int:
    return round(clock.now().timestamp() * 1000)
