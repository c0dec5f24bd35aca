"""Orders test pages and keeps what came of them: which routes are proven to reach their person."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from triage.domain.paging import PageId
from triage.domain.roster.check_sites import Finding
from triage.domain.roster.roster import Roster
from triage.domain.roster.route_proofs import setup_of
from triage.policies.roles import paged_roles
from triage.recording.ledger import Desk
from triage.store.records import RouteTest
from triage.store.transaction import Transaction
from triage.workflow.house_notice import house_orders
from triage.workflow.route_tests import Drill, RouteKey, drill_order, due_drills

UNCONFIRMED = "route_unconfirmed"
_TOLD, _TOLD_INSTEAD = "coordinator", "site_manager"
ANSWER_WITHIN = timedelta(hours=24)
_REMEMBERED = timedelta(days=180)


def order_due_drills(
    tx: Transaction, desk: Desk, *, secret: str, every: timedelta, now: datetime
) -> int:
    """Order the test pages that are due; returns how many are new. `every` zero: never.

    One that nobody confirmed within a day is given up.
    """
    known = tx.route_tests(now - _REMEMBERED)
    for each in known:
        if _has_failed(each, now):
            tx.settle_page(PageId(each.page), "not confirmed")  # nor is it tried again
    if not every:
        return 0
    last = _last(known)
    roles = paged_roles(desk.books.current)
    return order_drills(
        tx, due_drills(desk.roster, roles, last, now=now, every=every), desk, secret, now
    )


def order_drills(
    tx: Transaction, tests: Iterable[Drill], desk: Desk, secret: str, now: datetime
) -> int:
    """Order these test pages now; returns how many are new (one a route and day)."""
    policy = desk.books.current.version
    orders = {drill_order(test, secret=secret, policy=policy, now=now): test.key for test in tests}
    new = tx.order_pages(list(orders), now)
    tx.add_route_tests(
        [
            RouteTest(page=order.page, person=who, route=route, setup=setup, ordered_at=now)
            for order, (who, route, setup) in orders.items()
        ]
    )
    if new:
        tx.notify("page")
    return len(new)


def unanswered(roster: Roster, tests: Sequence[RouteTest], now: datetime) -> tuple[Finding, ...]:
    """Routes, as they are set up now, whose newest test page nobody confirmed within a day."""
    return tuple(_finding(test) for test in _unconfirmed(roster, tests, now))


def _unconfirmed(roster: Roster, tests: Sequence[RouteTest], now: datetime) -> Iterator[RouteTest]:
    newest = {(test.person, test.route, test.setup): test for test in tests}
    for (who, name, setup), test in newest.items():
        person = roster.people.get(who)
        is_there = person is not None and any(
            route.name == name and setup_of(route) == setup for route in person.routes
        )
        if is_there and _has_failed(test, now):
            yield test


def notices(roster: Roster, tests: Sequence[RouteTest], now: datetime) -> tuple[str, ...]:
    """What the board says of test pages that nobody confirmed."""
    return tuple(
        f"{test.person} may not be reached: the test page over {test.route} of"
        f" {test.ordered_at:%Y-%m-%d} was not confirmed."
        for test in _unconfirmed(roster, tests, now)
    )


def order_notices(
    tx: Transaction, tests: Sequence[RouteTest], roster: Roster, policy: str, now: datetime
) -> list[PageId]:
    """One lesser page about each test page that nobody confirmed; gives those that are new.

    The coordinator is told; the site manager where it is the coordinator's own route.
    """
    owed = [
        order
        for test in _unconfirmed(roster, tests, now)
        for order in house_orders(
            notice=UNCONFIRMED,
            about=(test.page,),
            why=f"roster: {test.person} did not confirm the test page over {test.route}",
            asked="ask whether it arrived; correct the route; send another test",
            role="site_manager"
            if roster.people[test.person].role == "coordinator"
            else "coordinator",
            site=roster.default_site,
            roster=roster,
            policy=policy,
            now=now,
        )
    ]
    return tx.order_pages(owed, now) if owed else []


def _told_role(roster: Roster, test: RouteTest) -> str:
    is_own = roster.people[test.person].role == _TOLD
    return _TOLD_INSTEAD if is_own else _TOLD


def _has_failed(test: RouteTest, now: datetime) -> bool:
    return test.confirmed_at is None and now - test.ordered_at >= ANSWER_WITHIN


def _finding(test: RouteTest) -> Finding:
    return Finding(
        level="error",
        place=f"person {test.person}",
        what=f"route {test.route}: the test page of {test.ordered_at:%Y-%m-%d} was not confirmed",
        hint="ask whether it arrived; correct the route, then: triage roster test PERSON",
    )


def _last(tests: Iterable[RouteTest]) -> dict[RouteKey, datetime]:
    return {(each.person, each.route, each.setup): each.ordered_at for each in tests}
