"""The program as a user has it: commands and processes under one environment, to be killed too."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from triage.proof.kafka_node import free_ports
from triage.store import open_store, upgrade
from triage.store.records import Token
from triage.web.auth import hash_token, mint_token

ROOT = Path(__file__).parents[2]
READY_SECONDS = 120  # with eight roles starting at once on a slow machine
COMMAND_SECONDS = 60
STOP_SECONDS = 10  # what an operator is promised
T = TypeVar("T")


def eventually(what: str, found: Callable[[], T | None], *, seconds: float = 90) -> T:
    """The first truthy answer of `found`; fails after `seconds` with the last answer it gave."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}; last: {answer!r}"
        time.sleep(0.05)
    return answer


def ask(method: str, url: str, **more: Any) -> httpx.Response:
    """One request over plain HTTP. Left to itself httpx would read all certificate authorities for
    each, 46 ms of a processor, and much here asks twenty times a second."""
    return httpx.request(method, url, verify=False, **more)


@dataclass(slots=True, kw_only=True)
class Running:
    """One process of `triage run`, and what it printed."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str, **more: Any) -> httpx.Response | None:
        """The answer, whatever its status; None while nobody listens."""
        assert self.process.poll() is None, f"ended by itself:\n{self.said[-3000:]}"
        try:
            return ask("GET", self.url + path, timeout=10, **more)
        except httpx.TransportError:
            return None

    def health(self) -> Mapping[str, Any]:
        """/health/ready with its status under `status`; empty while nobody listens."""
        answer = self.get("/health/ready")
        return {**answer.json(), "status": answer.status_code} if answer else {}

    def component(self, name: str) -> Mapping[str, str]:
        """One part of /health/ready; empty where it is not named."""
        parts = self.health().get("components", ())
        return next((part for part in parts if part["name"] == name), {})

    def wait_until_ready(self) -> None:
        eventually("readiness", lambda: self.health().get("ready"), seconds=READY_SECONDS)

    def kill(self) -> None:
        """SIGKILL: no clean-up, as when the machine loses power under it."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> tuple[int, float]:
        """SIGTERM; exit status and how long it took. Fails when it is not gone in time."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"still there {STOP_SECONDS} s after SIGTERM:\n{self.said[-3000:]}"
            ) from None
        return status, time.monotonic() - began


@dataclass(slots=True, kw_only=True)
class Installation:
    """Settings as an operator gives them, and the commands under them. `home` is a scratch folder.

    `more` are further variables of the environment.
    """

    home: Path
    database: str
    kafka: str
    roster: Path | None = None
    more: dict[str, str] = field(default_factory=dict)
    secret_key: str = field(default_factory=lambda: secrets.token_hex(32))

    def environment(self, **more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGE_")}
        ours = {
            "TRIAGE_HOME": str(self.home),
            "TRIAGE_DATABASE_URL": self.database,
            "TRIAGE_KAFKA_BOOTSTRAP": self.kafka,
            "TRIAGE_KAFKA_SESSION_TIMEOUT_SECONDS": "3",
            "TRIAGE_SECRET_KEY": self.secret_key,
            "TRIAGE_ROUTE_TEST_DAYS": "0",
        }
        if self.roster is not None:
            ours["TRIAGE_ROSTER_FILE"] = str(self.roster)
        return {**kept, **ours, **self.more, **more}

    def triage(self, *words: str, status: int = 0, **more: str) -> str:
        """What a command prints; fails when it ends with another exit status."""
        done = subprocess.run(
            [sys.executable, "-m", "triage", *words],
            env=self.environment(**more),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == status, f"triage {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def running(self, *roles: str) -> Iterator[Running]:
        """`triage run` with these roles (all where none is named), on a port of its own. It may be
        stopped or killed meanwhile; what is left at the end is killed."""
        started = self.start(*roles)
        try:
            yield started
        finally:
            if started.process.poll() is None:
                started.kill()

    def start(self, *roles: str) -> Running:
        """As `running`; who calls it ends it."""
        port = free_ports(1)[0]
        words = [word for role in roles for word in ("--role", role)]
        log = self.home / f"{'-'.join(roles) or 'all'}-{port}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "triage", "run", *words],
                env=self.environment(TRIAGE_HTTP_PORT=str(port)),
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )
        return Running(process=process, log=log, port=port)

    def inbox(self) -> list[dict[str, Any]]:
        """The lines of the local inbox."""
        path = self.home / "inbox.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def prepare(self) -> None:
        """The tables, without the two seconds of a command."""
        upgrade(self.database)

    def bearer(self, **whom: Any) -> dict[str, str]:
        """The header of a token for `source`, or for `person`, `role` and `site`; as `prepare`."""
        text, at = mint_token(), datetime.now(UTC)
        token = Token(id=hash_token(text)[:12], hash=hash_token(text), created_at=at, **whom)
        store = open_store(self.database)
        with store.begin() as tx:
            tx.add_token(token)
        store.dispose()
        return {"Authorization": f"Bearer {text}"}
