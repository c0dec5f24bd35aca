"""A port of this machine for the web pages: the one asked for, or the next that is free."""

import socket

from triage.domain.errors import TriageError
from triage.proof.kafka_node import free_ports

_TRIES = 100


class NoFreePort(TriageError):
    """All ports tried are taken."""


def free_port(host: str, wanted: int) -> int:
    """`wanted` when it is free, otherwise the next that is; for 0, any. Raises NoFreePort."""
    if wanted == 0:
        return free_ports(1)[0]
    for port in range(wanted, min(wanted + _TRIES, 65_536)):
        if _is_free(host, port):
            return port
    raise NoFreePort(
        f"ports {wanted} to {wanted + _TRIES - 1} on {host} are all taken", hint="give --port 0"
    )


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        # As a server does: a port that only waits for old connections to end is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
