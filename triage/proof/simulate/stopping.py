"""Ctrl-C or SIGTERM ends a campaign early; what it has found so far is told all the same."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Stop:
    """`by` is the signal that came, if one did."""

    by: signal.Signals | None = None


@contextmanager
def stoppable() -> Iterator[Stop]:
    """The first of these signals is only noted: raised amid a story, whatever of it is under way
    could swallow it. The next one acts as it always does.
    """
    stop = Stop()

    def end(number: int, _: object) -> None:
        stop.by = signal.Signals(number)
        restore()

    before = {each: signal.signal(each, end) for each in _SIGNALS}

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    try:
        yield stop
    finally:
        restore()
