"""The FastStream broker for what comes in, and the settings that its defaults would get wrong."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord
from aiokafka.helpers import create_ssl_context
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from triage.consumers.topics import INBOUND
from triage.domain.errors import TriageError
from triage.intake.faults import described

Records = tuple[ConsumerRecord, ...]

_LOG = logging.getLogger(__name__)
_BATCH = 500
_BATCH_TIMEOUT_MS = 50
_FETCH_WAIT_MS = 10
# Bounds what waits in front of an act of the centre while a backlog of referrals is read: both
# topics share one consumer. A single record may be larger all the same.
_PARTITION_FETCH_BYTES = 128 * 1024
_GRACE_SECONDS = 10.0
_METADATA_MS = 10_000  # how soon a topic or partition that was just made is seen
_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """How to reach Kafka. `bootstrap` is a list of `host:port`; `security` has the names of
    `kafka_connection.SECURITY_KEYS`."""

    bootstrap: Sequence[str]
    security: Mapping[str, str] = field(default_factory=dict)
    group: str = "triage"
    session_timeout_seconds: float = 6.0
    topics: Sequence[str] = INBOUND


class UnsoundSecurity(TriageError):
    """The security settings contradict each other."""


class _ErrorsOnly:
    """FastStream logs two lines for each message, or, without a logger, not even its failures."""

    def log(
        self,
        level: int,
        message: Any,  # noqa: ARG002 - may quote what it failed on
        /,
        *,
        exc_info: Any = None,
        extra: Mapping[str, Any] | None = None,  # noqa: ARG002 - the protocol's signature
    ) -> None:
        if level < logging.ERROR or isinstance(exc_info, asyncio.CancelledError):
            return
        is_known = isinstance(exc_info, BaseException)
        _LOG.log(level, "kafka.consumer: %s", described(exc_info) if is_known else "failed")


def build_broker(bus: Bus) -> KafkaBroker:
    """A broker that only consumes, creates no topic and injects nothing."""
    return KafkaBroker(
        list(bus.bootstrap),
        security=_security(bus.security),
        consumer_only=True,
        allow_auto_create_topics=False,
        metadata_max_age_ms=_METADATA_MS,
        graceful_timeout=_GRACE_SECONDS,
        apply_types=False,
        logger=_ErrorsOnly(),
    )


def subscribe(
    broker: KafkaBroker,
    bus: Bus,
    take: Callable[[Records], Awaitable[None]],
    listener: ConsumerRebalanceListener,
) -> Any:
    """The batch subscriber of all inbound topics. `take` gets raw records and must not raise."""
    session_ms = int(bus.session_timeout_seconds * 1000)
    subscriber = broker.subscriber(
        *bus.topics,
        batch=True,
        group_id=bus.group,
        ack_policy=AckPolicy.MANUAL,
        no_reply=True,
        auto_offset_reset="earliest",
        max_records=_BATCH,
        batch_timeout_ms=_BATCH_TIMEOUT_MS,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        max_partition_fetch_bytes=_PARTITION_FETCH_BYTES,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // 3,
        listener=listener,
        parser=_untouched,
        decoder=_records,
    )
    subscriber(take)
    return subscriber


async def _untouched(records: Records) -> KafkaMessage:
    """The default parser fails on a header that is no UTF-8, and the whole batch with it."""
    return KafkaMessage(body=b"", raw_message=records, consumer=None)  # type: ignore[arg-type]


async def _records(message: KafkaMessage) -> Any:
    return message.raw_message


def client_security(security: Mapping[str, str]) -> dict[str, Any]:
    """The settings as aiokafka's own clients take them."""
    return parse_security(_security(security))


def _security(given: Mapping[str, str]) -> BaseSecurity | None:
    protocol = given.get("security_protocol", "PLAINTEXT")
    context = None
    if protocol.endswith("SSL"):
        context = create_ssl_context(
            cafile=given.get("ssl_cafile"),
            certfile=given.get("ssl_certfile"),
            keyfile=given.get("ssl_keyfile"),
            password=given.get("ssl_password"),
        )
    if not protocol.startswith("SASL"):
        return BaseSecurity(ssl_context=context) if context else None
    mechanism = given.get("sasl_mechanism", "PLAIN")
    if mechanism not in _SASL:
        raise UnsoundSecurity(
            f"SASL mechanism: {mechanism}", hint=f"allowed: {', '.join(sorted(_SASL))}"
        )
    return _SASL[mechanism](
        username=given.get("sasl_plain_username", ""),
        password=given.get("sasl_plain_password", ""),
        ssl_context=context,
    )
