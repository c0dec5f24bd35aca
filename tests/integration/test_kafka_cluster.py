"""The local cluster: real brokers that start, die, come back and never outlive their owner."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kafka_traffic import consume, numbered, produce
from tests.services import TOPICS_TOML
from triage.consumers.administration import AdministrationFailed, create_topics, describe
from triage.consumers.topics import REFERRALS
from triage.proof.kafka_cluster import KafkaCluster
from triage.proof.kafka_node import KafkaNotRunning

pytestmark = pytest.mark.kafka_real


def test_a_killed_node_comes_back_with_every_acknowledged_record(tmp_path: Path) -> None:
    with KafkaCluster(home=tmp_path / "kafka") as cluster:
        servers = [cluster.bootstrap]
        assert describe(servers).cluster_id == cluster.cluster_id
        create_topics(servers, TOPICS_TOML, replication=1, partitions_at_most=4)
        records = numbered(100)
        produce(cluster.bootstrap, REFERRALS, records)
        cluster.kill(1)
        with pytest.raises(AdministrationFailed):
            describe(servers, timeout_ms=500)
        cluster.restart(1)
        assert sorted(consume(cluster.bootstrap, REFERRALS, 100, group="g")) == sorted(records)
        with pytest.raises(KafkaNotRunning, match=r"runs in .* already"):
            KafkaCluster(home=tmp_path / "kafka").start()
        log = tmp_path / "kafka" / "node-1" / "broker.log"
        assert log.stat().st_size > 0


def _command(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "triage.proof.kafka_cluster", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


def _runs(pid: int) -> bool:
    """A process that has ended and was not yet collected by its parent counts as ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _within(seconds: float, is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so()


def test_the_command_starts_tells_and_stops(tmp_path: Path) -> None:
    home = tmp_path / "kafka"
    assert _command("status", "--home", home).returncode == 1
    started = _command("start", "--detach", "--home", home)
    try:
        assert started.returncode == 0, started.stderr
        bootstrap = started.stdout.splitlines()[0].removeprefix("TRIAGE_KAFKA_BOOTSTRAP=")
        record = json.loads((home / "cluster.json").read_text())
        assert record["bootstrap"] == bootstrap
        assert describe([bootstrap]).cluster_id == record["cluster_id"]
        told = _command("status", "--home", home)
        assert (told.returncode, "node 1 port" in told.stdout) == (0, True)
        again = _command("start", "--home", home)
        assert (again.returncode, "already" in again.stderr) == (2, True)
    finally:
        stopped = _command("stop", "--home", home)
    assert "stopped 1 of 1" in stopped.stdout
    assert not _runs(record["nodes"][0]["pid"])
    assert _command("stop", "--home", home).returncode == 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_no_node_outlives_the_process_that_started_it_even_when_that_is_killed(
    tmp_path: Path,
) -> None:
    home = tmp_path / "kafka"
    command = [sys.executable, "-m", "triage.proof.kafka_cluster", "start", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline().startswith("TRIAGE_KAFKA_BOOTSTRAP=")
        (node,) = json.loads((home / "cluster.json").read_text())["nodes"]
        assert _runs(node["pid"])
        os.kill(owner.pid, signal.SIGKILL)
    assert _within(10, lambda: not _runs(node["pid"]))


@pytest.mark.soak
def test_three_nodes_go_on_while_one_is_down(tmp_path: Path) -> None:
    with KafkaCluster(home=tmp_path / "kafka", nodes=3) as cluster:
        servers = cluster.bootstrap.split(",")
        create_topics(servers, TOPICS_TOML)
        records = numbered(100)
        produce(cluster.bootstrap, REFERRALS, records[:50])
        cluster.kill(1)
        produce(cluster.bootstrap, REFERRALS, records[50:])
        cluster.restart(1)
        assert describe(servers).brokers == {1, 2, 3}
        assert sorted(consume(cluster.bootstrap, REFERRALS, 100, group="g")) == sorted(records)
