"""Attempts on their way into the store: what gathers while it writes is written together."""

import asyncio
from functools import partial

from triage.domain.paging import Attempt
from triage.notify.ports import PagePort, RunBlocking


class Recorder:
    """Keeps attempts until the store has them, also over its outages; forgets nothing meanwhile.

    They live in memory only: after a crash the lease ends and the page is sent again, marked.
    """

    def __init__(self, port: PagePort, run_blocking: RunBlocking) -> None:
        self._port = port
        self._run_blocking = run_blocking
        self._waiting: list[Attempt] = []
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def note(self, attempt: Attempt) -> None:
        """Take an attempt on and begin to write. A failure to write is raised by `flush`."""
        self._waiting.append(attempt)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self.flush())
            # The attempts still wait, so the next flush meets the same failure and raises it.
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def flush(self) -> None:
        """Write all that waits; raises what the store raised, and then it all still waits."""
        async with self._writing:
            while self._waiting:
                batch = tuple(self._waiting)
                await self._run_blocking(partial(self._port.finish, batch))
                del self._waiting[: len(batch)]
