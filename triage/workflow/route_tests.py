"""Test pages: whether a route reaches its person is known before the shift, not in it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.domain.paging import PageKey, PageOrder, page_id, read_page_id, short_tag
from triage.domain.roster.roster import Person, Roster, Route
from triage.domain.roster.route_proofs import setup_of
from triage.domain.roster.shifts import shifts
from triage.domain.roster.site_hours import in_hours

DRILL = "drill"
ROUTE_TEST = "route_test"
CHOSEN_BY = "test of this route"
BEFORE_SHIFT = timedelta(hours=48)
RouteKey = tuple[str, str, str]  # person, route, its setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A route of a person that is to be tested, for the post in which they serve."""

    person: Person
    route: Route
    site: str
    role: str

    @property
    def key(self) -> RouteKey:
        """What one test stands for: another address is another route."""
        return (self.person.id, self.route.name, setup_of(self.route))


def is_test_page(page: str) -> bool:
    """A test page, which has no case."""
    key = read_page_id(page)
    return key is not None and key.case == DRILL


def drills_of(person: Person, roster: Roster) -> tuple[Drill, ...]:
    """Every route of a person but the inbox, which needs no proof."""
    return tuple(
        Drill(person=person, route=route, site=roster.default_site, role=person.role)
        for route in person.routes
        if route.kind != "inbox"
    )


def due_drills(
    roster: Roster,
    roles: Collection[str],
    last: Mapping[RouteKey, datetime],
    *,
    now: datetime,
    every: timedelta,
) -> tuple[Drill, ...]:
    """Routes of people who serve within 48 hours, not tested for `every`; in site hours only.

    Nobody is woken for a test: outside the hours of the site nothing is due.
    """
    found: dict[RouteKey, Drill] = {}
    for test in _before_shifts(roster, roles, now):
        at = last.get(test.key)
        if at is None or now - at >= every:
            found.setdefault(test.key, test)
    return tuple(found.values())


def drill_order(test: Drill, *, secret: str, policy: str, now: datetime) -> PageOrder:
    """The page: marked as a drill everywhere. Its id cannot be guessed without `secret`.

    The same test on the same day is the same page.
    """
    key = PageKey(
        case=DRILL,
        obligation=ROUTE_TEST,
        run_tag=short_tag(*test.key, f"{now:%Y-%m-%d}", secret),
        rung=0,
        round=0,
    )
    return PageOrder(
        page=page_id(key, role=test.person.id, route=test.route.name),
        case=None,
        item=DRILL,
        tier=None,
        reason_class="test page: no patient, nothing to do but confirm",
        asked="confirm that this test reached you",
        obligation=ROUTE_TEST,
        due_at=None,
        owed_at=now,
        run=key.run_tag,
        rung=0,
        round=0,
        role=test.role,
        site=test.site,
        person=test.person.id,
        name=test.person.name,
        chosen_by=CHOSEN_BY,
        route=test.route.name,
        route_kind=test.route.kind,
        callback=None,
        policy=policy,
        drill=True,
    )


def _before_shifts(roster: Roster, roles: Collection[str], now: datetime) -> Iterator[Drill]:
    for site, role in roster.posts:
        if role not in roles or not in_hours(roster.sites[site], now):
            continue
        for shift in shifts(roster, site, role, start=now, end=now + BEFORE_SHIFT):
            person = shift.on_call.person
            for route in person.routes if person else ():
                if person is not None and route.kind != "inbox":
                    yield Drill(person=person, route=route, site=site, role=role)
