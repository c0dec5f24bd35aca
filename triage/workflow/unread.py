"""Who is paged for records that nobody could read: one page per source at a time (policy 3.2)."""

from collections.abc import Iterator
from datetime import datetime

from triage.domain.paging import PageKey, PageOrder, page_id, read_page_id, short_tag
from triage.domain.roster.roster import Roster
from triage.policies.book import PolicyBook
from triage.workflow.ladder import Step, rounds, rungs
from triage.workflow.routing import routes_for

UNREAD = "unread"
NO_CASE = "quarantine"
AUDIT = "triage:audit"  # the source of what the auditor has found


def run_tag_of(source: str | None, first_item: str) -> str:
    """The tag of the run that the source's oldest unread item started."""
    return short_tag(UNREAD, source or "", first_item)


def answered_run(page: str) -> str | None:
    """The run that a quarantine page belongs to; None when it is a page of a case."""
    key = read_page_id(page)
    return key.run_tag if key is not None and key.case == NO_CASE else None


def unread_orders(
    *,
    source: str | None,
    count: int,
    first_item: str,
    since: datetime,
    book: PolicyBook,
    roster: Roster,
    now: datetime,
) -> Iterator[PageOrder]:
    """Pages owed by `now` for one source's unread items, the oldest received at `since`."""
    ladder = book.ladders.quarantine
    offsets = [(rung.after or since - since, rung.roles) for rung in ladder.rungs]
    steps = rungs(since, offsets, 1.0, book.ladders.minimum_gap)
    again = ladder.repeat
    first = steps[-1].at + again.every
    steps += list(rounds(first, again.every, again.roles, len(steps), now))
    latest: dict[str, Step] = {}
    for step in steps:
        if step.at <= now:
            latest |= dict.fromkeys(step.roles, step)
    for role, step in latest.items():
        yield from _order(source, count, first_item, role, step, book, roster, now)


def _order(
    source: str | None,
    count: int,
    first_item: str,
    role: str,
    step: Step,
    book: PolicyBook,
    roster: Roster,
    now: datetime,
) -> Iterator[PageOrder]:
    site = roster.default_site
    who = roster.on_call(site, role, now)
    key = PageKey(
        case=NO_CASE,
        obligation=UNREAD,
        run_tag=run_tag_of(source, first_item),
        rung=step.rung,
        round=step.round,
    )
    for route in routes_for(who.person, is_emergent=False):
        yield PageOrder(
            page=page_id(key, role=role, route=route.name),
            case=None,
            item=first_item,
            count=count,
            tier=None,
            reason_class=_why(source),
            asked="look at it" if source == AUDIT else "read it",
            obligation=UNREAD,
            due_at=None,
            owed_at=step.at,
            run=first_item,
            rung=step.rung,
            round=step.round,
            role=role,
            site=site,
            person=who.person.id if who.person else None,
            name=who.person.name if who.person else None,
            chosen_by=who.chosen_by,
            route=route.name,
            route_kind=route.kind,
            callback=None,
            policy=book.version,
        )


def _why(source: str | None) -> str:
    if source == AUDIT:
        return "audit: something stored was lost or changed"
    return "unread referral: a record could not be read"
