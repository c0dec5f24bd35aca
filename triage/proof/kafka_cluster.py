"""A real Apache Kafka on this machine: one node or three, free ports, no Docker, no Maven.

python -m triage.proof.kafka_cluster start --nodes 3      until Ctrl-C
python -m triage.proof.kafka_cluster start --detach       then `status` and `stop`
"""

import atexit
import base64
import os
import signal
import socket
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from triage.consumers.administration import AdministrationFailed, describe
from triage.proof.kafka_jars import fetch_jars
from triage.proof.kafka_node import HOST, Address, KafkaNode, KafkaNotRunning, free_ports
from triage.proof.kafka_record import (
    RECORD,
    ClusterRecord,
    RecordedNode,
    live_nodes,
    read_record,
    write_record,
)

READY_SECONDS = 60
# All nodes are asked to stop at once. The last of three has then lost the quorum that it wants to
# take leave of, and would wait for minutes; what was acknowledged is safe when it is killed.
STOP_SECONDS = 5
_START_ATTEMPTS = 3
_POLL_SECONDS = 0.1
_ASK_TIMEOUT_MS = 3_000
_PORT_TAKEN = "Address already in use"


class KafkaCluster:
    """`nodes` (1 or 3) nodes with their data below `home`; a context manager, or start and stop.

    Data of an earlier run in `home` is kept, with the cluster's id. Unless `detached`, no node
    outlives this process; start it from a thread that lives as long as the cluster shall.
    """

    def __init__(self, *, home: Path, nodes: int = 1, detached: bool = False) -> None:
        if nodes not in (1, 3):
            raise ValueError(f"nodes: {nodes}; allowed: 1 or 3 (a quorum needs an odd number)")
        self.home = home.resolve()
        self.nodes = nodes
        self.detached = detached
        self.cluster_id = ""
        self._addresses: list[Address] = []
        self._running: dict[int, KafkaNode] = {}

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

    @property
    def bootstrap(self) -> str:
        """Comma-separated addresses of all nodes, also of those that are down just now."""
        return ",".join(address.bootstrap for address in self._addresses)

    def start(self) -> str:
        """Returns `bootstrap` once every node serves. Raises KafkaNotRunning (60 s, or a node
        ended by itself; nothing is left running then) and JarsUnavailable."""
        self._refuse_if_home_is_taken()
        jars = fetch_jars()
        self.cluster_id = self._earlier_id() or _new_id()
        for attempt in range(1, _START_ATTEMPTS + 1):
            try:
                self._start_all_or_none(jars)
                break
            except KafkaNotRunning as error:
                if _PORT_TAKEN not in error.what or attempt == _START_ATTEMPTS:
                    raise
        if not self.detached:
            atexit.register(self.stop)
        return self.bootstrap

    def stop(self) -> None:
        """Clean stop of every node that runs; a node that is not gone after 5 s is killed.

        Does nothing where this object has started none. It can be started again.
        """
        if not self._running:
            return
        for node in self._running.values():
            node.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for node in self._running.values():
            node.wait_stopped(deadline - time.monotonic())
        self._running = {}
        (self.home / RECORD).unlink(missing_ok=True)
        atexit.unregister(self.stop)

    def kill(self, node: int) -> None:
        """SIGKILL to one node (numbered from 1). Its data and its ports are kept for `restart`."""
        self._node(node).kill()

    def has_ended(self, node: int) -> bool:
        """One node is down, killed or by itself."""
        return self._node(node).has_ended()

    def restart(self, node: int) -> None:
        """Starts one node again, after a clean stop if it still runs, and waits until it serves."""
        process = self._node(node)
        process.ask_to_stop()
        process.wait_stopped(STOP_SECONDS)
        process.start()
        self._wait_until_serving(READY_SECONDS)
        self._write_record()

    @contextmanager
    def hanging(self, node: int) -> Iterator[None]:
        """The broker stands still meanwhile: connections are taken, and nothing is answered."""
        pid = self._node(node).pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def _node(self, number: int) -> KafkaNode:
        if number not in self._running:
            raise ValueError(f"node: {number}; running: {sorted(self._running) or 'none'}")
        return self._running[number]

    def _start_all_or_none(self, jars: tuple[Path, ...]) -> None:
        with ExitStack() as undo:
            undo.callback(self.stop)
            self._start_nodes(jars)
            self._wait_until_serving(READY_SECONDS)
            self._write_record()
            undo.pop_all()

    def _start_nodes(self, jars: tuple[Path, ...]) -> None:
        ports = free_ports(2 * self.nodes)
        self._addresses = [
            Address(node=i + 1, port=ports[2 * i], controller_port=ports[2 * i + 1])
            for i in range(self.nodes)
        ]
        self._running = {
            a.node: KafkaNode(
                home=self.home / f"node-{a.node}", jars=jars, tied_to_us=not self.detached
            )
            for a in self._addresses
        }
        with ThreadPoolExecutor(max_workers=self.nodes) as pool:
            list(pool.map(self._prepare, self._addresses))
        for node in self._running.values():
            node.start()

    def _prepare(self, address: Address) -> None:
        self._running[address.node].prepare(
            address, quorum=self._addresses, cluster_id=self.cluster_id
        )

    def _wait_until_serving(self, seconds: float) -> None:
        """Until each running node itself names all running nodes and our cluster id."""
        waiting = [a for a in self._addresses if self._running[a.node].pid is not None]
        expected = {address.node for address in waiting}
        deadline = time.monotonic() + seconds
        while waiting:
            for address in waiting:
                self._refuse_if_ended(address)
            if time.monotonic() > deadline:
                self._refuse(waiting[0], f"does not serve after {seconds:.0f} s")
            waiting = [a for a in waiting if not self._serves(a, expected)]
            time.sleep(_POLL_SECONDS if waiting else 0)

    def _serves(self, address: Address, expected: set[int]) -> bool:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, address.port)) != 0:
                return False
        try:
            view = describe([address.bootstrap], timeout_ms=_ASK_TIMEOUT_MS)
        except AdministrationFailed:
            return False
        if view.cluster_id != self.cluster_id:
            self._refuse(address, f"answers as another cluster: {view.cluster_id}")
        return view.brokers >= expected

    def _refuse_if_ended(self, address: Address) -> None:
        if self._running[address.node].has_ended():
            self._refuse(address, "ended by itself")

    def _refuse(self, address: Address, reason: str) -> None:
        node = self._running[address.node]
        raise KafkaNotRunning(
            f"Kafka node {address.node} at {address.bootstrap} {reason}:\n{node.log_tail()}",
            hint=f"the whole log: {node.log}",
        )

    def _earlier_id(self) -> str | None:
        for path in sorted(self.home.glob("node-*/data/meta.properties")):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("cluster.id="):
                    return line.removeprefix("cluster.id=")
        return None

    def _write_record(self) -> None:
        nodes = tuple(
            RecordedNode(node=a.node, port=a.port, pid=self._running[a.node].pid)
            for a in self._addresses
        )
        write_record(
            self.home,
            ClusterRecord(cluster_id=self.cluster_id, bootstrap=self.bootstrap, nodes=nodes),
        )

    def _refuse_if_home_is_taken(self) -> None:
        record = read_record(self.home)
        if record is not None and live_nodes(self.home, record):
            raise KafkaNotRunning(
                f"a cluster runs in {self.home} already, at {record.bootstrap}",
                hint="use it, stop it, or name another folder with --home",
            )


def _new_id() -> str:
    """Kafka's form of a UUID. It must not start with a dash, which a command reads as an option."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")


if __name__ == "__main__":
    from triage.proof.kafka_command import main

    sys.exit(main())
