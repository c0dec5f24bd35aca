"""Shifts as a calendar (RFC 5545), for people's own calendars; nothing is read back from it.

Times are in UTC, so that no calendar program has to know when a site's clocks change.
"""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import datetime, timedelta

from icalendar import Calendar, Event

from triage.domain.paging import short_tag
from triage.domain.roster.roster import Roster
from triage.domain.roster.shifts import Shift, shifts

DAYS = 90
_LETTERS = 32
_PRODUCT = "-//Urgent-referral triage//roster//EN"


def calendar_of(
    roster: Roster, *, now: datetime, person: str | None = None, post: tuple[str, str] | None = None
) -> bytes:
    """The shifts of the next 90 days: of one person in every role, or of one (site, role).

    The shift that runs now is in it, from now on. Times without anybody are events too where a
    post was asked for: a gap should be seen.
    """
    made = Calendar()
    made.add("prodid", _PRODUCT)
    made.add("version", "2.0")
    made.add("x-wr-calname", f"On call: {person or ' at '.join(reversed(post or ('', '')))}")
    for site, role in (post,) if post else roster.posts:
        for shift in shifts(roster, site, role, start=now, end=now + timedelta(days=DAYS)):
            holder = shift.on_call.person
            if post or (holder is not None and holder.id == person):
                made.add_component(_event(site, role, shift, now, is_mine=post is None))
    return bytes(made.to_ical())


def exported(roster: Roster, now: datetime) -> Iterator[tuple[str, bytes]]:
    """A calendar for each post that anybody serves, as (file name, content)."""
    for site, role in roster.posts:
        yield (
            f"{site}-{role}.ics".replace(":", "_"),
            calendar_of(roster, now=now, post=(site, role)),
        )


def calendar_token(secret_key: str, name: str) -> str:
    """What opens the calendar of a person or post, and no other. Ends with the secret key."""
    words = f"roster calendar {name}".encode()
    return hmac.new(secret_key.encode(), words, hashlib.sha256).hexdigest()[:_LETTERS]


def calendar_path(secret_key: str, name: str) -> str:
    """The path to subscribe to. `name` is a person's id or `<site>.<role>`."""
    return f"/roster/{name}.ics?token={calendar_token(secret_key, name)}"


def _event(site: str, role: str, shift: Shift, now: datetime, *, is_mine: bool) -> Event:
    event = Event()
    holder = shift.on_call.person
    who = f"{holder.name} ({holder.id})" if holder else "NOBODY"
    title = f"On call: {role} at {site}" if is_mine else f"{role} at {site}: {who}"
    event.add("uid", f"{short_tag(site, role, shift.on_call.chosen_by)}.{shift.ends:%Y%m%dT%H%MZ}")
    event.add("dtstamp", now)
    event.add("dtstart", shift.starts)
    event.add("dtend", shift.ends)
    event.add("summary", title)
    event.add("description", shift.on_call.chosen_by)
    event.add("transp", "TRANSPARENT")
    return event
