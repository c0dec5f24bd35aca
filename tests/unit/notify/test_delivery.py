"""One page on its way: what goes to the route, what is recorded, when the desk sees it."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes_notify import START, FakeClock, FakeRoute, FakeRoutes, claim, order
from triage.domain.paging import Attempt, ClaimedPage, PageOrder
from triage.domain.tiers import Tier
from triage.notify.delivery import Delivery
from triage.notify.lanes import EMERGENT_SLOTS, QUEUE, SLOTS
from triage.notify.outcomes import retry_wait
from triage.notify.routes import Refused, SendResult, Unreachable

FAR = 1e12  # in the event loop's time: a send may begin whenever it likes
AWAY = Unreachable("HTTP 503")


def as_ordered(ordered: PageOrder) -> PageOrder:
    return ordered


def deliver(
    routes: FakeRoutes,
    *claims: ClaimedPage,
    resolve: Callable[[PageOrder], PageOrder] = as_ordered,
    send_seconds: float = 5.0,
    until_in: float = FAR,
) -> list[Attempt]:
    """Deliver the claims one after the other by one Delivery; every attempt, in order."""
    attempts: list[Attempt] = []

    async def run() -> None:
        delivery = Delivery(
            routes=routes,
            resolve=resolve,
            clock=FakeClock(),
            public_url="https://triage.example",
            send_seconds=send_seconds,
        )
        until = asyncio.get_running_loop().time() + until_in
        for each in claims:
            await delivery.deliver(each, until=until, note=attempts.append)

    asyncio.run(run())
    return attempts


def summary(attempts: list[Attempt]) -> list[tuple[str, str]]:
    return [(attempt.route, attempt.outcome) for attempt in attempts]


def test_an_accepted_page_is_settled_by_one_attempt() -> None:
    desk = FakeRoute()
    (attempt,) = deliver(FakeRoutes(desk=desk), claim(order()))
    assert (attempt.page, attempt.route, attempt.outcome) == (order().page, "desk", "accepted")
    assert (attempt.provider_word, attempt.at, attempt.retry_at) == ("taken", START, None)


def test_the_document_is_the_page_of_the_contract() -> None:
    desk = FakeRoute()
    deliver(FakeRoutes(desk=desk), claim(order(), attempt=3, possibly_doubled=True))
    (document,) = desk.sent
    assert document["type"] == "page.v1"
    assert document["url"] == f"https://triage.example/p/{order().page}"
    assert (document["attempt"], document["possibly_doubled"]) == (3, True)
    assert document["sent_at"] == "2026-03-10T08:02:00+00:00"
    assert (document["tier"], document["role"], document["person"]) == (
        "EMERGENT",
        "registrar",
        "reg-a",
    )


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (AWAY, "HTTP 503"),
        (
            Refused("the receiver does not take it", "HTTP 400"),
            "refused: the receiver does not take it; HTTP 400",
        ),
    ],
)
def test_a_failed_page_is_tried_again_under_the_same_key(answer: SendResult, word: str) -> None:
    failed, *_ = deliver(FakeRoutes(desk=FakeRoute([answer])), claim(order()))
    assert (failed.outcome, failed.provider_word) == ("failed", word)
    assert failed.page == order().page
    assert failed.retry_at == START + timedelta(seconds=1)


def test_waits_double_and_are_shorter_at_most_for_emergent() -> None:
    def seconds(*, is_emergent: bool) -> list[float]:
        numbers = (1, 2, 3, 4, 5, 6, 7, 500)
        return [retry_wait(n, is_emergent=is_emergent).total_seconds() for n in numbers]

    assert seconds(is_emergent=True) == [1, 2, 4, 8, 10, 10, 10, 10]
    assert seconds(is_emergent=False) == [1, 2, 4, 8, 16, 30, 30, 30]


def test_an_emergent_page_shows_at_the_desk_at_its_first_failure() -> None:
    routes = FakeRoutes(desk=FakeRoute([AWAY]))
    attempts = deliver(routes, claim(order()))
    assert summary(attempts) == [("desk", "failed"), ("desk-inbox", "accepted")]
    (shown,) = routes.desk_inbox.sent
    assert (shown["page"], shown["route"], shown["person"]) == (
        order().page,
        "desk-inbox",
        "reg-a",
    )


def test_unread_quarantine_shows_at_the_desk_at_its_first_failure() -> None:
    unread = order(tier=None, case=None, item="q-17")
    attempts = deliver(FakeRoutes(desk=FakeRoute([AWAY])), claim(unread))
    assert summary(attempts) == [("desk", "failed"), ("desk-inbox", "accepted")]


def test_a_lesser_page_shows_at_the_desk_at_its_second_failure() -> None:
    lesser = order(tier=Tier.URGENT)
    routes = FakeRoutes(desk=FakeRoute([AWAY, AWAY]))
    attempts = deliver(routes, claim(lesser), claim(lesser, attempt=2))
    assert summary(attempts) == [
        ("desk", "failed"),
        ("desk", "failed"),
        ("desk-inbox", "accepted"),
    ]


def test_a_page_shows_at_the_desk_once_however_often_it_fails() -> None:
    routes = FakeRoutes(desk=FakeRoute([AWAY] * 5))
    deliver(routes, *(claim(order(), attempt=number) for number in range(1, 6)))
    assert len(routes.desk_inbox.sent) == 1


def test_a_desk_that_could_not_be_written_is_tried_at_the_next_failure() -> None:
    routes = FakeRoutes(desk=FakeRoute([AWAY, AWAY]))
    routes.desk_inbox.answers = [Unreachable("inbox cannot be written: No space left on device")]
    attempts = deliver(routes, claim(order()), claim(order(), attempt=2))
    assert summary(attempts) == [
        ("desk", "failed"),
        ("desk-inbox", "failed"),
        ("desk", "failed"),
        ("desk-inbox", "accepted"),
    ]


def test_only_the_page_s_own_route_says_when_it_is_tried_again() -> None:
    attempts = deliver(FakeRoutes(desk=FakeRoute([AWAY])), claim(order()))
    assert [attempt.retry_at is None for attempt in attempts] == [False, True]


def test_a_failing_inbox_is_not_shown_in_itself() -> None:
    inbox = order(route="inbox", kind="inbox")
    routes = FakeRoutes()
    routes.desk_inbox.answers = [AWAY]
    assert summary(deliver(routes, claim(inbox))) == [("inbox", "failed")]


def test_a_page_that_is_no_longer_owed_is_not_sent() -> None:
    desk = FakeRoute()
    (attempt,) = deliver(FakeRoutes(desk=desk), claim(order(), suppress="case closed"))
    assert (attempt.outcome, attempt.provider_word) == ("suppressed", "case closed")
    assert attempt.retry_at is None
    assert desk.sent == []


def test_a_route_that_hangs_counts_as_unreachable_after_its_limit() -> None:
    routes = FakeRoutes(desk=FakeRoute(hangs=True))
    failed, shown = deliver(routes, claim(order()), send_seconds=0.02)
    assert (failed.outcome, failed.provider_word) == ("failed", "no answer within 0.02 s")
    assert shown.outcome == "accepted"


def test_a_fault_in_a_route_is_a_failed_page_and_tells_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        async def send(self, order: PageOrder, document: Mapping[str, Any]) -> SendResult:
            raise KeyError("https://token@provider.example")

    with caplog.at_level(logging.DEBUG):
        attempts = deliver(FakeRoutes(desk=Broken()), claim(order()))
    assert summary(attempts) == [("desk", "failed"), ("desk-inbox", "accepted")]
    told = caplog.text + str(attempts)
    assert "KeyError at test_delivery.py" in told
    assert "token" not in told


def test_who_is_on_call_when_it_is_sent_gets_the_page_and_that_is_recorded() -> None:
    sms = FakeRoute()

    def now_on_call(ordered: PageOrder) -> PageOrder:
        return replace(ordered, person="reg-b", name="Sample Two", route="sms", chosen_by="swap")

    (attempt,) = deliver(FakeRoutes(desk=FakeRoute(), sms=sms), claim(order()), resolve=now_on_call)
    (document,) = sms.sent
    assert (document["person"], document["chosen_by"]) == ("reg-b", "swap")
    assert document["page"] == order().page
    # under the page's own route, since only that settles it
    assert (attempt.route, attempt.provider_word) == ("desk", "taken; sent to reg-b by sms, swap")


def test_every_attempt_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        deliver(FakeRoutes(desk=FakeRoute([AWAY])), claim(order()))
    page = order().page
    assert caplog.messages == [
        f"page.sent page={page} route=webhook outcome=failed",
        f"page.sent page={page} route=inbox outcome=accepted",
    ]
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


def crowd(number: int, tier: Tier) -> list[ClaimedPage]:
    return [claim(order(tier=tier, rung=rung)) for rung in range(number)]


def deliver_together(
    routes: FakeRoutes, claims: list[ClaimedPage], *, send_seconds: float, until_in: float
) -> list[Attempt]:
    attempts: list[Attempt] = []

    async def run() -> None:
        delivery = Delivery(
            routes=routes,
            resolve=as_ordered,
            clock=FakeClock(),
            public_url="https://triage.example",
            send_seconds=send_seconds,
        )
        until = asyncio.get_running_loop().time() + until_in
        await asyncio.gather(
            *(delivery.deliver(each, until=until, note=attempts.append) for each in claims)
        )

    asyncio.run(run())
    return attempts


def test_lesser_pages_that_fill_a_hanging_route_leave_emergent_slots_free() -> None:
    desk = FakeRoute(hangs=True)
    pages = [*crowd(SLOTS + 5, Tier.ROUTINE), claim(order(rung=99))]
    deliver_together(FakeRoutes(desk=desk), pages, send_seconds=0.1, until_in=0.02)
    tiers = [document["tier"] for document in desk.sent]
    assert tiers.count("ROUTINE") == SLOTS
    assert tiers.count("EMERGENT") == 1


def test_a_page_for_which_no_slot_came_free_was_not_sent_and_comes_back_soon() -> None:
    desk = FakeRoute(hangs=True)
    attempts = deliver_together(
        FakeRoutes(desk=desk), crowd(SLOTS + 3, Tier.URGENT), send_seconds=0.1, until_in=0.02
    )
    put_back = [
        a for a in attempts if a.provider_word == "not sent: every slot of the route is taken"
    ]
    assert len(desk.sent) == SLOTS
    assert len(put_back) == 3
    assert {a.retry_at for a in put_back} == {START + timedelta(seconds=1)}


def test_more_than_a_full_queue_is_put_back_at_once() -> None:
    desk = FakeRoute(hangs=True)
    number = SLOTS + QUEUE + 7
    attempts = deliver_together(
        FakeRoutes(desk=desk), crowd(number, Tier.URGENT), send_seconds=0.02, until_in=FAR
    )
    words = [attempt.provider_word for attempt in attempts]
    assert words[:7] == ["not sent: every slot of the route is taken"] * 7
    assert words[7:] == ["no answer within 0.02 s"] * (SLOTS + QUEUE)


def test_emergent_pages_wait_for_a_slot_however_many_they_are() -> None:
    number = EMERGENT_SLOTS + QUEUE + 50
    attempts = deliver_together(
        FakeRoutes(desk=FakeRoute()), crowd(number, Tier.EMERGENT), send_seconds=5, until_in=FAR
    )
    assert [attempt.outcome for attempt in attempts] == ["accepted"] * number


def test_a_roster_that_cannot_be_asked_is_a_fault_of_that_page_only() -> None:
    routes = FakeRoutes(desk=FakeRoute(), sms=FakeRoute())

    def broken(ordered: PageOrder) -> PageOrder:
        if ordered.route == "desk":
            raise LookupError
        return ordered

    attempts = deliver(routes, claim(order()), claim(order(route="sms")), resolve=broken)
    assert summary(attempts) == [
        ("desk", "failed"),
        ("desk-inbox", "accepted"),
        ("sms", "accepted"),
    ]
