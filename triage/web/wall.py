"""Instants and waits as people read them: the site's zone with its offset, ages in h and min."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from triage.domain.instants import format_instant, parse_instant

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant: `iso` in UTC, the wall clock of the site, and how long ago or ahead."""

    iso: str
    day: str
    clock: str
    offset: str
    age: str
    is_today: bool


@dataclass(frozen=True, slots=True)
class Countdown:
    """How long until something is due. At exactly the due instant it is not yet late."""

    words: str
    is_late: bool
    is_near: bool


@dataclass(frozen=True, slots=True)
class Wall:
    """The wall clock of a site at `now`."""

    zone: tzinfo
    now: datetime

    def moment(self, at: datetime | str | None) -> Moment | None:
        """An instant, or its RFC 3339 text; None for None and for text that is no instant."""
        instant = parse_instant(at) if isinstance(at, str) else at
        if instant is None:
            return None
        local = instant.astimezone(self.zone)
        offset = local.strftime("%z")
        return Moment(
            iso=format_instant(instant),
            day=f"{local:%a} {local.day} {local:%b}",
            clock=f"{local:%H:%M}",
            offset=f"{offset[:3]}:{offset[3:]}",
            age=self.age(instant),
            is_today=local.date() == self.now.astimezone(self.zone).date(),
        )

    def age(self, at: datetime) -> str:
        """`just now`, `14 min ago`, `in 2 h 05 min`."""
        words = wait_words(abs(self.now - at))
        if words == "0 min":
            return "just now"
        return f"{words} ago" if at <= self.now else f"in {words}"

    def countdown(self, at: datetime | str | None, *, near: timedelta) -> Countdown | None:
        """`12 min left`, `3 min late`; near when at most `near` is left."""
        instant = parse_instant(at) if isinstance(at, str) else at
        if instant is None:
            return None
        left = instant - self.now
        if left < timedelta():
            return Countdown(f"{wait_words(-left)} late", is_late=True, is_near=False)
        return Countdown(f"{wait_words(left)} left", is_late=False, is_near=left <= near)


def wait_words(wait: timedelta) -> str:
    """`0 min`, `45 min`, `2 h 05 min`, `3 d 4 h`; parts of a minute are cut off."""
    minutes = int(wait.total_seconds() // 60)
    if wait < _HOUR:
        return f"{minutes} min"
    if wait < 2 * _DAY:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = minutes // 60
    return f"{hours // 24} d {hours % 24} h"
