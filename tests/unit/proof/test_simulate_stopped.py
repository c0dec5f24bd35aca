"""A campaign that Ctrl-C or SIGTERM ends tells what it has found so far."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from triage.proof.simulate.campaign import Campaign
from triage.proof.simulate.command import exit_status
from triage.proof.simulate.stopping import Stop
from triage.proof.simulate.verdict import Violation

_PROGRESS = re.compile(rb"[1-9][0-9]* seeds")
_LONG = ("simulate", "--seconds", "3600", "--seed", "1")


@contextmanager
def _campaign(folder: Path, *words: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """One that would run for an hour, on a terminal, and is past its first seeds."""
    ours, theirs = pty.openpty()
    wants_json = "--json" in words
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", *_LONG, *words],
        cwd=folder,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE if wants_json else theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while _PROGRESS.search(seen) is None:
            seen += os.read(ours, 4096)
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _rest(terminal: int) -> str:
    found = b""
    try:
        while more := os.read(terminal, 4096):
            found += more
    except OSError:  # the other end is closed: so a terminal says that there is no more
        pass
    return found.decode()


def test_a_campaign_that_is_stopped_by_ctrl_c_says_how_far_it_came(tmp_path: Path) -> None:
    with _campaign(tmp_path) as (process, terminal):
        process.send_signal(signal.SIGINT)
        told = _rest(terminal)
        assert process.wait() == 130
    assert "stopped by SIGINT; so far:" in told
    assert re.search(r"[1-9]\d* seeds, \d+ deaths, \d+ pages, 0 broken; from seed 1", told)


def test_a_campaign_that_is_terminated_gives_its_json_object(tmp_path: Path) -> None:
    with _campaign(tmp_path, "--json") as (process, _):
        process.send_signal(signal.SIGTERM)
        document = json.loads(process.communicate()[0])
        assert process.returncode == 143
    assert document["stopped"] == "SIGTERM"
    assert document["seeds"] > 0
    assert document["broken"] == {}


@pytest.mark.parametrize("by", [None, signal.SIGINT])
def test_what_is_broken_is_red_however_the_campaign_ended(by: signal.Signals | None) -> None:
    assert exit_status(Campaign(broken={1: [Violation(1, "lost")]}), Stop(by)) == 1
