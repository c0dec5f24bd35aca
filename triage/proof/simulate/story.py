"""A story: everything that is put into one run. The same story gives the same run, byte for byte.

What people and providers do is drawn from the seed and the page's own name, so that leaving out a
message or a crash changes nothing about the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from triage.proof.messages import Header

HTTP = "http"  # in place of a topic: sent to the HTTP door until it is answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Bytes that a sender hands over at `at`; `source` is whose credential HTTP sees."""

    at: datetime
    topic: str
    key: bytes
    headers: tuple[Header, ...]
    value: bytes | None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Crash:
    """The process dies when this point is reached for the `nth` time (from 1, over all)."""

    point: str
    nth: int


OutageKind = Literal["database", "bus", "provider"]


@dataclass(frozen=True, slots=True)
class Outage:
    """Something is away from `starts` (inclusive) to `ends` (exclusive), counted from the start."""

    kind: OutageKind
    starts: timedelta
    ends: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """How often people and providers do what makes trouble; parts of one."""

    answers: float = 0.7
    late: float = 0.15
    twice: float = 0.1
    declines: float = 0.08
    hands_over: float = 0.06
    looks: float = 0.3
    by_http: float = 0.3
    refuses: float = 0.04
    hangs: float = 0.04
    unreachable: float = 0.06
    says_delivered: float = 0.05
    slowest_seconds: float = 2.0  # of a provider that answers
    worsens: float = 0.03  # of examinations, how many find the cord giving way
    rounds: float = 0.0  # of the examinations that the wards owe, what part they do unasked


CALM = Temper(
    late=0.12,
    twice=0.02,
    looks=0.0,
    by_http=0.0,
    refuses=0.01,
    hangs=0.0,
    slowest_seconds=0.0,
    worsens=0.004,
    rounds=0.9,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`hours` until the faults end; afterwards everything must come to rest. `roster` is the text
    of a roster file. `processes` run at once, each in every role."""

    seed: int
    start: datetime
    hours: float
    roster: str
    messages: tuple[Message, ...]
    crashes: tuple[Crash, ...] = ()
    outages: tuple[Outage, ...] = ()
    processes: int = 1
    partitions: int = 3
    temper: Temper = field(default_factory=Temper)

    @property
    def end(self) -> datetime:
        """The instant at which the faults end."""
        return self.start + timedelta(hours=self.hours)


def dice(seed: int, *about: str) -> Random:
    """The dice for one question of a run, the same whenever it is asked."""
    return Random("\x1f".join((str(seed), *about)))


def away(outages: tuple[Outage, ...], kind: OutageKind, since: timedelta) -> bool:
    """Whether something is away at an instant, counted from the start."""
    return any(each.kind == kind and each.starts <= since < each.ends for each in outages)


def as_numbers(temper: Temper) -> Mapping[str, float]:
    """The temper by name."""
    return {name: getattr(temper, name) for name in Temper.__slots__}
