"""The local inbox: `inbox.jsonl`, one page per line, on disk before it counts as accepted."""

import asyncio
import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from triage.domain.paging import PageOrder
from triage.notify.ports import RunBlocking
from triage.notify.routes import Accepted, SendResult, Unreachable

INBOX_FILE = "inbox.jsonl"


class InboxRoute:
    """Appends pages to a file that several processes may share. Pages that meet share one fsync."""

    def __init__(self, path: Path, run_blocking: RunBlocking) -> None:
        self._path = path
        self._run_blocking = run_blocking
        self._writing = asyncio.Lock()
        self._open = _Batch()

    async def send(self, order: PageOrder, document: Mapping[str, Any]) -> SendResult:
        """Accepted once the line is on the disk; `order` is in the document already."""
        del order
        try:
            await self._put(orjson.dumps(document) + b"\n")
        except OSError as error:
            return Unreachable(f"inbox cannot be written: {error.strerror}")
        return Accepted(INBOX_FILE)

    async def _put(self, line: bytes) -> None:
        batch = self._open
        batch.lines.append(line)
        if batch.task is None:
            batch.task = asyncio.create_task(self._write(batch))
        await asyncio.shield(batch.task)

    async def _write(self, batch: "_Batch") -> None:
        async with self._writing:
            self._open = _Batch()
            await self._run_blocking(lambda: append_lines(self._path, b"".join(batch.lines)))


class _Batch:
    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.task: asyncio.Task[None] | None = None


def append_lines(path: Path, lines: bytes) -> None:
    """Append whole lines durably, or none of them. Raises OSError.

    A torn line that a power cut left at the end is closed first, so that it spoils no page.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(file).st_size
        is_torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        try:
            _write_all(file, b"\n" + lines if is_torn else lines)
            os.fsync(file)
        except OSError:
            os.ftruncate(file, size)
            raise
    finally:
        os.close(file)


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
