"""Pages about the service itself: somebody is told that a part of it does not do its work."""

from collections.abc import Iterator
from datetime import datetime

from triage.domain.paging import PageKey, PageOrder, page_id, read_page_id, short_tag
from triage.domain.roster.roster import Roster
from triage.workflow.routing import routes_for

HOUSE = "house"


def is_house_page(page: str) -> bool:
    """A page about the service, which has no case."""
    key = read_page_id(page)
    return key is not None and key.case == HOUSE


def house_orders(
    *,
    notice: str,
    about: tuple[str, ...],
    why: str,
    asked: str,
    role: str,
    site: str,
    roster: Roster,
    policy: str,
    now: datetime,
    is_emergent: bool = False,
) -> Iterator[PageOrder]:
    """One page to a role. `notice` and `about` are its key: the same again is the same page.

    `why` and `asked` name no patient. With `is_emergent` it takes two routes at once.
    """
    who = roster.on_call(site, role, now)
    key = PageKey(case=HOUSE, obligation=notice, run_tag=short_tag(*about), rung=0, round=0)
    for route in routes_for(who.person, is_emergent=is_emergent):
        yield PageOrder(
            page=page_id(key, role=role, route=route.name),
            case=None,
            item=HOUSE,
            count=1,
            tier=None,
            reason_class=why,
            asked=asked,
            obligation=notice,
            due_at=None,
            owed_at=now,
            run=key.run_tag,
            rung=0,
            round=0,
            role=role,
            site=site,
            person=who.person.id if who.person else None,
            name=who.person.name if who.person else None,
            chosen_by=who.chosen_by,
            route=route.name,
            route_kind=route.kind,
            callback=None,
            policy=policy,
        )
