"""What is weak in a roster's sites, overrides and feeds, whoever serves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from triage.domain.roster.feeds import Feed, FeedState
from triage.domain.roster.roster import Override, Roster, Site
from triage.domain.wall_time import wall_clock

LOOK_AHEAD = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One weakness. `error`: pages would not reach a person; `warning`: one fault away from that.

    `place` is `<site> <role>`, `person <id>` or `site <id>`.
    """

    level: Literal["error", "warning"]
    place: str
    what: str
    hint: str


def site_findings(roster: Roster) -> Iterator[Finding]:
    """Sites that nobody could telephone."""
    for site in roster.sites.values():
        if site.desk is None:
            yield Finding(
                level="warning",
                place=f"site {site.id}",
                what="has no desk telephone number",
                hint='write desk = "..."; it is printed wherever the service cannot be reached',
            )


def overlap_findings(roster: Roster, now: datetime) -> Iterator[Finding]:
    """Entries of the file, or of one feed, that name two people at once.

    What is done at the desk is meant to replace what is there.
    """
    coming = [each for each in roster.overrides if now < each.ends and each.made_at is None]
    for number, first in enumerate(coming):
        for second in coming[number + 1 :]:
            if _contradict(first, second):
                at = local(roster.sites[first.site], max(first.starts, second.starts))
                yield Finding(
                    level="warning",
                    place=f"{first.site} {first.role}",
                    what=f"two overrides at once from {at}: {first.person}, {second.person}",
                    hint="the one that begins last serves; take the other away if that is wrong",
                )


def _contradict(first: Override, second: Override) -> bool:
    meet = max(first.starts, second.starts) < min(first.ends, second.ends)
    same_post = (first.site, first.role) == (second.site, second.role)
    return meet and same_post and first.kind == second.kind and first.person != second.person


def feed_findings(roster: Roster, states: Sequence[FeedState], now: datetime) -> Iterator[Finding]:
    """Feeds without a fresh copy, and feeds whose events end within the days looked ahead."""
    known = {state.feed.name: state for state in states}
    for feed in roster.feeds:
        state = known.get(feed.name)
        if state is None or state.is_stale(now):
            yield _stale(feed, state, roster.sites[feed.site])
        elif state.ends_at is None or state.ends_at < now + LOOK_AHEAD:
            ends = local(roster.sites[feed.site], state.ends_at) if state.ends_at else "already"
            yield Finding(
                level="warning",
                place=f"feed {feed.name}",
                what=f"its last event ends {ends}",
                hint="have the calendar filled; after that the rota serves, or nobody",
            )
        if state is not None and state.unknown:
            yield Finding(
                level="warning",
                place=f"feed {feed.name}",
                what=f"events name nobody of the roster: {', '.join(state.unknown[:5])}",
                hint="name people by their id, or list what is written under [feed.people]",
            )


def _stale(feed: Feed, state: FeedState | None, site: Site) -> Finding:
    fetched = state.fetched_at if state else None
    since = f"no good copy since {local(site, fetched)}" if fetched else "was never read"
    why = f": {state.problem}" if state and state.problem else ""
    return Finding(
        level="error",
        place=f"feed {feed.name}",
        what=f"{since}{why}",
        hint="mend its address or its calendar; the last good copy goes on meanwhile",
    )


def local(site: Site, at: datetime) -> str:
    """An instant on the wall clock of a site."""
    return f"{wall_clock(at, site.zone):%Y-%m-%d %H:%M}"
