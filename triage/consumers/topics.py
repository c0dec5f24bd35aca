"""The table of topics (`infra/topics.toml`): what each is called, and how Kafka is to keep it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triage.domain.errors import TriageError

REFERRALS = "triage.referrals.v1"
ACTIONS = "triage.actions.v1"
QUARANTINE = "triage.quarantine.v1"
CASES = "triage.cases.v1"
PAGES = "triage.pages.v1"
INBOUND = (REFERRALS, ACTIONS)

_KEYS = {"name": str, "why": str, "partitions": int, "replication": int, "config": dict}
_MIN_IN_SYNC = "min.insync.replicas"


def topics_text() -> str:
    """The table that ships: beside the project in a checkout, inside the package when installed.

    Raises UnsoundTopics where it is in neither place.
    """
    here = Path(__file__)
    for place in (here.parents[2] / "infra" / "topics.toml", here.with_name("topics.toml")):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise UnsoundTopics("topics.toml: not found", hint="give it with --file")


class UnsoundTopics(TriageError):
    """The table of topics cannot be used; `what` names the row, the key and the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """One row. `config` holds Kafka's topic settings, values as Kafka writes them."""

    name: str
    why: str
    partitions: int
    replication: int
    config: Mapping[str, str]

    def on(self, *, replication: int | None, partitions_at_most: int | None) -> "TopicSpec":
        """The same topic on a smaller cluster: fewer copies (never asking for more of them in
        sync than there are), fewer partitions. None keeps the row's value."""
        copies = self.replication if replication is None else replication
        config = dict(self.config)
        if _MIN_IN_SYNC in config:
            config[_MIN_IN_SYNC] = str(min(int(config[_MIN_IN_SYNC]), copies))
        partitions = min(self.partitions, partitions_at_most or self.partitions)
        return replace(self, replication=copies, partitions=partitions, config=config)


def load_topics(text: str) -> tuple[TopicSpec, ...]:
    """The rows in the order of the file. Raises UnsoundTopics at the first that cannot be used."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnsoundTopics(f"topics.toml is not TOML: {error}") from error
    rows = table.pop("topic", None)
    if table or not isinstance(rows, list) or not rows:
        raise UnsoundTopics(
            f"topics.toml holds something else than [[topic]] rows: {sorted(table) or 'nothing'}",
            hint="write each topic as [[topic]] with name, why, partitions, replication, config",
        )
    specs = tuple(_spec(row, number) for number, row in enumerate(rows, start=1))
    if len({spec.name for spec in specs}) < len(specs):
        raise UnsoundTopics("topics.toml names a topic twice", hint="remove one of the rows")
    return specs


def _spec(row: Mapping[str, Any], number: int) -> TopicSpec:
    where = f"topics.toml row {number} ({row.get('name', 'no name')})"
    if unknown := sorted(row.keys() - _KEYS.keys()):
        raise UnsoundTopics(
            f"{where}: unknown key: {unknown[0]}", hint=f"allowed: {', '.join(_KEYS)}"
        )
    for key, kind in _KEYS.items():
        if type(row.get(key)) is not kind:
            raise UnsoundTopics(
                f"{where}: {key} is missing or no {kind.__name__}: {row.get(key)!r}"
            )
    if row["partitions"] < 1 or row["replication"] < 1:
        raise UnsoundTopics(f"{where}: partitions and replication start at 1")
    config = {key: _as_kafka_writes(where, key, value) for key, value in row["config"].items()}
    _refuse_unwritable(where, config.get(_MIN_IN_SYNC, "1"), row["replication"])
    return TopicSpec(**{**row, "config": config})


def _as_kafka_writes(where: str, key: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | str):
        return str(value)
    raise UnsoundTopics(f"{where}: {key} is not a text, a number or true/false: {value!r}")


def _refuse_unwritable(where: str, in_sync: str, replication: int) -> None:
    if not in_sync.isdecimal():
        raise UnsoundTopics(f"{where}: {_MIN_IN_SYNC} is not a number: {in_sync}")
    if int(in_sync) > replication:
        raise UnsoundTopics(
            f"{where}: {_MIN_IN_SYNC} above replication: {in_sync}",
            hint="no write would ever be accepted; lower it or raise replication",
        )
