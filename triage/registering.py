"""Which sources are registered, kept fresh: the receiving sites, and whoever holds a token."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from triage.domain.errors import StoreUnavailable
from triage.domain.roster import Roster
from triage.intake.registry import Registry
from triage.store.store import Store

_LOG = logging.getLogger(__name__)
_EVERY_SECONDS = 10.0
_CENTRE = "centre:"


class Registering:
    """`registry` gives the last reading at once; `run` reads again every ten seconds."""

    def __init__(self, store: Store, roster: Roster) -> None:
        self._store = store
        self._sites = frozenset(roster.sites)
        self._registry = Registry(centres=self._sites)

    def registry(self) -> Registry:
        """The registered sources, as last read."""
        return self._registry

    def refresh(self) -> None:
        """Read the tokens' sources. Raises StoreUnavailable."""
        with self._store.read() as reader:
            sources = reader.sources()
        centres = frozenset(source for source in sources if source.startswith(_CENTRE))
        self._registry = Registry(centres=self._sites | centres, hospitals=sources - centres)

    async def run(
        self,
        stop: asyncio.Event,
        run_blocking: Callable[[Callable[[], None]], Awaitable[None]],
    ) -> None:
        """Until `stop`; while the database is away the last reading stands."""
        while not stop.is_set():
            try:
                await run_blocking(self.refresh)
            except StoreUnavailable as error:
                _LOG.debug("registry.not_read: %s", error.what)
            try:
                await asyncio.wait_for(stop.wait(), _EVERY_SECONDS)
            except TimeoutError:
                continue
