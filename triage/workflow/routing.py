"""By which routes a person is reached: as the page's urgency asks."""

from triage.domain.roster import Person, Route

INBOX = Route(name="inbox", kind="inbox")
_EMERGENT_ROUTES = 2


def routes_for(person: Person | None, *, is_emergent: bool) -> tuple[Route, ...]:
    """EMERGENT takes two independent routes at once; nobody reachable shows in the desk's inbox."""
    if person is None or not person.routes:
        return (INBOX,)
    return person.routes[:_EMERGENT_ROUTES] if is_emergent else person.routes[:1]
