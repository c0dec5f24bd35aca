"""A clock that runs faster from a chosen instant, for demonstrations."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.domain.instants import Clock


@dataclass(frozen=True, slots=True)
class AcceleratedClock:
    """Agrees with `base` at `since`, and goes `speed` times as fast from then on."""

    base: Clock
    since: datetime
    speed: float

    def now(self) -> datetime:
        """The demonstration's instant, in UTC; never before `since`."""
        return self.since + max(self.base.now() - self.since, timedelta()) * self.speed

    def real_seconds_until(self, instant: datetime) -> float:
        """How long to wait on a wall clock until it is `instant` here; 0 when it is past."""
        return max((instant - self.now()).total_seconds() / self.speed, 0.0)
