"""Waiting before the next try: longer each time, never in step with others, ended by a stop."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator

Pause = Callable[[float], Awaitable[None]]


def growing(first: float, longest: float) -> Iterator[float]:
    """Seconds that double from `first` to `longest`, each shortened by up to a half at random."""
    seconds = first
    while True:
        yield seconds * random.uniform(0.5, 1.0)  # noqa: S311 - spreads tries, guards nothing
        seconds = min(seconds * 2, longest)


def until(stop: asyncio.Event) -> Pause:
    """A pause that ends at once when `stop` is set."""

    async def pause(seconds: float) -> None:
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            return

    return pause
