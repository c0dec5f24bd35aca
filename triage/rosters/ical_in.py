"""A calendar feed (RFC 5545) as overrides of a roster, or the reason why it may not go live."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

from triage.domain.errors import TriageError
from triage.domain.roster.feeds import Feed
from triage.domain.roster.roster import Override, Roster
from triage.domain.wall_time import first_instant

AHEAD, BEHIND = timedelta(days=92), timedelta(days=1)
LARGEST_BYTES = 5_000_000
_MOST_EVENTS = 5000
_NAMES_SHOWN = 5


class UnsoundFeed(TriageError):
    """The feed cannot be used; the last good copy goes on. `what` says why, `hint` what to do."""


@dataclass(frozen=True, slots=True)
class FeedShifts:
    """What a feed says of the next weeks. `skipped` events name nobody whom the roster knows."""

    overrides: tuple[Override, ...]
    skipped: tuple[str, ...]

    @property
    def ends_at(self) -> datetime | None:
        """When its last event ends."""
        return max((each.ends for each in self.overrides), default=None)


def read_feed(content: bytes, feed: Feed, roster: Roster, *, now: datetime) -> FeedShifts:
    """The shifts of a feed from yesterday to three months ahead.

    Recurrences, exceptions and zones as the calendar has them; a whole day is one of the site.
    Raises UnsoundFeed: not a calendar, too large, a time without a zone, no event at all in the
    weeks ahead (empty, or of another year), or nobody known in any of them.
    """
    if len(content) > LARGEST_BYTES:
        raise _unsound(feed, f"{len(content)} bytes", f"at most {LARGEST_BYTES} are read")
    occurrences = _occurrences(content, feed, now)
    if not occurrences:
        hint = "have the calendar filled for the weeks ahead; is it of another year?"
        raise _unsound(feed, "no event in the next three months", hint)
    zone = roster.sites[feed.site].zone
    overrides, skipped = [], []
    for event in occurrences:
        person = _person(event, feed, roster)
        if person is None:
            skipped.append(_said(event, feed))
        else:
            starts, ends = _times(event, feed, zone)
            overrides.append(_override(feed, person, starts, ends))
    if not overrides:
        names = ", ".join(sorted(set(skipped))[:_NAMES_SHOWN])
        raise _unsound(
            feed,
            f"none of its {len(skipped)} events names a person of the roster: {names}",
            "name people by their id in the roster, or list them under [feed.people]",
        )
    return FeedShifts(tuple(sorted(overrides, key=_order)), tuple(sorted(set(skipped))))


def _occurrences(content: bytes, feed: Feed, now: datetime) -> list[Any]:
    try:
        calendar = Calendar.from_ical(content)
        found = recurring_ical_events.of(calendar).between(now - BEHIND, now + AHEAD)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        hint = "the address must give a calendar in the iCalendar form (.ics)"
        raise _unsound(feed, f"no readable calendar: {_short(error)}", hint) from None
    if len(found) > _MOST_EVENTS:
        raise _unsound(feed, f"{len(found)} events", f"at most {_MOST_EVENTS} in three months")
    return [event for event in found if str(event.get("status", "")).upper() != "CANCELLED"]


def _times(event: Any, feed: Feed, zone: ZoneInfo) -> tuple[datetime, datetime]:
    starts = _instant(event["dtstart"].dt, event, feed, zone)
    ends = _instant(event["dtend"].dt, event, feed, zone)
    if ends <= starts:
        raise _unsound(feed, f"an event at {starts} has no length", "give it an end")
    return starts, ends


def _instant(value: date | datetime, event: Any, feed: Feed, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):  # a whole day: from midnight to midnight at the site
        return first_instant(datetime.combine(value, datetime.min.time()), zone)
    if value.tzinfo is None:
        raise _unsound(
            feed,
            f"a time without a zone: {value:%Y-%m-%d %H:%M} ({_said(event, feed)})",
            "write it with TZID or in UTC: a guess would page the wrong person for an hour",
        )
    if isinstance(value.tzinfo, ZoneInfo):
        return first_instant(value.replace(tzinfo=None), value.tzinfo)
    return value.astimezone(zone)


def _person(event: Any, feed: Feed, roster: Roster) -> str | None:
    said = _said(event, feed).casefold()
    if said in feed.people:
        return feed.people[said]
    return next((who for who in roster.people if who.casefold() == said), None)


def _said(event: Any, feed: Feed) -> str:
    """What stands where the event names its person; of an attendee the address."""
    value = event.get(feed.named_by, "")
    first = value[0] if isinstance(value, list) and value else value
    return str(first).strip().removeprefix("mailto:").removeprefix("MAILTO:")


def _override(feed: Feed, person: str, starts: datetime, ends: datetime) -> Override:
    return Override(
        site=feed.site,
        role=feed.role,
        person=person,
        starts=starts,
        ends=ends,
        reason=feed.name,
        kind="feed",
    )


def _order(override: Override) -> tuple[datetime, datetime, str]:
    return override.starts, override.ends, override.person


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


def _unsound(feed: Feed, what: str, hint: str) -> UnsoundFeed:
    return UnsoundFeed(f"feed {feed.name}: {what}", hint=hint)
