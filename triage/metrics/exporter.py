"""Reads the figures every 15 s and gives them to the collector. One process has this role."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from triage.domain.instants import Clock
from triage.metrics.collector import SnapshotCollector
from triage.metrics.instruments import Instruments
from triage.metrics.snapshot import take_snapshot
from triage.store.store import Store

_LOG = logging.getLogger(__name__)
EVERY_SECONDS = 15.0


class Exporter:
    """Keeps one process's collector fresh. Registers it with the process's instruments."""

    def __init__(
        self, *, store: Store, collector: SnapshotCollector, instruments: Instruments, clock: Clock
    ) -> None:
        self._store, self._collector, self._clock = store, collector, clock
        self._instruments = instruments
        instruments.registry.register(collector)

    def refresh(self) -> None:
        """Read everything once. Raises StoreUnavailable when the database is away."""
        with self._store.read() as reader:
            snapshot = take_snapshot(reader, self._clock.now())
        self._instruments.registered = snapshot.registered
        self._collector.show(snapshot)

    async def run(
        self, stop: asyncio.Event, run_blocking: Callable[[Callable[[], Any]], Awaitable[Any]]
    ) -> None:
        """Refresh until `stop`; a failure is counted, logged and tried again at the next turn."""
        while not stop.is_set():
            try:
                await run_blocking(self.refresh)
            except Exception as error:  # the loop's edge: figures get old, and say so
                self._instruments.refresh_failed()
                _LOG.warning("figures.not_read: %s", type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), EVERY_SECONDS)
            except TimeoutError:
                continue
