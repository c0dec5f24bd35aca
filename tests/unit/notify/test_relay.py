"""The relay over a store in memory, with a clock that only the test moves."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.fakes_notify import START, FakeClock, FakeRoute, FakeRoutes, FakeStore, order, run_inline
from triage.domain.tiers import Tier
from triage.notify.delivery import Delivery
from triage.notify.relay import Relay
from triage.notify.routes import Unreachable

AWAY = Unreachable("HTTP 503")


class House:
    """A relay with everything around it."""

    def __init__(self, *, send_seconds: float = 5.0, **routes: FakeRoute) -> None:
        self.clock = FakeClock()
        self.store = FakeStore(self.clock)
        self.routes = FakeRoutes(**routes)
        self.send_seconds = send_seconds
        self.relay = self.new_relay()

    def new_relay(self) -> Relay:
        delivery = Delivery(
            routes=self.routes,
            resolve=lambda ordered: ordered,
            clock=self.clock,
            public_url="https://triage.example",
            send_seconds=self.send_seconds,
        )
        return Relay(port=self.store, delivery=delivery, run_blocking=run_inline)

    async def turn(self) -> int:
        claimed = await self.relay.turn(self.clock.now())
        await self.relay.settle()
        return claimed


def in_loop(story: Callable[[], Awaitable[object]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await story()

    asyncio.run(limited())


def test_every_owed_page_goes_out_once_and_is_settled() -> None:
    desk = FakeRoute()
    house = House(desk=desk)
    pages = [order(rung=rung) for rung in range(120)]
    house.store.owe(*pages)

    async def story() -> None:
        assert [await house.turn() for _ in range(4)] == [50, 50, 20, 0]

    in_loop(story)
    assert sorted(desk.pages) == sorted(page.page for page in pages)
    assert all(house.store.is_settled(page) for page in pages)


def test_emergent_pages_go_before_lesser_ones_that_are_owed_longer() -> None:
    desk = FakeRoute()
    house = House(desk=desk)
    lesser = [order(tier=Tier.ROUTINE, rung=rung) for rung in range(60)]
    urgent = order(tier=Tier.EMERGENT, rung=99, owed_at=START.replace(hour=9))
    house.store.owe(*lesser, urgent)

    in_loop(house.turn)
    assert desk.pages[0] == urgent.page
    assert len(desk.pages) == 50


def test_a_failed_page_keeps_its_key_and_goes_out_when_the_route_is_back() -> None:
    desk = FakeRoute([AWAY, AWAY])
    house = House(desk=desk)
    page = order()
    house.store.owe(page)

    async def story() -> None:
        await house.turn()
        assert await house.turn() == 0  # not before its wait is over
        house.clock.advance(1)
        await house.turn()
        house.clock.advance(1.5)
        assert await house.turn() == 0
        house.clock.advance(0.5)
        await house.turn()

    in_loop(story)
    assert desk.pages == [page.page] * 3
    assert {ordered.route for ordered in desk.orders} == {"desk"}
    assert [document["attempt"] for document in desk.sent] == [1, 2, 3]
    assert house.store.outcomes(page) == [
        ("desk", "failed"),
        ("desk-inbox", "accepted"),
        ("desk", "failed"),
        ("desk", "accepted"),
    ]
    assert house.store.is_settled(page)


def test_a_route_that_hangs_does_not_delay_another_nor_the_next_turn() -> None:
    slow, desk = FakeRoute(hangs=True), FakeRoute()
    house = House(slow=slow, desk=desk)
    house.store.owe(*(order(tier=Tier.URGENT, route="slow", rung=rung) for rung in range(40)))
    first, later = order(), order(rung=1)
    house.store.owe(first)

    async def story() -> None:
        await house.relay.turn(house.clock.now())
        house.store.owe(later)
        await house.relay.turn(house.clock.now())
        while not house.store.is_settled(later):
            await asyncio.sleep(0)

    in_loop(story)
    assert desk.pages == [first.page, later.page]
    assert slow.sent  # still hanging: nothing waited for it


def test_a_page_whose_case_closed_meanwhile_is_not_sent() -> None:
    desk = FakeRoute()
    house = House(desk=desk)
    page = order()
    house.store.owe(page)
    house.store.withdraw(page, "acknowledged")
    in_loop(house.turn)
    assert desk.sent == []
    assert house.store.outcomes(page) == [("desk", "suppressed")]
    assert house.store.is_settled(page)


def test_a_retry_stops_when_the_page_is_no_longer_owed() -> None:
    desk = FakeRoute([AWAY])
    house = House(desk=desk)
    page = order()
    house.store.owe(page)

    async def story() -> None:
        await house.turn()
        house.store.withdraw(page, "acknowledged")
        house.clock.advance(1)
        await house.turn()

    in_loop(story)
    assert len(desk.sent) == 1
    assert house.store.outcomes(page)[-1] == ("desk", "suppressed")


def test_after_a_crash_the_page_is_sent_again_and_marked() -> None:
    desk = FakeRoute()
    house = House(desk=desk)
    page = order()
    house.store.owe(page)
    house.store.claim_pages(50, 10)  # by a relay that died then

    async def story() -> None:
        assert await house.turn() == 0  # the lease still runs
        house.clock.advance(10)
        assert await house.turn() == 1

    in_loop(story)
    (document,) = desk.sent
    assert (document["page"], document["attempt"], document["possibly_doubled"]) == (
        page.page,
        2,
        True,
    )


def test_an_outcome_outlives_an_outage_of_the_store_so_nothing_is_doubled() -> None:
    desk = FakeRoute()
    house = House(desk=desk)
    page = order()
    house.store.owe(page)

    async def story() -> None:
        await house.relay.turn(house.clock.now())
        house.store.is_away = True
        with pytest.raises(ConnectionError):
            await house.relay.settle()
        house.clock.advance(60)  # far beyond the lease
        with pytest.raises(ConnectionError):
            await house.relay.turn(house.clock.now())
        house.store.is_away = False
        assert await house.turn() == 0

    in_loop(story)
    assert len(desk.sent) == 1
    assert house.store.is_settled(page)


def test_run_goes_on_after_an_outage_and_counts_it() -> None:
    desk = FakeRoute()
    house = House(desk=desk)
    page = order()
    house.store.owe(page)
    house.store.is_away = True

    async def story() -> None:
        stop, wake = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(house.relay.run(stop, wake))
        while house.relay.failures == 0:
            await asyncio.sleep(0)
        assert house.relay.last_turn_at is None
        house.store.is_away = False
        while not house.store.is_settled(page):
            await asyncio.sleep(0.01)
        stop.set()
        await running

    in_loop(story)
    assert house.relay.failures >= 1
    assert house.relay.last_turn_at == START


def test_run_wakes_at_once_for_a_new_page_and_stops_when_told() -> None:
    desk = FakeRoute()
    house = House(desk=desk)
    page = order()

    async def story() -> None:
        stop, wake = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(house.relay.run(stop, wake))
        while house.relay.last_turn_at is None:
            await asyncio.sleep(0)
        house.store.owe(page)
        before = asyncio.get_running_loop().time()
        wake.set()
        while not house.store.is_settled(page):
            await asyncio.sleep(0)
        assert asyncio.get_running_loop().time() - before < 0.5  # well before the next poll
        stop.set()
        await running

    in_loop(story)


def test_run_sees_a_page_without_being_woken() -> None:
    desk = FakeRoute()
    house = House(desk=desk)
    page = order()

    async def story() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(house.relay.run(stop, asyncio.Event()))
        while house.relay.last_turn_at is None:
            await asyncio.sleep(0)
        house.store.owe(page)
        while not house.store.is_settled(page):
            await asyncio.sleep(0.01)
        stop.set()
        await running

    in_loop(story)
    assert desk.pages == [page.page]


def test_an_emergent_page_passes_a_flood_on_a_hanging_route() -> None:
    slow, desk = FakeRoute(hangs=True), FakeRoute()
    house = House(slow=slow, desk=desk, send_seconds=0.3)
    flood = [order(tier=Tier.ROUTINE, route="slow", rung=rung) for rung in range(400)]
    house.store.owe(*flood)
    page = order(rung=999)

    async def story() -> None:
        stop, wake = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(house.relay.run(stop, wake))
        while not slow.sent:
            await asyncio.sleep(0)
        house.store.owe(page)
        before = asyncio.get_running_loop().time()
        wake.set()
        while not house.store.is_settled(page):
            await asyncio.sleep(0.005)
        assert asyncio.get_running_loop().time() - before < 1
        stop.set()
        await running

    in_loop(story)
    assert desk.pages == [page.page]


def test_two_relays_on_one_store_send_each_page_once() -> None:
    desk = FakeRoute()
    house = House(desk=desk)
    other = house.new_relay()
    pages = [order(rung=rung) for rung in range(80)]
    house.store.owe(*pages)

    async def story() -> None:
        await asyncio.gather(house.relay.turn(START), other.turn(START))
        await asyncio.gather(house.relay.settle(), other.settle())

    in_loop(story)
    assert sorted(desk.pages) == sorted(page.page for page in pages)
