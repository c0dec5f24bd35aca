"""One claimed page on its way: resolved, sent once, noted, and shown at the desk if need be."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from triage.domain.canary import ROUTE as CANARY_ROUTE
from triage.domain.instants import Clock
from triage.domain.paging import Attempt, ClaimedPage, PageId, PageOrder, page_document
from triage.domain.roster.roster import DESK_INBOX
from triage.domain.tiers import Tier
from triage.notify.faults import fault_of
from triage.notify.lanes import Lane
from triage.notify.outcomes import Sent, attempt_of, desk_attempt, suppressed
from triage.notify.ports import Routes
from triage.notify.routes import Accepted, Connection, ListingRoute, SendResult, Unreachable

LOG = logging.getLogger(__name__)

LINKED_KINDS = ("sms", "apprise", "webpush")  # people read these; a machine's page names the screen
_FAILURES_BEFORE_DESK = 2

Note = Callable[[Attempt], None]


@dataclass(kw_only=True)
class Delivery:
    """Sends claimed pages. `resolve` gives an order its person and route of this moment.

    No failure is the last: a page is tried again for as long as the store says that it is owed. An
    EMERGENT page and unread quarantine show at the desk at their first failure, others at the
    second.
    """

    routes: Routes
    resolve: Callable[[PageOrder], PageOrder]
    clock: Clock
    public_url: str
    send_seconds: float = 5.0
    _lanes: dict[str, Lane] = field(default_factory=dict, init=False)
    _at_desk: set[PageId] = field(default_factory=set, init=False)

    async def deliver(self, claim: ClaimedPage, *, until: float, note: Note) -> None:
        """Send one page; every attempt goes to `note` as soon as it is over.

        `until` is the last moment, in the event loop's time, at which the send may begin.
        """
        page = claim.order.page
        if claim.suppress is not None:
            self._tell(note, claim.order, suppressed(claim, self.clock.now()))
            self._at_desk.discard(page)
            return
        await self._settle(claim, await _guarded(claim.order, self._send([claim], until)), note)

    async def deliver_list(
        self, claims: Sequence[ClaimedPage], *, until: float, note: Note
    ) -> None:
        """Send pages of one `list_key` as one message; each has an attempt of its own."""
        if len(claims) == 1:
            await self.deliver(claims[0], until=until, note=note)
            return
        sent = await _guarded(claims[0].order, self._send(claims, until))
        for claim in claims:
            await self._settle(claim, replace(sent, order=self.resolve(claim.order)), note)

    def list_key(self, claim: ClaimedPage) -> tuple[str, str, str] | None:
        """What pages share that may go as one message; None for one that goes alone.

        Alone go EMERGENT pages, unread messages (they may be an emergency), and what may have been
        sent before.
        """
        if claim.order.tier in (Tier.EMERGENT, None):
            return None
        if claim.suppress is not None or claim.possibly_doubled:
            return None
        order = self.resolve(claim.order)
        connection = self.routes.connect(order)
        if order.person is None or not isinstance(connection.route, ListingRoute):
            return None
        return order.person, connection.lane, order.route

    async def _settle(self, claim: ClaimedPage, sent: Sent, note: Note) -> None:
        self._tell(note, sent.order, attempt_of(claim, sent, self.clock.now()))
        if isinstance(sent.answer, Accepted):
            self._at_desk.discard(claim.order.page)
        elif self._belongs_at_desk(claim, sent):
            await self._show_at_desk(claim, sent.order, note)

    async def _send(self, claims: Sequence[ClaimedPage], until: float) -> Sent:
        order = self.resolve(claims[0].order)
        connection = self.routes.connect(order)
        lane = self._lanes.setdefault(connection.lane, Lane())
        is_emergent = order.tier is Tier.EMERGENT
        if not await lane.enter(is_emergent=is_emergent, until=until):
            busy = Unreachable("not sent: every slot of the route is taken")
            return Sent(order, busy, was_tried=lane.is_failing)
        try:
            answer = await self._ask(connection, claims, order)
        finally:
            lane.leave(is_emergent=is_emergent)
        lane.is_failing = isinstance(answer, Unreachable)
        return Sent(order, answer)

    async def _ask(
        self, connection: Connection, claims: Sequence[ClaimedPage], order: PageOrder
    ) -> SendResult:
        """`order` is the first claim's, resolved; several claims go as one message."""
        route = connection.route
        try:
            async with asyncio.timeout(self.send_seconds):
                if len(claims) == 1 or not isinstance(route, ListingRoute):
                    return await route.send(order, self._document(claims[0], order))
                listed = [(claim, self.resolve(claim.order)) for claim in claims]
                answer = await route.send_list(
                    [(own, self._document(claim, own)) for claim, own in listed]
                )
        except TimeoutError:
            return Unreachable(f"no answer within {self.send_seconds:g} s")
        if isinstance(answer, Accepted):
            return Accepted(f"{answer.provider_word} (one message for {len(claims)} pages)")
        return answer

    def _document(self, claim: ClaimedPage, order: PageOrder) -> dict[str, Any]:
        return page_document(
            order,
            attempt=claim.attempt,
            possibly_doubled=claim.possibly_doubled,
            url=self._url(claim, order),
            sent_at=self.clock.now(),
        )

    def _url(self, claim: ClaimedPage, order: PageOrder) -> str:
        """A link that answers, where people read the route and the person is still the same."""
        if claim.link and claim.link_for == order.person and order.route_kind in LINKED_KINDS:
            return f"{self.public_url}/a/{claim.link}"
        return f"{self.public_url}/p/{order.page}"

    def _belongs_at_desk(self, claim: ClaimedPage, sent: Sent) -> bool:
        if (
            sent.order.drill
            or sent.order.route_kind in ("inbox", CANARY_ROUTE)
            or claim.order.page in self._at_desk
        ):
            return False
        # An unreadable message may be an emergency, so a page without a tier waits no longer.
        if sent.order.tier in (Tier.EMERGENT, None):
            return True
        return sent.was_tried and claim.attempt >= _FAILURES_BEFORE_DESK

    async def _show_at_desk(self, claim: ClaimedPage, order: PageOrder, note: Note) -> None:
        shown = replace(order, route=DESK_INBOX, route_kind="inbox")
        self._at_desk.add(order.page)
        sent = await _guarded(shown, self._at_the_desk(claim, shown))
        if not isinstance(sent.answer, Accepted):
            self._at_desk.discard(order.page)
        self._tell(note, shown, desk_attempt(claim, sent.answer, self.clock.now()))

    async def _at_the_desk(self, claim: ClaimedPage, shown: PageOrder) -> Sent:
        return Sent(shown, await self._ask(self.routes.desk(), [claim], shown))

    def _tell(self, note: Note, order: PageOrder, attempt: Attempt) -> None:
        note(attempt)
        failed = attempt.outcome == "failed"
        level = logging.WARNING if failed else logging.INFO
        LOG.log(
            logging.ERROR if failed and order.tier is Tier.EMERGENT else level,
            "page.sent page=%s route=%s outcome=%s",
            attempt.page,
            order.route_kind,
            attempt.outcome,
        )


async def _guarded(order: PageOrder, work: Coroutine[Any, Any, Sent]) -> Sent:
    """A fault in a route is a failure of that page, and not the end of the relay."""
    outcome = (await asyncio.gather(work, return_exceptions=True))[0]
    if isinstance(outcome, Sent):
        return outcome
    fault = fault_of(outcome)
    LOG.error("page.fault page=%s route=%s fault=%s", order.page, order.route_kind, fault)
    return Sent(order, Unreachable(f"fault in the route: {fault}"))
