"""Which routes are proven to reach their person: a test page that somebody confirmed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from triage.domain.paging import short_tag
from triage.domain.roster.roster import Person, Roster, Route


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteProof:
    """A person confirmed at `at` a test page over the route, as it was set up then."""

    person: str
    route: str
    setup: str
    at: datetime


def setup_of(route: Route) -> str:
    """A tag of where the route leads: another address has to be proven anew; the tag tells none."""
    return short_tag(route.kind, route.url or "", route.secret or "")


def with_proofs(roster: Roster, proofs: Iterable[RouteProof]) -> Roster:
    """The roster with `proven_at` of the file or of the newest proof, whichever is later."""
    newest: dict[tuple[str, str, str], date] = {}
    for proof in proofs:
        key = (proof.person, proof.route, proof.setup)
        newest[key] = max(proof.at.date(), newest.get(key, date.min))
    if not newest:
        return roster
    people = {name: _proven(person, newest) for name, person in roster.people.items()}
    return replace(roster, people=people)


def _proven(person: Person, newest: Mapping[tuple[str, str, str], date]) -> Person:
    routes = []
    for route in person.routes:
        proven = newest.get((person.id, route.name, setup_of(route)))
        latest = max(filter(None, (route.proven_at, proven)), default=None)
        routes.append(replace(route, proven_at=latest))
    return replace(person, routes=tuple(routes))
