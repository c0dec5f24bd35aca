"""A Kafka-protocol broker inside this process: librdkafka's own mock cluster.

In memory, for demonstrations and quick tests only. What it cannot do (measured):

- nothing outlives the process, and a partition keeps its last 5 MiB: the oldest records fall out;
- one member per consumer group: a second one fails to join about one time in three, since the
  mock answers its SyncGroup too early;
- no CreateTopics (topics are given here), no transactions, one produced batch per fetch: say
  nothing about speed from it.
"""

import ctypes
from collections.abc import Mapping
from importlib.metadata import files
from pathlib import Path
from types import TracebackType
from typing import Self

from triage.domain.errors import TriageError

_PRODUCER = 0  # RD_KAFKA_PRODUCER
_ONLY_BROKER = 1
_ERROR_BYTES = 512
_NO_ERROR = 0


class MockBrokerUnavailable(TriageError):
    """The mock cluster did not start; `what` says why."""


class MockBroker:
    """One broker on a free loopback port, with `topics` = name to number of partitions.

    A context manager, or `start` and `stop`. The port stays the same across `down` and `up`.
    """

    def __init__(self, topics: Mapping[str, int]) -> None:
        self.topics = dict(topics)
        self.bootstrap = ""
        self._library: ctypes.CDLL | None = None
        self._client: int | None = None
        self._cluster: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> str:
        """Returns `bootstrap`, e.g. `127.0.0.1:34567`. Raises MockBrokerUnavailable."""
        self._library = _load_library()
        self._client = _new_client(self._library)
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, 1)
        if not self._cluster:
            self.stop()
            raise MockBrokerUnavailable("librdkafka refused to make a mock cluster")
        # Waiting for more members would only delay the first: there is one.
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        for name, partitions in self.topics.items():
            self._create(name, partitions)
        self.bootstrap = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        return self.bootstrap

    def stop(self) -> None:
        """Ends the broker and forgets every record. Harmless when it does not run."""
        if self._library is None:
            return
        if self._cluster:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        if self._client:
            self._library.rd_kafka_destroy(self._client)
        self._library = self._client = self._cluster = None

    def down(self) -> None:
        """Cuts every connection and refuses new ones; the records stay."""
        self._running().rd_kafka_mock_broker_set_down(self._cluster, _ONLY_BROKER)

    def up(self) -> None:
        """Serves again, on the same port."""
        self._running().rd_kafka_mock_broker_set_up(self._cluster, _ONLY_BROKER)

    def _running(self) -> ctypes.CDLL:
        if self._library is None:
            raise MockBrokerUnavailable("the mock broker does not run: call start() first")
        return self._library

    def _create(self, topic: str, partitions: int) -> None:
        code = self._running().rd_kafka_mock_topic_create(
            self._cluster, topic.encode(), partitions, 1
        )
        if code != _NO_ERROR:
            raise MockBrokerUnavailable(f"topic not made: {topic} (librdkafka error {code})")


def _new_client(library: ctypes.CDLL) -> int:
    reason = ctypes.create_string_buffer(_ERROR_BYTES)
    conf = library.rd_kafka_conf_new()
    # Its client half has nowhere to connect to and would say so on the terminal at each start.
    library.rd_kafka_conf_set(conf, b"log_level", b"3", reason, _ERROR_BYTES)
    client = library.rd_kafka_new(_PRODUCER, conf, reason, _ERROR_BYTES)
    if not client:
        raise MockBrokerUnavailable(f"librdkafka did not start: {reason.value.decode()}")
    return int(client)


def _load_library() -> ctypes.CDLL:
    """librdkafka as the confluent-kafka wheel carries it, with the signatures that we call."""
    library = ctypes.CDLL(str(_library_file()))
    pointer = ctypes.c_void_p
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(library, name).restype = pointer
    text, size = ctypes.c_char_p, ctypes.c_size_t
    library.rd_kafka_conf_set.argtypes = [pointer, text, text, text, size]
    library.rd_kafka_new.argtypes = [ctypes.c_int, pointer, text, size]
    library.rd_kafka_mock_cluster_new.argtypes = [pointer, ctypes.c_int]
    library.rd_kafka_mock_cluster_bootstraps.argtypes = [pointer]
    library.rd_kafka_mock_cluster_bootstraps.restype = text
    library.rd_kafka_mock_topic_create.argtypes = [pointer, text, ctypes.c_int, ctypes.c_int]
    library.rd_kafka_mock_group_initial_rebalance_delay_ms.argtypes = [pointer, ctypes.c_int32]
    for name in ("rd_kafka_mock_broker_set_down", "rd_kafka_mock_broker_set_up"):
        getattr(library, name).argtypes = [pointer, ctypes.c_int32]
    for name in ("rd_kafka_mock_cluster_destroy", "rd_kafka_destroy"):
        getattr(library, name).argtypes = [pointer]
        getattr(library, name).restype = None
    return library


def _library_file() -> Path:
    for file in files("confluent-kafka") or []:
        if file.name.startswith("librdkafka") and {".so", ".dylib"} & set(file.suffixes):
            return Path(str(file.locate()))
    raise MockBrokerUnavailable(
        "librdkafka not found in the confluent-kafka package: install its wheel, not a source build"
    )
