"""Who is told of a gap in the roster before it comes: the coordinator of the site, twice."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from triage.domain.instants import format_instant
from triage.domain.paging import PageKey, PageOrder, page_id, read_page_id, short_tag
from triage.domain.roster.gaps import Gap, gap_words
from triage.domain.roster.roster import Roster
from triage.workflow.routing import routes_for

ROSTER = "roster"
ROSTER_GAP = "roster_gap"
_AGAIN_WITHIN = timedelta(hours=2)
_ROLE, _INSTEAD = "coordinator", "site_manager"


def is_roster_page(page: str) -> bool:
    """A page about the roster itself, which has no case."""
    key = read_page_id(page)
    return key is not None and key.case == ROSTER


def gap_orders(
    gaps: Iterable[Gap], roster: Roster, policy: str, now: datetime
) -> Iterator[PageOrder]:
    """Pages owed by `now`: at once, and once more two hours before the gap begins.

    For a gap in the coordinator's own role the site manager is told.
    """
    for gap in gaps:
        yield from _orders(gap, roster, policy, now)


def _orders(gap: Gap, roster: Roster, policy: str, now: datetime) -> Iterator[PageOrder]:
    role = _INSTEAD if gap.role == _ROLE else _ROLE
    who = roster.on_call(gap.site, role, now)
    begins = "long" if gap.is_long else format_instant(gap.starts)
    key = PageKey(
        case=ROSTER,
        obligation=ROSTER_GAP,
        run_tag=short_tag(gap.site, gap.role, begins, gap.person or ""),
        rung=0,
        round=int(gap.starts - now <= _AGAIN_WITHIN),
    )
    for route in routes_for(who.person, is_emergent=False):
        yield PageOrder(
            page=page_id(key, role=role, route=route.name),
            case=None,
            item=ROSTER,
            count=1,
            tier=None,
            reason_class=f"roster: {gap_words(gap, roster)}",
            asked="name somebody: triage roster cover, or correct the roster",
            obligation=ROSTER_GAP,
            due_at=gap.starts,
            owed_at=now,
            run=key.run_tag,
            rung=0,
            round=key.round,
            role=role,
            site=gap.site,
            person=who.person.id if who.person else None,
            name=who.person.name if who.person else None,
            chosen_by=who.chosen_by,
            route=route.name,
            route_kind=route.kind,
            callback=None,
            policy=policy,
        )
