"""Slots for sending: each provider has its own, and some of them are for EMERGENT pages only.

So a provider that hangs keeps its own pages waiting and nobody else's.
"""

import asyncio

SLOTS = 16
EMERGENT_SLOTS = 16
QUEUE = 100  # lesser pages that wait for a slot; more are put back at once


class Lane:
    """The slots of one provider. `is_failing`: its last answer was that it cannot be reached."""

    def __init__(self) -> None:
        self.is_failing = False
        self._lesser = asyncio.Semaphore(SLOTS)
        self._emergent = asyncio.Semaphore(EMERGENT_SLOTS)
        self._queue = 0

    async def enter(self, *, is_emergent: bool, until: float) -> bool:
        """Take a slot, for `leave` to give back; False when none is free by `until`.

        `until` is in the event loop's time.
        """
        if is_emergent:
            return await _acquire(self._emergent, until)
        if self._queue >= QUEUE:
            return False
        self._queue += 1
        try:
            return await _acquire(self._lesser, until)
        finally:
            self._queue -= 1

    def leave(self, *, is_emergent: bool) -> None:
        """Give the slot back."""
        (self._emergent if is_emergent else self._lesser).release()


async def _acquire(slots: asyncio.Semaphore, until: float) -> bool:
    try:
        async with asyncio.timeout_at(until):
            return await slots.acquire()
    except TimeoutError:
        return False
