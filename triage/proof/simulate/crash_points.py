"""Where a process may die, and the gate that lets a dead one do nothing any more."""

from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar

from triage.domain.errors import StoreUnavailable
from triage.proof.simulate.story import Crash

T = TypeVar("T")
AWAIT = "await"


class ProcessDied(BaseException):
    """Unwinds everything: no `except Exception` of the program may keep a dead process alive."""


@dataclass(slots=True)
class CrashPoints:
    """Counts every point that any process passes; knows at which of them one dies."""

    planned: frozenset[Crash]
    passed: Counter[str] = field(default_factory=Counter)
    is_over: bool = False

    def strikes(self, point: str) -> bool:
        """Whether whoever passes this point now dies of it."""
        self.passed[point] += 1
        if self.is_over or not self.planned:
            return False
        return Crash(point, self.passed[point]) in self.planned


@dataclass(slots=True)
class Gate:
    """Stands before everything that a process does to the world outside it."""

    points: CrashPoints
    is_database_away: Callable[[], bool]
    on_death: Callable[[str], None]
    is_alive: bool = True

    def at(self, point: str) -> None:
        """Pass a crash point. Raises ProcessDied here, and for ever after a death."""
        if not self.is_alive:
            raise ProcessDied(point)
        if self.points.strikes(point):
            self.is_alive = False
            self.on_death(point)
            raise ProcessDied(point)

    def at_database(self, point: str) -> None:
        """The same, where the database is needed. Raises StoreUnavailable while it is away."""
        self.at(point)
        if self.is_database_away():
            raise StoreUnavailable("the simulated database is away")


class Mortal(Coroutine[Any, Any, T]):
    """A coroutine of a process that may die whenever it goes on after an `await`."""

    def __init__(self, work: Coroutine[Any, Any, T], gate: Gate) -> None:
        self._work, self._gate = work, gate

    def send(self, value: Any) -> Any:
        """Go on, through the point `await`; death unwinds the coroutine where it waits."""
        try:
            self._gate.at(AWAIT)
        except ProcessDied as death:
            return self._work.throw(death)
        return self._work.send(value)

    def throw(
        self,
        kind: Any,
        value: BaseException | object = None,
        trace: TracebackType | None = None,
        /,
    ) -> Any:
        """An error from outside, such as a cancelling."""
        if value is None and trace is None:
            return self._work.throw(kind)
        return self._work.throw(kind, value, trace)

    def close(self) -> None:
        """Unwind it."""
        self._work.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._work.__await__()
