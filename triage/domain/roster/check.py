"""What is weak in a sound roster: gaps, single points, people who can hardly be reached."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.domain.roster.check_sites import (
    LOOK_AHEAD,
    Finding,
    feed_findings,
    local,
    overlap_findings,
    site_findings,
)
from triage.domain.roster.feeds import FeedState
from triage.domain.roster.roster import Person, Roster, Route, Site
from triage.domain.roster.shifts import Shift, shifts

PROOF_LASTS = timedelta(days=35)  # a weekly test page may fail four times before this is told
_ROUTES_FOR_EMERGENT = 2


@dataclass(frozen=True, slots=True)
class _Post:
    site: Site
    role: str
    shifts: tuple[Shift, ...]

    @property
    def place(self) -> str:
        return f"{self.site.id} {self.role}"

    @property
    def people(self) -> dict[str, Person]:
        found = (shift.on_call.person for shift in self.shifts)
        return {person.id: person for person in found if person}


def check_roster(
    roster: Roster,
    *,
    now: datetime,
    roles: Sequence[str],
    may_stop: Collection[str] = (),
    feeds: Sequence[FeedState] = (),
) -> tuple[Finding, ...]:
    """The weaknesses of the 14 days from `now`, errors first; `roles` are those that ladders page.

    Every one of these roles is checked as one that an EMERGENT case pages: two routes each.
    `may_stop` are the roles that stop an EMERGENT ladder: who serves in one must have one. `feeds`
    tells how fresh the roster's calendar feeds are; each of its feeds that it leaves out is stale.
    """
    posts = [
        _Post(site, role, shifts(roster, site.id, role, start=now, end=now + LOOK_AHEAD))
        for site in roster.sites.values()
        for role in roles
    ]
    found = [
        *(
            finding
            for post in posts
            for check in (_gaps, _single_points)
            for finding in check(post)
        ),
        *(finding for post in posts for finding in _wrong_role(post, may_stop)),
        *_several_roles(posts),
        *_people(posts, now),
        *site_findings(roster),
        *overlap_findings(roster, now),
        *feed_findings(roster, feeds, now),
    ]
    return tuple(sorted(found, key=lambda finding: finding.level))


def _gaps(post: _Post) -> Iterator[Finding]:
    for shift in post.shifts:
        if shift.on_call.person is None:
            yield Finding(
                level="error",
                place=post.place,
                what=f"nobody serves from {local(post.site, shift.starts)}"
                f" to {local(post.site, shift.ends)}",
                hint="add a [[rota]] or an [[override]]; until then the next rung is paged",
            )


def _single_points(post: _Post) -> Iterator[Finding]:
    if len(post.people) == 1 and all(shift.on_call.person for shift in post.shifts):
        yield Finding(
            level="warning",
            place=post.place,
            what=f"only {next(iter(post.people))} serves in these 14 days",
            hint="name a second person, so that illness or a flat battery is not the end",
        )


def _wrong_role(post: _Post, may_stop: Collection[str]) -> Iterator[Finding]:
    for person in post.people.values():
        if post.role in may_stop and person.role not in may_stop:
            yield Finding(
                level="error",
                place=post.place,
                what=f"{person.id} is {person.role} and cannot stop an EMERGENT ladder",
                hint=f"put somebody on this rota who is {' or '.join(may_stop)}",
            )


def _several_roles(posts: list[_Post]) -> Iterator[Finding]:
    """One person in two roles at the same time: then a ladder's next rung is the same telephone."""
    told = set()
    for number, post in enumerate(posts):
        for other in posts[number + 1 :]:
            if other.site != post.site:
                continue
            for person, at in _both(post, other):
                if (person, post.place, other.role) not in told:
                    told.add((person, post.place, other.role))
                    yield Finding(
                        level="warning",
                        place=post.place,
                        what=f"{person} is also {other.role} from {local(post.site, at)}",
                        hint="give the two roles to two people",
                    )


def _both(post: _Post, other: _Post) -> Iterator[tuple[str, datetime]]:
    for first in post.shifts:
        for second in other.shifts:
            meet = max(first.starts, second.starts)
            person = first.on_call.person
            if person and person == second.on_call.person and meet < min(first.ends, second.ends):
                yield person.id, meet


def _people(posts: list[_Post], now: datetime) -> Iterator[Finding]:
    serving = {key: person for post in posts for key, person in post.people.items()}
    for person in serving.values():
        place = f"person {person.id}"
        if not person.routes:
            first = _first_shift(posts, person)
            yield Finding(
                level="error",
                place=place,
                what=f"has no route, and serves {first}: pages go to the inbox of the desk",
                hint="add routes = [{ name = ..., kind = ..., url = ... }, ...]",
            )
        elif len(person.routes) < _ROUTES_FOR_EMERGENT:
            yield Finding(
                level="warning",
                place=place,
                what=f"has one route only ({person.routes[0].name})",
                hint="an EMERGENT page takes two independent routes at once: add a second",
            )
        else:
            yield from _one_carrier(place, person)
        for route in person.routes:
            yield from _route(place, route, now)


def _one_carrier(place: str, person: Person) -> Iterator[Finding]:
    """The desk's inbox is no second way: it wakes nobody."""
    carriers = {route.carrier for route in person.routes if route.kind != "inbox"}
    if len(carriers) == 1:
        yield Finding(
            level="warning",
            place=place,
            what=f"every route that leaves the desk goes over {carriers.pop()}",
            hint="an EMERGENT page takes two routes at once: add one that another carries",
        )


def _first_shift(posts: list[_Post], person: Person) -> str:
    starts, place, site = min(
        (shift.starts, post.place, post.site.id)
        for post in posts
        for shift in post.shifts
        if shift.on_call.person == person
    )
    zone = next(post.site for post in posts if post.site.id == site)
    return f"as {place.partition(' ')[2]} at {site} from {local(zone, starts)}"


def _route(place: str, route: Route, now: datetime) -> Iterator[Finding]:
    if route.kind == "inbox":
        return
    proven = route.proven_at is not None and route.proven_at <= now.date()
    if not proven:
        yield Finding(
            level="warning",
            place=place,
            what=f"route {route.name} is not proven",
            hint="send a test page (triage roster test); once it is confirmed the route is proven",
        )
    elif route.proven_at is not None and now.date() - route.proven_at > PROOF_LASTS:
        yield Finding(
            level="warning",
            place=place,
            what=f"route {route.name} was last proven on {route.proven_at}",
            hint="send a test page (triage roster test); a telephone may have changed since",
        )
    if route.secret is not None and not route.secret.startswith(("env:", "file:")):
        yield Finding(
            level="warning",
            place=place,
            what=f"route {route.name} has its secret written in the roster file",
            hint="keep it in the environment or a file: secret = 'env:NAME' or 'file:/path'",
        )
