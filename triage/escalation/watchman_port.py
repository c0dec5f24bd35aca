"""Metrics and health of the watchman, on its own port, from the standard library."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from triage.escalation.watchman import Watchman
from triage.metrics.catalogue import CATALOGUE

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@contextmanager
def listening(host: str, port: int, watchman: Watchman) -> Iterator[int]:
    """Serve until the block ends; gives the port. Raises OSError when it is taken."""
    server = _Server((host, port), _Handler)
    server.watchman = watchman
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    watchman: Watchman


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "triage", ""

    def do_GET(self) -> None:
        """The three addresses that every role has."""
        if self.path == "/health/live":
            self._answer(200, json.dumps({"live": True}))
        elif self.path == "/health/ready":
            ready = is_turning(self.server.watchman)
            self._answer(200 if ready else 503, json.dumps(state(self.server.watchman)))
        elif self.path == "/metrics":
            self._answer(200, exposition(self.server.watchman), _TEXT)
        else:
            self._answer(404, json.dumps({"title": "not found"}))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing: a probe every few seconds is no news."""

    def _answer(self, status: int, body: str, kind: str = "application/json") -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def is_turning(watchman: Watchman) -> bool:
    """The watchman can do its work: it has turned, and its route takes what it sends."""
    return watchman.turned_at is not None and not watchman.telling.is_failing


def state(watchman: Watchman) -> dict[str, object]:
    """As /health/ready of every role: the parts with their states."""
    route = "down" if watchman.telling.is_failing else "well"
    parts = [
        {"name": "turns", "state": "well" if watchman.turned_at is not None else "down"},
        {"name": "own route", "state": route},
    ]
    parts += [{"name": t.key, "state": "degraded", "detail": t.what} for t in watchman.troubles]
    return {
        "ready": is_turning(watchman),
        "components": [{"detail": "", **part} for part in parts],
    }


def exposition(watchman: Watchman) -> str:
    """Three figures in Prometheus' text format."""
    passed = watchman.passed_at
    values = {
        "triage_watch_troubles": float(len(watchman.troubles)),
        "triage_watch_last_passed_timestamp_seconds": passed.timestamp() if passed else None,
        "triage_watch_failed_sends_total": float(watchman.telling.failures),
    }
    lines = []
    for name, value in values.items():
        known = CATALOGUE[name]
        lines += [f"# HELP {name} {known.help}", f"# TYPE {name} {known.kind}"]
        if value is not None:
            lines.append(f"{name} {value}")
    return "\n".join(lines) + "\n"
