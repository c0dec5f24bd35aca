"""What should have happened by now and has not: told by time, so always looked at twice."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import exists, func, or_, select

from triage.domain.audit import Finding, Kind
from triage.domain.tiers import Tier
from triage.escalation.audit_reading import AuditReading
from triage.handle import Desk
from triage.policies.book import PolicyBook
from triage.store.rows import Cases, Page, Quarantine, table_of
from triage.workflow.unread import unread_orders

# Longer than a sweep, a relay and its longest wait between two tries (30 s) need when all is well.
SWEPT_WITHIN = timedelta(seconds=30)
SENT_WITHIN = timedelta(seconds=60)
TOLD_WITHIN = timedelta(seconds=15)
_LONGEST_WAIT = timedelta(hours=1)  # no try and no lease is that far ahead
_SLACK = timedelta(minutes=2)
_MOST = 1000  # of one kind in one pass; the next one finds the rest

_CASES, _PAGE, _UNREAD = table_of(Cases).c, table_of(Page).c, table_of(Quarantine).c


def waiting(
    reading: AuditReading, desk: Desk, now: datetime, patience: float = 1.0
) -> Iterator[Finding]:
    """Everything that is late at `now`; `patience` stretches how late it may be."""
    yield from _timers(reading, now, SWEPT_WITHIN * patience)
    yield from _unsent(reading, now, SENT_WITHIN * patience)
    yield from _quiet(reading, desk.books.current, now, _SLACK * patience)
    yield from _untold(reading, desk, now - TOLD_WITHIN * patience)


def _timers(reading: AuditReading, now: datetime, within: timedelta) -> Iterator[Finding]:
    overdue = select(_CASES.case_id).where(_CASES.next_due_at <= now - within).limit(_MOST)
    for (case,) in reading.choose(overdue):
        yield Finding(kind=Kind.TIMER_OVERDUE, case=case, detail="due, and no sweep has looked")
    timerless = select(_CASES.case_id).where(*_unowned(), _CASES.next_due_at.is_(None)).limit(_MOST)
    for (case,) in reading.choose(timerless):
        yield Finding(kind=Kind.TIMER, case=case, detail="nobody owns it, and nothing is due")


def _unowned() -> tuple[Any, ...]:
    return (
        _CASES.state.not_in(("unopened", "closed")),
        _CASES.unacknowledged_since.is_not(None),
        or_(_CASES.lead_case_id.is_(None), _CASES.lead_case_id == _CASES.case_id),
    )


def _unsent(reading: AuditReading, now: datetime, within: timedelta) -> Iterator[Finding]:
    columns = select(_PAGE.page, _PAGE.case_id).limit(_MOST)
    never = or_(_PAGE.ready_at.is_(None), _PAGE.ready_at > now + _LONGEST_WAIT)
    for page, case in reading.choose(columns.where(_PAGE.settled_at.is_(None), never)):
        detail = "not settled, and nobody will take it"
        yield Finding(kind=Kind.PAGE_STUCK, case=case, subject=page, detail=detail)
    late = select(func.count()).where(_PAGE.ready_at <= now - within)
    if count := reading.choose(late)[0][0]:
        detail = f"{count} pages are ready, and no relay has taken them"
        yield Finding(kind=Kind.PAGE_UNSENT, detail=detail)


def _quiet(
    reading: AuditReading, book: PolicyBook, now: datetime, slack: timedelta
) -> Iterator[Finding]:
    gap = longest_gap(book)
    if gap is None:
        return
    since = now - gap - slack
    paged = exists().where(_PAGE.case_id == _CASES.case_id, _PAGE.ordered_at > since)
    silent = select(_CASES.case_id).where(
        *_unowned(), _CASES.is_emergent.is_(True), _CASES.unacknowledged_since <= since, ~paged
    )
    for (case,) in reading.choose(silent.limit(_MOST)):
        detail = f"EMERGENT without owner, and no page for {(gap + slack).seconds // 60} min"
        yield Finding(kind=Kind.QUIET, case=case, detail=detail)


def longest_gap(book: PolicyBook) -> timedelta | None:
    """The longest time between two pages of an EMERGENT case that nobody owns."""
    ladder = book.ladders.acknowledgement[Tier.EMERGENT]
    if ladder.rounds is None:
        return None
    starts = [rung.after for rung in ladder.rungs if rung.after is not None]
    if ladder.rounds.from_ is not None:
        starts.append(ladder.rounds.from_)
    gaps = [later - sooner for sooner, later in pairwise(starts)]
    return max([*gaps, ladder.rounds.every.length])


def _untold(reading: AuditReading, desk: Desk, at: datetime) -> Iterator[Finding]:
    """Unread records by source, as of a moment ago: the pages owed by then exist."""
    unread = _UNREAD.status == "unread"
    counted = select(_UNREAD.source, func.count(), func.min(_UNREAD.received_at)).where(unread)
    for source, count, since in reading.choose(counted.group_by(_UNREAD.source)):
        if since > at:
            continue
        first = (
            select(_UNREAD.item_id)
            .where(unread, _UNREAD.source.is_not_distinct_from(source))
            .order_by(_UNREAD.received_at, _UNREAD.item_id)
            .limit(1)
        )
        owed = unread_orders(
            source=source,
            count=count,
            first_item=reading.choose(first)[0][0],
            since=since,
            book=desk.books.current,
            roster=desk.roster,
            now=at,
        )
        pages = [order.page for order in owed]
        stored = reading.choose(select(_PAGE.page).where(_PAGE.page.in_(pages)))
        there = {page for (page,) in stored}
        for page in pages:
            if page not in there:
                detail = "a record that could not be read, and no page tells of it"
                yield Finding(kind=Kind.UNREAD_UNTOLD, subject=page, detail=detail)
