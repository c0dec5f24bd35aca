"""`triage demo` as a visitor starts it: referrals and pages within a minute, a clean end."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from triage.proof.kafka_node import free_ports

ROOT = Path(__file__).parents[2]
MINUTE = 60
STOP_SECONDS = 5


class RunningDemo:
    """The command, its folder, and what it has printed."""

    def __init__(self, folder: Path, port: int) -> None:
        self.home, self.port, self.output = folder / "home", port, folder / "output.txt"
        cookies = urllib.request.HTTPCookieProcessor()  # a visitor gets a session at once
        self.browser = urllib.request.build_opener(cookies)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TRIAGE_")}
        words = ["demo", "--port", str(port), "--home", str(self.home)]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "triage", *words],
                cwd=ROOT,
                env=kept,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def printed(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str) -> str:
        url = f"http://127.0.0.1:{self.port}{path}"
        with self.browser.open(url, timeout=5) as answer:
            return str(answer.read().decode())

    def pages(self) -> list[dict[str, Any]]:
        inbox = self.home / "inbox.jsonl"
        lines = inbox.read_text(encoding="utf-8").splitlines() if inbox.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def wait_for(self, what: str, found: Any) -> Any:
        deadline = time.monotonic() + MINUTE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.printed
            try:
                if value := found():
                    return value
            except OSError:
                pass  # The web pages are not up yet.
            time.sleep(0.2)
        raise AssertionError(f"no {what} within {MINUTE} s:\n{self.printed}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    running = RunningDemo(tmp_path, free_ports(1)[0])
    yield running
    running.end()


def test_referrals_and_pages_are_there_within_a_minute_and_ctrl_c_ends_it(
    demo: RunningDemo,
) -> None:
    pages = demo.wait_for("pages", demo.pages)
    assert pages[0]["type"] == "page.v1"
    board = demo.wait_for("cases on the board", lambda: demo.get("/"))
    assert "DEMONSTRATION" in board.upper()
    case = next(page["case"] for page in pages if page["case"])
    demo.wait_for("the paged case on the board", lambda: case in demo.get("/"))
    assert demo.stop() == 0
    assert "Traceback" not in demo.printed
    assert "DEMONSTRATION ONLY" in demo.printed
    assert f"http://127.0.0.1:{demo.port}/" in demo.printed


def test_a_taken_port_is_said_and_the_next_one_used(demo: RunningDemo, tmp_path: Path) -> None:
    demo.wait_for("web pages", lambda: demo.get("/health/live"))
    folder = tmp_path / "second"
    folder.mkdir()
    second = RunningDemo(folder, demo.port)
    try:
        second.wait_for("an address", lambda: "board" in second.printed)
        assert f"Port {demo.port} is taken" in second.printed
        assert second.stop() == 0
    finally:
        second.end()


def test_what_cannot_be_is_refused_with_a_hint() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "triage", "demo", "--kafka", "real", "--speed", "60"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=MINUTE,
        check=False,
    )
    assert done.returncode == 2
    assert "hint:" in done.stderr
