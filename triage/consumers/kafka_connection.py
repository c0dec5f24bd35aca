"""A connection to Kafka for administration: opened, closed, and its errors put into our words."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import (
    InvalidReplicationFactorError,
    KafkaError,
)

from triage.domain.errors import TriageError

SECURITY_KEYS = frozenset(
    {
        "security_protocol",
        "sasl_mechanism",
        "sasl_plain_username",
        "sasl_plain_password",
        "ssl_cafile",
        "ssl_certfile",
        "ssl_keyfile",
        "ssl_password",
    }
)
TIMEOUT_MS = 10_000


class AdministrationFailed(TriageError):
    """Kafka did not answer, or answered no. Topics that were made before stay made."""


@contextmanager
def connected(
    bootstrap: Sequence[str], security: Mapping[str, str] | None, timeout_ms: int = TIMEOUT_MS
) -> Iterator[Any]:
    with translated(bootstrap):
        client = KafkaAdminClient(
            bootstrap_servers=list(bootstrap),
            bootstrap_timeout_ms=timeout_ms,
            request_timeout_ms=timeout_ms,
            **checked(security),
        )
        try:
            yield client
        finally:
            client.close()


@contextmanager
def translated(bootstrap: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except InvalidReplicationFactorError as error:
        raise AdministrationFailed(
            f"the cluster has too few brokers for the copies that were asked for: {error}",
            hint="start the missing brokers, or ask for fewer copies (--replication 1)",
        ) from error
    except KafkaError as error:
        raise AdministrationFailed(
            f"Kafka at {','.join(bootstrap)}: {type(error).__name__}: {error}",
            hint="check TRIAGE_KAFKA_BOOTSTRAP, that the broker runs, and what we may do there",
        ) from error


def checked(security: Mapping[str, str] | None) -> dict[str, str]:
    if unknown := sorted(set(security or ()) - SECURITY_KEYS):
        raise AdministrationFailed(
            f"unknown Kafka security setting: {unknown[0]}",
            hint=f"allowed: {', '.join(sorted(SECURITY_KEYS))}",
        )
    return dict(security or {})
