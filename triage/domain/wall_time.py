"""Wall clocks and instants: what a site's clock shows, and when it first shows it."""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def wall_clock(at: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks on the wall show at an instant, as a naive datetime."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which the clocks show `wall` (naive) or later.

    In the hour that is there twice this is its first occurrence; in the hour that is missing it is
    the instant at which the clocks jump over it. So a later wall time never gives an earlier
    instant, and times that follow each other leave no gap.
    """
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if wall_clock(instant, zone) == wall:
        return instant
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC).replace(microsecond=0)
    seconds = range(int((instant - before).total_seconds()) + 1)

    def is_past(second: int) -> bool:
        return wall_clock(before + timedelta(seconds=second), zone) > wall

    return before + timedelta(seconds=bisect_left(seconds, True, key=is_past))
