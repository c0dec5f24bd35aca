"""Where the roster of this moment comes from, and what is put together from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from triage.domain.errors import TriageError
from triage.domain.roster.changes import RosterChange, with_changes
from triage.domain.roster.feeds import Feed, FeedState
from triage.domain.roster.roster import Roster, default_roster
from triage.domain.roster.route_proofs import RouteProof, with_proofs
from triage.domain.roster_file.reading import read_roster
from triage.rosters.ical_in import FeedShifts, UnsoundFeed, read_feed
from triage.store.reader import Reader
from triage.store.records import FeedCopy, RouteTest

_PROOFS_KEPT = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database keeps of the roster."""

    changes: Sequence[RosterChange] = ()
    feeds: Mapping[str, FeedCopy] | None = None
    tests: Sequence[RouteTest] = ()


def load_roster(file: Path | None) -> Roster:
    """The roster of a file, or one in which nobody is on call. Raises UnsoundRoster."""
    if file is None:
        return default_roster()
    try:
        return read_roster(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TriageError(f"{file}: {error.strerror}", hint="name a readable file") from None
    except UnicodeDecodeError:
        raise TriageError(f"{file}: not UTF-8 text", hint="save it as UTF-8") from None


def read_kept(reader: Reader, now: datetime) -> Kept:
    """What the database keeps of the roster at this instant."""
    return Kept(
        changes=reader.roster_changes(),
        feeds=reader.feed_copies(),
        tests=reader.route_tests(now - _PROOFS_KEPT),
    )


def put_together(file: Roster, kept: Kept, now: datetime) -> Roster:
    """The file's roster with everything else that holds at `now`."""
    proofs = [
        RouteProof(person=each.person, route=each.route, setup=each.setup, at=each.confirmed_at)
        for each in kept.tests
        if each.confirmed_at is not None
    ]
    fed = [each for feed in file.feeds for each in _shifts(feed, file, kept, now).overrides]
    filled = replace(file, overrides=(*file.overrides, *fed)) if fed else file
    return with_changes(with_proofs(filled, proofs), kept.changes)


def feed_states(file: Roster, kept: Kept, now: datetime) -> tuple[FeedState, ...]:
    """How fresh each feed of a roster is."""
    return tuple(_state(feed, file, kept, now) for feed in file.feeds)


def _state(feed: Feed, file: Roster, kept: Kept, now: datetime) -> FeedState:
    copy = (kept.feeds or {}).get(feed.name)
    found = _shifts(feed, file, kept, now)
    return FeedState(
        feed=feed,
        fetched_at=copy.fetched_at if copy else None,
        ends_at=found.ends_at,
        problem=copy.problem if copy else None,
        unknown=found.skipped,
    )


def _shifts(feed: Feed, file: Roster, kept: Kept, now: datetime) -> FeedShifts:
    """What the last good copy says; nothing where there is none, or it has run out."""
    copy = (kept.feeds or {}).get(feed.name)
    if copy is None or copy.content is None:
        return FeedShifts((), ())
    try:
        return read_feed(copy.content, feed, file, now=now)
    except UnsoundFeed:
        return FeedShifts((), ())
