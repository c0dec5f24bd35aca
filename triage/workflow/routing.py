"""By which routes a person is reached, and when: as the page's urgency and the person ask."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.domain.roster.contact import NO_WAIT
from triage.domain.roster.roster import Person, Route
from triage.domain.tiers import Tier

INBOX = Route(name="inbox", kind="inbox")


@dataclass(frozen=True, slots=True)
class Contact:
    """A route and how long after the person's first page it is used."""

    route: Route
    after: timedelta = NO_WAIT


@dataclass(frozen=True, slots=True)
class Attempt:
    """The use of a route that is owed at `at`; `number` counts repeats from 0.

    `is_extra`: the person has been told already, so an answer of theirs ends it.
    """

    route: Route
    at: datetime
    number: int
    is_extra: bool

    @property
    def label(self) -> str:
        """What stands for it in the page's id: the route's name, for a repeat with its number."""
        return f"{self.route.name}~{self.number}" if self.number else self.route.name


def contacts(person: Person | None, tier: Tier | None) -> tuple[Contact, ...]:
    """EMERGENT takes two independent routes at once, all else the first, then those with a delay.

    Where no route is for the tier, all are: a rule never leaves anybody unreachable. Nobody
    reachable shows in the desk's inbox.
    """
    if person is None or not person.routes:
        return (Contact(INBOX),)
    fit = [route for route in person.routes if route.rule.is_for(tier)]
    if tier is Tier.EMERGENT:
        others = [route for route in person.routes if route not in fit]
        return tuple(Contact(route) for route in _independent(fit, others))
    fit = fit or list(person.routes)
    first = next((route for route in fit if not route.rule.after), fit[0])
    later = [route for route in fit if route is not first and route.rule.after]
    return (Contact(first), *(Contact(route, route.rule.after) for route in later))


def routes_for(person: Person | None, *, is_emergent: bool) -> tuple[Route, ...]:
    """The routes of a page that is no step of a case's ladder: at once, whatever their delay."""
    tier = Tier.EMERGENT if is_emergent else None
    return tuple(contact.route for contact in contacts(person, tier) if not contact.after)


def attempts(
    contact: Contact, *, first: datetime, step: datetime, now: datetime
) -> Iterator[Attempt]:
    """The attempt that is owed at `now`, if any, and the next one.

    `first`: the person's first page of this ladder, `step`: the one that is owed. A delay counts
    from the first, so that a later step neither puts it off nor swallows it.
    """
    rule = contact.route.rule
    begin = max(step, first + contact.after)
    passed = min((now - begin) // rule.every, rule.repeat) if now >= begin else -1
    for number in (passed, passed + 1):
        if 0 <= number <= rule.repeat:
            is_extra = number > 0 or bool(contact.after)
            yield Attempt(contact.route, begin + rule.every * number, number, is_extra)


def _independent(fit: Sequence[Route], others: Sequence[Route]) -> tuple[Route, ...]:
    """Two routes that no one provider carries, where there are such; routes that fit go first."""
    order = [*fit, *others]
    first = order[0]
    apart = [route for route in order[1:] if route.carrier != first.carrier]
    return (first, *(apart or order[1:])[:1])
