"""Sending events as a hospital's system would, over HTTP or Kafka."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson
from aiokafka import AIOKafkaProducer

from triage.consumers.topics import ACTIONS, REFERRALS
from triage.domain.errors import TriageError
from triage.settings import Settings

_TIMEOUT_SECONDS = 30.0


def read_events(file: Path) -> Iterator[dict[str, Any]]:
    """Events of a file: one JSON object a line, or one JSON array. Raises TriageError."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise TriageError(f"{file}: {error.strerror}", hint="name a readable file") from None
    lines = [raw] if raw.lstrip().startswith(b"[") else raw.splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            content = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise TriageError(
                f"{file} line {number}: {error}", hint="one JSON object a line"
            ) from None
        yield from content if isinstance(content, list) else [content]


def over_http(events: Sequence[dict[str, Any]], url: str, token: str) -> Iterator[dict[str, Any]]:
    """Post each event; gives receipt or `{"error": ...}`. Raises TriageError when not reached."""
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/cloudevents+json",
    }
    with httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_SECONDS) as client:
        for event in events:
            try:
                answer = client.post("/events", content=orjson.dumps(event))
            except httpx.HTTPError as error:
                raise TriageError(f"{url}: {error}", hint="is `triage run` there?") from None
            content = answer.json()
            if answer.status_code == httpx.codes.ACCEPTED:
                yield from content if isinstance(content, list) else [content]
            else:
                yield {"error": content}


def over_kafka(events: Sequence[dict[str, Any]], settings: Settings) -> list[dict[str, Any]]:
    """Publish each event to the topic of its side, keyed by the referral that is meant."""
    if not settings.kafka_bootstrap:
        raise TriageError("TRIAGE_KAFKA_BOOTSTRAP: not set", hint="set it to host:port")
    return asyncio.run(_publish(events, settings))


async def _publish(events: Sequence[dict[str, Any]], settings: Settings) -> list[dict[str, Any]]:
    producer = AIOKafkaProducer(
        bootstrap_servers=list(settings.kafka_bootstrap),
        acks="all",
        enable_idempotence=True,
        **settings.kafka_security,
    )
    await producer.start()
    try:
        answers = []
        for event in events:
            source = str(event.get("source", ""))
            meant = event.get("referral") or f"{source}/{event.get('subject', '')}"
            topic = ACTIONS if source.startswith("centre:") else REFERRALS
            sent = await producer.send_and_wait(topic, orjson.dumps(event), key=meant.encode())
            answers.append({"topic": topic, "partition": sent.partition, "offset": sent.offset})
        return answers
    finally:
        await producer.stop()
