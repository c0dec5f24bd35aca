"""Single values of a roster file. Each reader raises ValueError: what is wrong, what to write."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from triage.domain.instants import parse_instant
from triage.domain.roster.roster import ROLES
from triage.domain.wall_time import first_instant

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LENGTH = re.compile(r"(\d{1,3}) ?(h|hours?|days?|weeks?)")
_WALL = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?"
_ID = re.compile(r"[A-Za-z0-9_.:@-]+")
_YEARS = range(2000, 2101)


def read_text(value: object) -> str:
    """Text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("is not a text; write it in quotes")
    return value.strip()


def read_id(value: object) -> str:
    """An id: letters, digits and `_.:@-`."""
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        raise ValueError(f"is no id: {value!r}; use letters, digits and _ . : @ - only")
    return value


def read_role(value: object) -> str:
    """One of the contract's roles."""
    if value not in ROLES:
        raise ValueError(f"unknown role: {value!r}; allowed: {', '.join(ROLES)}")
    return str(value)


def read_zone(value: object) -> ZoneInfo:
    """A zone of the IANA database."""
    try:
        return ZoneInfo(read_text(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown zone: {value!r}; write e.g. 'Europe/London'") from error


def read_time(value: object) -> time:
    """`HH:MM`; a TOML time is taken too."""
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(_shaped(value, r"\d{2}:\d{2}"))
    except ValueError as error:
        raise ValueError(f"no time of day: {value!r}; write 'HH:MM', e.g. '08:00'") from error


def read_closing(value: object) -> time:
    """Like `read_time`; `24:00` is midnight at the end of the day, given as 00:00."""
    return time() if value == "24:00" else read_time(value)


def read_date(value: object) -> date:
    """`YYYY-MM-DD`; a TOML date is taken too."""
    if isinstance(value, date) and not isinstance(value, datetime):
        day = value
    else:
        try:
            day = date.fromisoformat(_shaped(value, r"\d{4}-\d{2}-\d{2}"))
        except ValueError as error:
            raise ValueError(f"no date: {value!r}; write e.g. '2026-01-05'") from error
    if day.year not in _YEARS:
        raise ValueError(f"no year of any use: {day}; allowed: {_YEARS[0]} to {_YEARS[-1]}")
    return day


def read_days(value: object) -> frozenset[int]:
    """A list of weekdays, at least one; 0 = Monday."""
    if not isinstance(value, list) or not value or any(day not in _DAYS for day in value):
        raise ValueError(f"no list of weekdays: {value!r}; allowed: {', '.join(_DAYS)}")
    return frozenset(_DAYS.index(day) for day in value)


def read_handover(value: object) -> tuple[int, time]:
    """`mon 08:00`."""
    day, _, at = value.partition(" ") if isinstance(value, str) else ("", "", "")
    if day not in _DAYS:
        raise ValueError(f"no hand-over: {value!r}; write a weekday and a time: 'mon 08:00'")
    return _DAYS.index(day), read_time(at)


def read_every(value: object) -> timedelta:
    """The length of a turn: hours, days or weeks."""
    found = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    number = int(found[1]) if found else 0
    if found is None or number == 0:
        raise ValueError(f"no length of a turn: {value!r}; write e.g. '12 hours', '1 week'")
    unit = {"h": "hours", "d": "days", "w": "weeks"}[found[2][0]]
    return timedelta(**{unit: number})


def read_wall(value: object, zone: ZoneInfo) -> datetime:
    """A local time such as `2026-03-12T08:00` as an instant; one with an offset as it says."""
    text = value.isoformat() if isinstance(value, datetime) else value
    exact = parse_instant(text)
    if exact is None:
        try:
            wall = datetime.fromisoformat(_shaped(text, _WALL))
        except ValueError as error:
            raise ValueError(f"no date with a time: {value!r}; write '2026-03-12T08:00'") from error
        exact = first_instant(wall, zone) if wall.year in _YEARS else None
    if exact is None or exact.year not in _YEARS:
        raise ValueError(f"no year of any use: {text}; allowed: {_YEARS[0]} to {_YEARS[-1]}")
    return exact


def _shaped(value: object, pattern: str) -> str:
    if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
        raise ValueError
    return value
