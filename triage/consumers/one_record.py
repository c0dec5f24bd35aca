"""One record on a topic, for those that seldom send any."""

import asyncio
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from triage.consumers.broker import client_security
from triage.domain.errors import TriageError

_SECONDS = 10.0
_HEADERS = [("content-type", b"application/cloudevents+json")]


def publish_one(
    bootstrap: Sequence[str], security: Mapping[str, str], *, topic: str, key: str, value: bytes
) -> None:
    """Blocks until every copy is written. Raises TriageError where Kafka does not take it."""
    try:
        asyncio.run(asyncio.wait_for(_publish(bootstrap, security, topic, key, value), _SECONDS))
    except (KafkaError, OSError, TimeoutError) as error:
        raise TriageError(f"Kafka did not take a record: {type(error).__name__}") from None


async def _publish(
    bootstrap: Sequence[str], security: Mapping[str, str], topic: str, key: str, value: bytes
) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=list(bootstrap), acks="all", **client_security(security)
    ) as producer:
        await producer.send_and_wait(topic, value, key=key.encode(), headers=_HEADERS)
