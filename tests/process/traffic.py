"""Mixed events in bulk: forty hospitals with their usual troubles, and what the centre answers."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from triage.consumers.topics import ACTIONS
from triage.proof.hospitals import HospitalStream, Traffic
from triage.proof.messages import Kind, TimedMessage, envelope, structured
from triage.proof.people_and_places import CENTRE, member_of_staff

_ACTS_PER_REFERRAL = 0.2
_PER_DAY = 400_000.0  # so that thousands of referrals happened within the last hours
_PACE = 200.0
_CHUNK = 500


def mixed(number: int, *, seed: int = 1) -> list[TimedMessage]:
    """`number` messages that happened within the last hours: referrals and what follows them,
    repeats, conflicts, garbage, acts at the wrong door, and acts of the centre."""
    dice = Random(seed)
    start = datetime.now(UTC) - timedelta(hours=6)
    stream = HospitalStream(seed, start, Traffic(per_day=_PER_DAY, pace=_PACE, by_the_clock=False))
    return list(islice(_with_acts(stream, dice), number))


def _with_acts(stream: HospitalStream, dice: Random) -> Iterator[TimedMessage]:
    for place, message in enumerate(stream):
        yield message
        if message.kind is Kind.EVENT and dice.random() < _ACTS_PER_REFERRAL:
            yield _act(dice, place, message)


def _act(dice: Random, place: int, message: TimedMessage) -> TimedMessage:
    by = member_of_staff("consultant")
    kind, data = dice.choice(
        (
            ("milestone.reached.v1", {"milestone": "images_received"}),
            ("milestone.reached.v1", {"milestone": "senior_reviewed"}),
            ("treatment.decided.v1", {"treatment": "surgery", "by": by}),
            ("capacity.reported.v1", {"kind": "bed", "note": "none free"}),
        )
    )
    event = envelope(
        source=CENTRE,
        event_id=f"act-{place}",
        event_type=kind,
        time=message.at,
        data=data,
        referral=message.key.decode(),
    )
    headers, value = structured(event)
    return TimedMessage(at=message.at, topic=ACTIONS, key=message.key, headers=headers, value=value)


@dataclass(slots=True)
class Sender:
    """Sends in a thread of its own. What the broker did not acknowledge is sent again, as every
    hospital's system does; so a record may come twice, and none is given up."""

    bootstrap: str
    acknowledged: int = 0
    again: int = 0
    _waiting: list[TimedMessage] = field(default_factory=list)
    _thread: threading.Thread | None = None

    def start(self, messages: Sequence[TimedMessage]) -> None:
        self.join()
        self._waiting = list(messages)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send_all()), daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Until everything that was started is acknowledged."""
        if self._thread is not None:
            self._thread.join(120)
            assert not self._waiting, f"{len(self._waiting)} messages could not be sent"

    async def _send_all(self) -> None:
        while self._waiting:
            try:
                await self._send_some()
            except (KafkaError, OSError):
                await asyncio.sleep(0.2)  # the broker is away

    async def _send_some(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", request_timeout_ms=5_000
        )
        await producer.start()
        try:
            while chunk := self._waiting[:_CHUNK]:
                sent = [
                    await producer.send(m.topic, m.value, key=m.key, headers=list(m.headers))
                    for m in chunk
                ]
                await self._settle(chunk, await asyncio.gather(*sent, return_exceptions=True))
        finally:
            await producer.stop()

    async def _settle(self, chunk: list[TimedMessage], results: list[object]) -> None:
        failed = [
            message
            for message, result in zip(chunk, results, strict=True)
            if isinstance(result, BaseException)
        ]
        self._waiting[: len(chunk)] = failed
        self.acknowledged += len(chunk) - len(failed)
        self.again += len(failed)
