"""A loop that takes a turn every so many seconds, outlives its faults, and stops when told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from triage.domain.errors import StoreUnavailable
from triage.domain.instants import Clock
from triage.intake.faults import described

_LOG = logging.getLogger(__name__)


async def every(
    seconds: float,
    turn: Callable[[datetime], object],
    *,
    name: str,
    stop: asyncio.Event,
    clock: Clock,
    run_blocking: Callable[[Callable[[], Any]], Awaitable[Any]],
) -> None:
    """`turn(now)` in a thread until `stop`; `seconds` are real ones."""
    while not stop.is_set():
        try:
            await run_blocking(lambda: turn(clock.now()))
        except StoreUnavailable as error:
            _LOG.warning("%s.waiting_for_database: %s", name, error.what)
        except Exception as error:  # the loop's edge
            _LOG.error("%s.failed: %s", name, described(error))
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            continue
