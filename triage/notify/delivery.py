"""One claimed page on its way: resolved, sent once, noted, and shown at the desk if need be."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from triage.domain.instants import Clock
from triage.domain.paging import Attempt, ClaimedPage, PageId, PageOrder, page_document
from triage.domain.roster import DESK_INBOX
from triage.domain.tiers import Tier
from triage.notify.faults import fault_of
from triage.notify.lanes import Lane
from triage.notify.outcomes import Sent, attempt_of, desk_attempt, suppressed
from triage.notify.ports import Routes
from triage.notify.routes import Accepted, Connection, SendResult, Unreachable

LOG = logging.getLogger(__name__)

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
        sent = await _guarded(claim.order, self._send(claim, until))
        self._tell(note, sent.order, attempt_of(claim, sent, self.clock.now()))
        if isinstance(sent.answer, Accepted):
            self._at_desk.discard(page)
        elif self._belongs_at_desk(claim, sent):
            await self._show_at_desk(claim, sent.order, note)

    async def _send(self, claim: ClaimedPage, until: float) -> Sent:
        order = self.resolve(claim.order)
        connection = self.routes.connect(order)
        lane = self._lanes.setdefault(connection.lane, Lane())
        is_emergent = order.tier is Tier.EMERGENT
        if not await lane.enter(is_emergent=is_emergent, until=until):
            busy = Unreachable("not sent: every slot of the route is taken")
            return Sent(order, busy, was_tried=lane.is_failing)
        try:
            answer = await self._ask(connection, claim, order)
        finally:
            lane.leave(is_emergent=is_emergent)
        lane.is_failing = isinstance(answer, Unreachable)
        return Sent(order, answer)

    async def _ask(
        self, connection: Connection, claim: ClaimedPage, order: PageOrder
    ) -> SendResult:
        document = page_document(
            order,
            attempt=claim.attempt,
            possibly_doubled=claim.possibly_doubled,
            url=f"{self.public_url}/p/{order.page}",
            sent_at=self.clock.now(),
        )
        try:
            async with asyncio.timeout(self.send_seconds):
                return await connection.route.send(order, document)
        except TimeoutError:
            return Unreachable(f"no answer within {self.send_seconds:g} s")

    def _belongs_at_desk(self, claim: ClaimedPage, sent: Sent) -> bool:
        if (
            sent.order.drill
            or sent.order.route_kind == "inbox"
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
        return Sent(shown, await self._ask(self.routes.desk(), claim, shown))

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
