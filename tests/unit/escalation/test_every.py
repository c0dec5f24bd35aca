"""A periodic loop outlives its faults: each is counted, none ends it."""

import asyncio

from triage.domain.errors import StoreUnavailable
from triage.escalation.every import every
from triage.metrics.instruments import Instruments


def test_a_fault_is_counted_and_the_next_step_is_taken() -> None:
    instruments = Instruments(version="test")
    ends: list[Exception | None] = [KeyError("a fault"), StoreUnavailable("away"), None]

    async def run() -> None:
        stop = asyncio.Event()

        async def step() -> None:
            end = ends.pop(0)
            if not ends:
                stop.set()
            if end is not None:
                raise end

        await every(0, step, name="feeds", stop=stop, failed=instruments.loop_failed)

    asyncio.run(run())
    assert ends == []
    counted = instruments.registry.get_sample_value
    assert counted("triage_loop_failures_total", {"loop": "feeds"}) == 1
    assert counted("triage_loop_failures_total", {"loop": "audit"}) == 0
