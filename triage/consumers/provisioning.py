"""Making Kafka's topics as the table says, and telling where they are not so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError

from triage.consumers.kafka_connection import TIMEOUT_MS, connected
from triage.consumers.topics import TopicSpec, load_topics


class Outcome(StrEnum):
    """What `create_topics` found or did for one topic."""

    CREATED = "created"
    EXISTS = "exists"
    DIFFERS = "differs"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One setting of an existing topic that is not as the table says."""

    setting: str
    is_now: str
    should_be: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicResult:
    """`differences` = those found, also where `outcome` is ALTERED and they are now gone.

    The number of partitions and of copies is reported and never altered: another number of
    partitions moves keys, and with them the order of a case's events; copies are moved by hand.
    """

    topic: str
    outcome: Outcome
    differences: tuple[Difference, ...] = ()


def create_topics(
    bootstrap: Sequence[str],
    topics_toml_text: str,
    *,
    replication: int | None = None,
    partitions_at_most: int | None = None,
    alter: bool = False,
    security: Mapping[str, str] | None = None,
) -> list[TopicResult]:
    """Makes the topics of the table that are missing and compares the others; in its order.

    Safe to repeat, and to run twice at once. Returns when every topic has its leaders.
    `replication` and `partitions_at_most` fit the table to a smaller cluster. With `alter`, the
    settings of existing topics that differ are set. Raises UnsoundTopics, AdministrationFailed.
    """
    specs = [
        spec.on(replication=replication, partitions_at_most=partitions_at_most)
        for spec in load_topics(topics_toml_text)
    ]
    with connected(bootstrap, security) as admin:
        existing = set(admin.list_topics())
        results = [_ensure(admin, spec, existing, alter=alter) for spec in specs]
        admin.wait_for_topics([spec.name for spec in specs], timeout_ms=TIMEOUT_MS)
    return results


def compare_topics(
    bootstrap: Sequence[str],
    topics_toml_text: str,
    *,
    security: Mapping[str, str] | None = None,
) -> dict[str, tuple[Difference, ...] | None]:
    """How each topic of the table differs in Kafka; None for one that is not there.

    Changes nothing. Raises UnsoundTopics, AdministrationFailed.
    """
    specs = load_topics(topics_toml_text)
    with connected(bootstrap, security) as admin:
        existing = set(admin.list_topics())
        return {
            spec.name: _compare(admin, spec, alter=False).differences
            if spec.name in existing
            else None
            for spec in specs
        }


def _ensure(admin: Any, spec: TopicSpec, existing: set[str], *, alter: bool) -> TopicResult:
    if spec.name not in existing:
        try:
            _create(admin, spec)
        except TopicAlreadyExistsError:
            pass  # Another process was faster; what it made is compared like any other.
        else:
            return TopicResult(topic=spec.name, outcome=Outcome.CREATED)
    return _compare(admin, spec, alter=alter)


def _create(admin: Any, spec: TopicSpec) -> None:
    wanted = {
        "num_partitions": spec.partitions,
        "replication_factor": spec.replication,
        "configs": dict(spec.config),
    }
    admin.create_topics({spec.name: wanted})


def _compare(admin: Any, spec: TopicSpec, *, alter: bool) -> TopicResult:
    fixed = _shape_differences(admin, spec)
    settings = _setting_differences(admin, spec)
    if alter and settings:
        wanted = {difference.setting: difference.should_be for difference in settings}
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, spec.name, wanted)])
    if not fixed and not settings:
        return TopicResult(topic=spec.name, outcome=Outcome.EXISTS)
    outcome = Outcome.ALTERED if alter and settings and not fixed else Outcome.DIFFERS
    return TopicResult(topic=spec.name, outcome=outcome, differences=(*fixed, *settings))


def _shape_differences(admin: Any, spec: TopicSpec) -> list[Difference]:
    admin.wait_for_topics([spec.name], timeout_ms=TIMEOUT_MS)
    partitions = admin.describe_topics([spec.name])[0]["partitions"]
    copies = min(len(partition["replica_nodes"]) for partition in partitions)
    found = (
        ("partitions", len(partitions), spec.partitions),
        ("replication", copies, spec.replication),
    )
    return [
        Difference(setting=setting, is_now=str(is_now), should_be=str(should_be))
        for setting, is_now, should_be in found
        if is_now != should_be
    ]


def _setting_differences(admin: Any, spec: TopicSpec) -> list[Difference]:
    resource = ConfigResource(ConfigResourceType.TOPIC, spec.name)
    current = admin.describe_configs([resource], config_filter="all")["topic"][spec.name]
    found = ((key, current.get(key, {}).get("value"), value) for key, value in spec.config.items())
    return [
        Difference(setting=key, is_now=str(is_now), should_be=should_be)
        for key, is_now, should_be in found
        if is_now != should_be
    ]
