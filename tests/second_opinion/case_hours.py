"""Site hours, minute by minute: 'default Monday to Friday 08:00 to 17:00, no holidays'."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

Minute = timedelta(minutes=1)
LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Hours:
    """`opens` and `closes` in hours of the wall clock."""

    zone: tzinfo = LONDON
    opens: int = 8
    closes: int = 17
    holidays: tuple[date, ...] = (date(2026, 4, 3), date(2026, 4, 6))

    def is_working_day(self, day: date) -> bool:
        return day.weekday() < 5 and day not in self.holidays

    def is_open(self, at: datetime) -> bool:
        wall = at.astimezone(self.zone)
        return self.is_working_day(wall.date()) and self.opens <= wall.hour < self.closes

    def next_open(self, at: datetime) -> datetime:
        """The instant itself, or the next opening."""
        if self.is_open(at):
            return at
        at = at.replace(second=0, microsecond=0)
        return _first(at, self.is_open)

    def after_open_hours(self, at: datetime, hours: int) -> datetime:
        """'4 h in hours': when so much open time has passed."""
        at, left = self.next_open(at), timedelta(hours=hours)
        while True:
            wall = at.astimezone(self.zone)
            left_today = wall.replace(hour=self.closes, minute=0, second=0, microsecond=0) - wall
            if left <= left_today:
                return at + left
            left -= left_today
            at = self.next_open(at + left_today)

    def after_working_days(self, at: datetime, days: int) -> datetime:
        """'2 working d': the same time of day; out of hours it counts from the next opening."""
        wall = self.next_open(at).astimezone(self.zone)
        for _ in range(days):
            wall += timedelta(days=1)
            while not self.is_working_day(wall.date()):
                wall += timedelta(days=1)
        return wall.astimezone(at.tzinfo)


def _first(at: datetime, holds: Callable[[datetime], bool]) -> datetime:
    while not holds(at):
        at += Minute
    return at
