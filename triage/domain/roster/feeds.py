"""Calendar feeds of a roster file: which post each fills, how an event names its person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

NamedBy = Literal["summary", "attendee", "uid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One `[[feed]]`. `url` may be a reference (`env:NAME`, `file:/path`), or the feed is `file`.

    `named_by` is where an event names its person; `people` gives the roster's id for what stands
    there (lower case), where that is not the id itself. `stale_after` is how old a copy may be.
    """

    name: str
    site: str
    role: str
    url: str | None = field(default=None, repr=False)
    file: str | None = None
    named_by: NamedBy = "summary"
    people: Mapping[str, str] = field(default_factory=dict)
    stale_after: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """How fresh a feed is. `ends_at` is the end of its last event, None when it has none.

    `unknown` is what its events say where they name nobody of the roster.
    """

    feed: Feed
    fetched_at: datetime | None
    ends_at: datetime | None
    problem: str | None = None
    unknown: tuple[str, ...] = ()

    def is_stale(self, now: datetime) -> bool:
        """No good copy for longer than the feed allows."""
        return self.fetched_at is None or now - self.fetched_at > self.feed.stale_after
