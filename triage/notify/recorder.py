"""Attempts on their way into the store: those that come soon after one another go together."""

import asyncio
from functools import partial

from triage.domain.paging import Attempt, PageOrder
from triage.notify.ports import PagePort, RunBlocking

_GATHER_SECONDS = 0.1  # a transaction costs nearly the same for one attempt as for fifty
_BATCH = 100  # in one transaction: it holds the locks of its cases
_MANY = 200


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
        self._has_failed = False

    @property
    def is_behind(self) -> bool:
        """The store did not take the last, or many wait: `flush` before more pages are claimed."""
        return self._has_failed or len(self._waiting) > _MANY

    def has_accepted(self, order: PageOrder) -> bool:
        """The page's own route took it, and the store does not know that yet."""
        own = (order.page, order.route, "accepted")
        return any((each.page, each.route, each.outcome) == own for each in self._waiting)

    def note(self, attempt: Attempt) -> None:
        """Take an attempt on; it is written very soon. A failure to write is raised by `flush`."""
        self._waiting.append(attempt)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._gather())
            # The attempts still wait, so the next flush meets the same failure and raises it.
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def flush(self) -> None:
        """Write all that waits; raises what the store raised, and then it all still waits."""
        async with self._writing:
            while self._waiting:
                await self._write(tuple(self._waiting[:_BATCH]))

    async def _gather(self) -> None:
        await asyncio.sleep(_GATHER_SECONDS)
        await self.flush()

    async def _write(self, batch: tuple[Attempt, ...]) -> None:
        is_written = False
        try:
            await self._run_blocking(partial(self._port.finish, batch))
            is_written = True
            del self._waiting[: len(batch)]
        finally:
            self._has_failed = not is_written
