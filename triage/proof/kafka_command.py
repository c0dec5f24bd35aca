"""`python -m triage.proof.kafka_cluster start|stop|status`: a local Apache Kafka by hand."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from triage.domain.errors import TriageError
from triage.proof.kafka_cluster import STOP_SECONDS, KafkaCluster
from triage.proof.kafka_record import live_nodes, read_record, stop_recorded

_DEFAULT_HOME = Path("var") / "kafka"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, 1 (`status`: not all nodes run), 2 (could not run)."""
    chosen = _parser().parse_args(arguments)
    home: Path = chosen.home.resolve()
    try:
        if chosen.verb == "start":
            return _start(home, nodes=chosen.nodes, detach=chosen.detach)
        return _stop(home) if chosen.verb == "stop" else _status(home)
    except TriageError as error:
        print(f"{error.what}\nhint: {error.hint}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m triage.proof.kafka_cluster",
        description="A real Apache Kafka on 127.0.0.1, from its published jars.",
        epilog="example: python -m triage.proof.kafka_cluster start --nodes 3 --detach",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in (
        ("start", "start it and print the address; runs until Ctrl-C unless --detach"),
        ("stop", "stop what `start --detach` left running"),
        ("status", "tell which nodes run"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("--home", type=Path, default=_DEFAULT_HOME, help="default: %(default)s")
    start = verbs.choices["start"]
    start.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    start.add_argument("--detach", action="store_true", help="return once every node serves")
    return parser


def _start(home: Path, *, nodes: int, detach: bool) -> int:
    cluster = KafkaCluster(home=home, nodes=nodes, detached=detach)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        print(f"TRIAGE_KAFKA_BOOTSTRAP={cluster.start()}", flush=True)
        print(f"cluster {cluster.cluster_id}, data and logs in {home}", flush=True)
        if not detach:
            print("Ctrl-C stops it", file=sys.stderr, flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("stopping", file=sys.stderr)
    finally:
        if not detach:
            cluster.stop()
    return 0


def _stop(home: Path) -> int:
    record = read_record(home)
    if record is None:
        print(f"nothing to stop: no cluster was started in {home}")
        return 0
    print(f"stopped {stop_recorded(home, record, seconds=STOP_SECONDS)} of {len(record.nodes)}")
    return 0


def _status(home: Path) -> int:
    record = read_record(home)
    if record is None:
        print(f"no cluster runs in {home}")
        return 1
    live = {node.node for node in live_nodes(home, record)}
    print(f"TRIAGE_KAFKA_BOOTSTRAP={record.bootstrap}\ncluster {record.cluster_id}")
    for node in record.nodes:
        print(f"node {node.node} port {node.port}: {'runs' if node.node in live else 'down'}")
    return 0 if len(live) == len(record.nodes) else 1
