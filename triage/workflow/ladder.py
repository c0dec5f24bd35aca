"""Ladder arithmetic: which steps are owed at which instant, planned back from the deadline.

A ladder's scale is (due - start) / nominal time, at most 1, fixed when the run starts; rungs are at
least one minute apart; what is already past is owed at once (clinical-policy.md 4.1).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Pages to `roles` owed at `at`. `rung` counts from 1, `round` from 0 (the ladder itself)."""

    at: datetime
    roles: tuple[str, ...]
    rung: int
    round: int = 0


def scale(start: datetime, due: datetime, nominal: timedelta) -> float:
    """How much of the nominal time there is: 0 (none) to 1 (all of it)."""
    if nominal <= timedelta():
        return 0.0
    return max(0.0, min(1.0, (due - start) / nominal))


def rungs(
    start: datetime,
    offsets: Sequence[tuple[timedelta, tuple[str, ...]]],
    factor: float,
    apart: timedelta,
    declines: Iterable[tuple[datetime, int]] = (),
    due: datetime | None = None,
) -> list[Step]:
    """The ladder's rungs, in order; where `due` is past, all at `start`.

    `due` pages too, so the last rung is at least `apart` before it: later, nobody whom it reaches
    could still act in time. A rung that finds no room goes together with the one before. A
    declined rung makes the next one due at the instant of the answer.
    """
    safe = max(due - apart, start) if due is not None else None
    pulled = {rung + 1: at for at, rung in sorted(declines, reverse=True)}
    steps: list[Step] = []
    for number, (offset, roles) in enumerate(offsets, start=1):
        at = max(start + offset * factor, start)
        if steps:
            at = spaced(at, steps[-1].at, apart, safe)
        elif safe is not None:
            at = min(at, safe)
        if number in pulled:
            at = min(at, max(pulled[number], start))
        steps.append(Step(at=at, roles=roles, rung=number))
    return steps


def spaced(at: datetime, before: datetime, apart: timedelta, latest: datetime | None) -> datetime:
    """`at`, but `apart` after the rung `before` and not after `latest`; else together with it."""
    spread = max(at, before + apart)
    if latest is None or spread <= latest:
        return spread
    return latest if latest - before >= apart else before


def rounds(
    first: datetime, every: timedelta, roles: tuple[str, ...], rung: int, now: datetime
) -> Iterator[Step]:
    """The repeat that is owed at `now`, if any, and the next one: earlier ones are superseded."""
    passed = (now - first) // every if now >= first else -1
    for number in (passed, passed + 1):
        if number >= 0:
            at = first + every * number
            yield Step(at=at, roles=roles, rung=rung, round=number + 1)
