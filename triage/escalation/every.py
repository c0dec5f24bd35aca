"""A loop that takes a step every so many seconds, outlives its faults, and stops when told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from triage.domain.errors import StoreUnavailable
from triage.intake.faults import described

_LOG = logging.getLogger(__name__)


async def every(
    seconds: float,
    step: Callable[[], Awaitable[object]],
    *,
    name: str,
    stop: asyncio.Event,
    failed: Callable[[str], None],
) -> None:
    """`step()` until `stop`, with `seconds` (real ones) between two.

    A database that is away is said once and waited for; any other fault goes to `failed` with the
    loop's name, and the next step is taken all the same.
    """
    is_away = False
    while not stop.is_set():
        try:
            await step()
            is_away = False
        except StoreUnavailable as error:
            if not is_away:
                _LOG.warning("%s.waiting_for_database: %s", name, error.what)
            is_away = True
        except Exception as error:  # the loop's edge
            failed(name)
            _LOG.error("%s.failed: %s", name, described(error))
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            continue
