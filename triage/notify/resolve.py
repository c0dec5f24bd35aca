"""Who a page goes to at the moment it is sent: the roster may have changed since it was ordered."""

from dataclasses import replace
from datetime import datetime

from triage.domain.canary import ROUTE as CANARY_ROUTE
from triage.domain.paging import PageOrder
from triage.domain.roster.roster import IN_PERSON, Person, Roster, Route

INBOX = Route(name="inbox", kind="inbox")


def resolve_order(order: PageOrder, roster: Roster, at: datetime) -> PageOrder:
    """The order with the person and route that hold at `at`; its page id stays as it is.

    The owner of a case, who was asked to take it over, who takes over when the owner's shift ends,
    and who gets a test page, is meant in person. Where nobody is on call any more, whoever was
    stays: a person off duty is better than none. A route that is gone gives way to the one in its
    place.
    """
    if order.route_kind == CANARY_ROUTE:
        return order
    person = roster.people.get(order.person) if order.person else None
    if not (order.chosen_by.startswith(IN_PERSON) or order.drill):
        served = roster.on_call(order.site, order.role, at)
        if served.person is not None:
            route = _route(order, person, served.person)
            return replace(
                order,
                person=served.person.id,
                name=served.person.name,
                chosen_by=served.chosen_by,
                route=route.name,
                route_kind=route.kind,
            )
    route = _route(order, person, person) if person else INBOX
    if (route.name, route.kind) == (order.route, order.route_kind):
        return order
    return replace(order, route=route.name, route_kind=route.kind)


def _route(order: PageOrder, before: Person | None, person: Person) -> Route:
    """The person's route of that name, else the one in the same place, so that two stay two."""
    if not person.routes:
        return INBOX
    for route in person.routes:
        if route.name == order.route:
            return route
    names = [route.name for route in before.routes] if before else []
    place = names.index(order.route) if order.route in names else 0
    return person.routes[min(place, len(person.routes) - 1)]
