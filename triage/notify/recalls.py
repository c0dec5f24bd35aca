"""What still rings although somebody has answered by another route is recalled, where it can be."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from triage.domain.instants import Clock
from triage.domain.paging import PageId, PageOrder
from triage.notify.ports import Routes, RunBlocking

LOG = logging.getLogger(__name__)

KINDS = ("voice", "webpush")
_LOOKS_BACK = timedelta(minutes=2)  # a telephone does not ring for longer
TURN_SECONDS = 1.0


@runtime_checkable
class Recalling(Protocol):
    """A route that can take back what it sent."""

    async def recall(self, order: PageOrder, word: str) -> bool:
        """Take back what the provider accepted under this word; False when it did not work."""
        ...


Find = Callable[[Sequence[str], datetime], Sequence[tuple[PageOrder, str]]]


@dataclass(kw_only=True)
class Recalls:
    """Looks every second. `find` gives pages that nobody needs to answer any more; it blocks."""

    find: Find
    routes: Routes
    resolve: Callable[[PageOrder], PageOrder]
    clock: Clock
    run_blocking: RunBlocking
    _done: dict[PageId, datetime] = field(default_factory=dict, init=False)

    async def turn(self) -> int:
        """Recall what was not recalled yet; returns how many were."""
        now = self.clock.now()
        since = now - _LOOKS_BACK
        found = await self.run_blocking(lambda: self.find(KINDS, since))
        new = [(order, word) for order, word in found if order.page not in self._done]
        self._done = {page: at for page, at in self._done.items() if at >= since}
        self._done |= {order.page: now for order, _ in new}
        return sum(await asyncio.gather(*(self._recall(order, word) for order, word in new)))

    async def _recall(self, order: PageOrder, word: str) -> bool:
        meant = self.resolve(order)
        route = self.routes.connect(meant).route
        if not isinstance(route, Recalling):
            return False
        is_recalled = await route.recall(meant, word)
        LOG.info("page.recalled page=%s done=%s", order.page, is_recalled)
        return is_recalled
