"""What a started cluster leaves in its folder, so that another process can find and stop it."""

import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from triage.domain.errors import TriageError

RECORD = "cluster.json"
_POLL_SECONDS = 0.05


class UnreadableRecord(TriageError):
    """The folder's cluster.json is not what a start writes; nothing was stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedNode:
    """`pid` is None for a node that was down when the record was written."""

    node: int
    port: int
    pid: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRecord:
    """`bootstrap` is comma-separated, one address for each node."""

    cluster_id: str
    bootstrap: str
    nodes: Sequence[RecordedNode]


def write_record(home: Path, record: ClusterRecord) -> None:
    (home / RECORD).write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")


def read_record(home: Path) -> ClusterRecord | None:
    """None where no cluster was started in `home`, or it was stopped cleanly."""
    try:
        found = json.loads((home / RECORD).read_text(encoding="utf-8"))
        nodes = tuple(RecordedNode(**node) for node in found.pop("nodes"))
        return ClusterRecord(**found, nodes=nodes)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableRecord(
            f"{home / RECORD} is not a cluster's record: {error}",
            hint="remove it, and end the Java processes of that folder by hand, if any",
        ) from error


def live_nodes(home: Path, record: ClusterRecord) -> list[RecordedNode]:
    """The recorded nodes whose process runs. A process that merely got an old number of ours is
    told apart by its command line, where the system shows it."""
    return [node for node in record.nodes if node.pid is not None and _is_ours(home, node)]


def _is_ours(home: Path, node: RecordedNode) -> bool:
    assert node.pid is not None
    if Path("/proc/self/cmdline").exists():
        try:
            command = Path(f"/proc/{node.pid}/cmdline").read_bytes()
        except OSError:
            return False
        return str(home / f"node-{node.node}" / "server.properties").encode() in command
    try:
        os.kill(node.pid, 0)
    except OSError:
        return False
    return True


def stop_recorded(home: Path, record: ClusterRecord, *, seconds: float) -> int:
    """Asks every live node to stop, kills what is not gone after `seconds`, removes the record.

    Returns how many nodes were running.
    """
    started = live_nodes(home, record)
    for node in started:
        _signal(node, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while live_nodes(home, record) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    for node in live_nodes(home, record):
        _signal(node, signal.SIGKILL)
    (home / RECORD).unlink(missing_ok=True)
    return len(started)


def _signal(node: RecordedNode, number: signal.Signals) -> None:
    assert node.pid is not None
    try:
        os.kill(node.pid, number)
    except ProcessLookupError:
        return  # It ended between the look and the signal, which is what was wanted.
