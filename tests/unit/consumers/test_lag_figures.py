"""Kafka hears how far we are, and a Kafka that does not answer holds nothing up."""

import asyncio
from collections.abc import Mapping

from aiokafka import TopicPartition

from tests.unit.consumers.bus import P0, P1, Hands
from triage.consumers.lag_figures import LagFigures


class Mute(Hands):
    """Kafka takes the request and never answers."""

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.committed.update(offsets)
        await asyncio.Event().wait()


async def _many_batches(figures: LagFigures, hands: Hands) -> list[dict[TopicPartition, int]]:
    heard = []
    for batch in range(1, 6):
        figures.note(hands, {P0: batch * 10, P1: batch})  # type: ignore[arg-type]
        await asyncio.sleep(0)
        heard.append(dict(hands.committed))
    await figures.flush(hands)  # type: ignore[arg-type]
    return [*heard, dict(hands.committed)]


def test_the_first_batch_is_told_at_once_and_the_last_before_the_consumer_closes() -> None:
    heard = asyncio.run(_many_batches(LagFigures(), Hands(P0, P1)))
    assert heard[0] == {P0: 10, P1: 1}
    assert heard[4] == heard[0]  # within half a second Kafka is not asked again
    assert heard[-1] == {P0: 50, P1: 5}


def test_a_kafka_that_never_answers_keeps_no_batch_and_no_stop_waiting() -> None:
    async def told() -> dict[TopicPartition, int]:
        return (await _many_batches(LagFigures(answer_seconds=0.01), Mute(P0, P1)))[-1]

    assert asyncio.run(asyncio.wait_for(told(), 5)) == {P0: 50, P1: 5}
