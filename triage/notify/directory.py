"""The routes of the roster, ready to send: built when first needed, then kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC

import aiohttp

from triage.domain.canary import ROUTE as CANARY_ROUTE
from triage.domain.instants import Clock
from triage.domain.paging import PageOrder
from triage.domain.roster.roster import Roster, Route
from triage.notify.apprise_route import AppriseRoute
from triage.notify.echo import EchoRoute
from triage.notify.inbox import InboxRoute
from triage.notify.phone_line import PhoneLine
from triage.notify.phone_route import SmsRoute, VoiceRoute
from triage.notify.push_route import PushParts, PushRoute
from triage.notify.quiet_log import quieten_senders
from triage.notify.routes import Connection, PageRoute
from triage.notify.webhook import WebhookRoute

_INBOX_LANE = "inbox"


@dataclass(kw_only=True)
class Directory:
    """Finds the route that an order names among the routes of its person.

    `roster` gives the roster of this moment; `environment` is where `env:` references look.
    """

    roster: Callable[[], Roster]
    inbox: InboxRoute
    client: aiohttp.ClientSession
    clock: Clock
    environment: Mapping[str, str]
    public_url: str = ""
    push: PushParts | None = None
    _known: dict[tuple[Route, str], Connection] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        quieten_senders()

    def connect(self, order: PageOrder) -> Connection:
        """The order's route; the inbox where its person or route is not in the roster."""
        if order.route_kind == CANARY_ROUTE:
            return Connection(CANARY_ROUTE, EchoRoute())
        roster = self.roster()
        person = roster.people.get(order.person or "")
        for route in person.routes if person else ():
            if route.name == order.route and route.kind != "inbox":
                return self._connection(route, roster, order.site)
        return self.desk()

    def desk(self) -> Connection:
        """The local inbox."""
        return Connection(_INBOX_LANE, self.inbox)

    def close(self) -> None:
        """Take no more pages for Apprise services; does not wait for one that hangs."""
        for connection in self._known.values():
            if isinstance(connection.route, AppriseRoute):
                connection.route.close()

    def _connection(self, route: Route, roster: Roster, site: str) -> Connection:
        key = (route, site)
        if key not in self._known:
            self._known[key] = Connection(_lane(route), self._build(*key, roster))
        return self._known[key]

    def _build(self, route: Route, site: str, roster: Roster) -> PageRoute:
        if route.kind == "webhook":
            return WebhookRoute(route, self.client, self.clock, self.environment)
        if route.kind == "voice":
            line = PhoneLine(self.client)
            return VoiceRoute(route, line, self.environment, public_url=self.public_url)
        known = roster.sites.get(site)
        zone, desk = (known.zone, known.desk) if known else (UTC, None)
        if route.kind == "webpush" and self.push is not None:
            return PushRoute(self.push, self.client, self.clock, zone=zone)
        if route.kind == "sms":
            return SmsRoute(
                route,
                PhoneLine(self.client),
                self.environment,
                public_url=self.public_url,
                desk=desk,
                zone=zone,
            )
        return AppriseRoute(route, self.environment, zone=zone)


def _lane(route: Route) -> str:
    """Calls and messages of one provider do not wait for each other, nor for another provider."""
    return f"{route.kind} {route.provider.name if route.provider else route.url}"
