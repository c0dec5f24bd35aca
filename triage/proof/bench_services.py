"""Real Kafka and PostgreSQL for one benchmark, and the service's own processes beside it."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import make_url

from triage.consumers.provisioning import create_topics
from triage.consumers.topics import topics_text
from triage.domain.errors import TriageError
from triage.proof.kafka_cluster import KafkaCluster
from triage.proof.kafka_node import free_ports
from triage.store.schema import upgrade

_READY_SECONDS = 60
_STOP_SECONDS = 20


class CannotBench(TriageError):
    """A benchmark could not run here; `what` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Where the service under test finds its bus and its database; `home` is a scratch folder."""

    bootstrap: str
    database: str
    home: Path

    def environment(self, **more: str) -> dict[str, str]:
        """Settings for the service's processes."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGE_")}
        ours = {
            "TRIAGE_HOME": str(self.home),
            "TRIAGE_DATABASE_URL": self.database,
            "TRIAGE_KAFKA_BOOTSTRAP": self.bootstrap,
            "TRIAGE_SECRET_KEY": secrets.token_hex(32),
            "TRIAGE_ROUTE_TEST_DAYS": "0",
            "TRIAGE_LOG_LEVEL": "WARNING",
        }
        return {**kept, **ours, **more}

    @property
    def libpq(self) -> str:
        """The database's address as PostgreSQL's own tools take it."""
        url = make_url(self.database).set(drivername="postgresql")
        return url.render_as_string(hide_password=False)

    def setting(self, name: str) -> str:
        """A setting of the database, e.g. `fsync`: `on`, or the figures mean little."""
        with psycopg.connect(self.libpq) as connection:
            row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        return str(row[0]) if row else "unknown"


@contextmanager
def services(
    kafka: str | None,
    database: str | None,
    *,
    needs_kafka: bool = True,
    has_topics: bool = True,
) -> Iterator[Services]:
    """The given ones (an empty database, topics that may be written to), or ones started for it.

    Without `needs_kafka` and a given address there is no bus; without `has_topics` nobody is asked
    for it. Raises CannotBench where nothing is
    given and nothing can be started.
    """
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="triage-bench-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        home.chmod(0o755)
        url = database or _own_postgres(stack, home)
        if kafka is None and needs_kafka:
            kafka = stack.enter_context(KafkaCluster(home=home / "kafka")).bootstrap
        upgrade(url)
        if kafka and has_topics:
            create_topics(kafka.split(","), topics_text(), replication=1)
        yield Services(bootstrap=kafka or "", database=url, home=home)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process beside us; `port` is where its health is asked, None where it has none."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    port: int | None

    def refuse_if_ended(self) -> None:
        """Raises CannotBench with the end of its log when it has ended by itself."""
        if self.process.poll() is None:
            return
        log = self.log.read_text(encoding="utf-8", errors="replace")
        raise CannotBench(
            f"the process {self.name} ended with status {self.process.returncode}:\n{log[-2000:]}",
            hint="run `triage doctor` with the same settings",
        )

    def wait_until_ready(self) -> None:
        """Until /health/ready says so. Raises CannotBench after 60 s, or when it ends."""
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            self.refuse_if_ended()
            if time.monotonic() > deadline:
                raise CannotBench(f"{self.name} is not ready after {_READY_SECONDS} s")
            time.sleep(0.2)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=2).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def role(services: Services, name: str, environment: Mapping[str, str]) -> Iterator[Child]:
    """`triage run --role NAME` in a process of its own, on a port of its own."""
    port = free_ports(1)[0]
    arguments = ["-m", "triage", "run", "--role", name]
    changed = {**environment, "TRIAGE_HTTP_PORT": str(port)}
    with process(services, name, arguments, changed, port=port) as child:
        yield child


@contextmanager
def process(
    services: Services,
    name: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    port: int | None = None,
) -> Iterator[Child]:
    """`python ARGUMENTS` beside us; its output goes to `<home>/<name>.log`; stopped at the end."""
    path = services.home / f"{name}.log"
    with path.open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, *arguments], env=dict(environment), stdout=log, stderr=log
        )
    try:
        yield Child(name=name, process=child, log=path, port=port)
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _own_postgres(stack: ExitStack, home: Path) -> str:
    try:
        from tests.local_postgres import LocalPostgres, PostgresNotStarted, wheel_binaries
    except ImportError as error:
        raise CannotBench(
            f"no PostgreSQL given, and none can be started: {error}", hint="give --database URL"
        ) from error
    try:
        server = LocalPostgres(binaries=wheel_binaries(home), home=home)
        stack.callback(server.stop)
        server.start()
        _keep_commit_times(server.url)
        server.stop()
        server.start()
    except PostgresNotStarted as error:
        raise CannotBench(
            f"PostgreSQL did not start: {error}", hint="give --database URL"
        ) from error
    return server.url


def _keep_commit_times(url: str) -> None:
    """So that the database itself tells when a row was committed; needs a restart."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
