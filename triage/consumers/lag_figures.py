"""What Kafka is told of our position: for its lag figures only, so never waited for by a batch."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

_LOG = logging.getLogger(__name__)
_APART_SECONDS = 0.5


@dataclass(slots=True)
class LagFigures:
    """Commits offsets to Kafka at once, then at most every half second while more come.

    A commit without an answer within `answer_seconds` is given up: the next one says it all.
    """

    answer_seconds: float = 2.0
    _owed: dict[TopicPartition, int] = field(default_factory=dict)
    _telling: asyncio.Task[None] | None = None

    def note(self, consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> None:
        """These are the next offsets to read; Kafka hears of them soon. Returns at once."""
        self._owed |= positions
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_on(consumer))

    async def flush(self, consumer: AIOKafkaConsumer) -> None:
        """Commit what is still owed. A failure is of no consequence, so nothing is raised."""
        owed, self._owed = self._owed, {}
        if not owed:
            return
        try:
            async with asyncio.timeout(self.answer_seconds):
                await consumer.commit(owed)
        except (KafkaError, TimeoutError) as error:
            _LOG.debug("kafka.commit_failed: %s", type(error).__name__)

    async def _tell_on(self, consumer: AIOKafkaConsumer) -> None:
        while self._owed:
            await self.flush(consumer)
            await asyncio.sleep(_APART_SECONDS)
