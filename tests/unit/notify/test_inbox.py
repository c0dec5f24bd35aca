"""The inbox file: whole lines, on the disk, from several writers."""

import asyncio
import json
import os
import resource
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.fakes_notify import order
from triage.notify.inbox import InboxRoute, append_lines
from triage.notify.routes import Accepted, SendResult, Unreachable


def send(path: Path, *documents: dict[str, Any]) -> list[SendResult]:
    async def run() -> list[SendResult]:
        inbox = InboxRoute(path, asyncio.to_thread)
        return await asyncio.gather(*(inbox.send(order(), document) for document in documents))

    return asyncio.run(run())


def pages(path: Path) -> list[int]:
    return [json.loads(line)["page"] for line in path.read_text().splitlines()]


def test_every_page_is_one_line_in_the_order_of_sending(tmp_path: Path) -> None:
    path = tmp_path / "home" / "inbox.jsonl"
    answers = send(path, *({"page": number} for number in range(200)))
    assert answers == [Accepted("inbox.jsonl")] * 200
    assert pages(path) == list(range(200))
    send(path, {"page": 200})
    assert pages(path) == list(range(201))


def test_pages_that_come_later_are_written_too(tmp_path: Path) -> None:
    path = tmp_path / "inbox.jsonl"

    async def run() -> None:
        inbox = InboxRoute(path, asyncio.to_thread)
        for number in range(5):
            assert await inbox.send(order(), {"page": number}) == Accepted("inbox.jsonl")
            assert pages(path) == list(range(number + 1))  # on the disk when it counts as accepted

    asyncio.run(run())


def test_only_its_owner_reads_the_inbox(tmp_path: Path) -> None:
    path = tmp_path / "inbox.jsonl"
    send(path, {"page": 1})
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_power_cut_tore_spoils_no_page(tmp_path: Path) -> None:
    path = tmp_path / "inbox.jsonl"
    path.write_bytes(b'{"page": 1}\n{"pag')
    send(path, {"page": 2})
    assert path.read_text().splitlines() == ['{"page": 1}', '{"pag', '{"page":2}']


def test_writers_at_the_same_time_leave_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "inbox.jsonl"
    line = json.dumps({"page": 7, "pad": "x" * 5_000}).encode() + b"\n"
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: append_lines(path, line), range(64)))
    assert pages(path) == [7] * 64


def test_what_cannot_be_written_is_told_and_may_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    (answer,) = send(tmp_path / "blocked" / "inbox.jsonl", {"page": 1})
    assert isinstance(answer, Unreachable)
    assert answer.reason.startswith("inbox cannot be written: ")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process with a limit of its own")
def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    path = tmp_path / "inbox.jsonl"
    append_lines(path, b'{"page": 1}\n')
    child = os.fork()
    if child == 0:  # a file-size limit stands for the full disk: the write stops half way
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
        try:
            append_lines(path, b'{"page": "' + b"x" * 500 + b'"}\n')
        except OSError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert path.read_bytes() == b'{"page": 1}\n'
