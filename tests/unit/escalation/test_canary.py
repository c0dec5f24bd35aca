"""The canary goes the whole way, shows in no list and no figure, and says where it got stuck."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.web_house import CASE, House, build_house
from triage.domain.canary import SOURCE, canary_referral, is_canary
from triage.domain.errors import TriageError
from triage.domain.paging import PageOrder
from triage.domain.roster.roster import Roster
from triage.escalation.canary import Canary
from triage.notify.delivery import Delivery
from triage.notify.directory import Directory
from triage.notify.inbox import InboxRoute
from triage.notify.relay import Relay
from triage.notify.resolve import resolve_order
from triage.notify.webhook import webhook_client
from triage.paging_port import StorePages


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path)
    yield built
    built.store.dispose()


def canary_of(house: House, **more: object) -> Canary:
    return Canary(house.store, house.desk, house.instruments, seconds=300, **more)  # type: ignore[arg-type]


def turn(house: House, canary: Canary, seconds: float = 5) -> None:
    house.clock.advance(seconds=seconds)
    canary.turn(house.clock.now())


def relay(house: House, inbox: Path) -> None:
    """Everything that is owed goes out by the production relay."""

    async def once() -> None:
        async with webhook_client() as client:
            roster: Roster = house.desk.roster
            directory = Directory(
                roster=lambda: roster,
                inbox=InboxRoute(inbox, asyncio.to_thread),
                client=client,
                clock=house.clock,
                environment={},
                public_url="http://testserver",
            )

            def resolve(order: PageOrder) -> PageOrder:
                return resolve_order(order, roster, house.clock.now())

            delivery = Delivery(
                routes=directory,
                resolve=resolve,
                clock=house.clock,
                public_url="http://testserver",
            )
            pages = StorePages(house.store, house.desk, house.clock, house.instruments)
            sender = Relay(port=pages, delivery=delivery, run_blocking=asyncio.to_thread)
            await sender.turn(house.clock.now())
            await sender.settle()
            directory.close()

    asyncio.run(once())


def figure(house: House, line: str) -> bool:
    return line in house.instruments.exposition().decode().splitlines()


def test_it_comes_back_and_nobody_hears_of_it(house: House, tmp_path: Path) -> None:
    canary = canary_of(house)
    for _ in range(3):
        turn(house, canary, seconds=300)
        relay(house, tmp_path / "inbox.jsonl")
        turn(house, canary)
    assert figure(house, "triage_canary_age_seconds 0.0")
    assert figure(house, 'triage_canary_broken{stage="relay"} 0.0')
    with house.store.read() as reader:
        assert reader.progress()["canary"] == house.clock.now()
        assert reader.cases() == reader.cases("open") == []
        assert reader.pages() == []
        assert reader.open_by_tier_leg() == reader.past_deadline(house.clock.now()) == []
        assert reader.unacknowledged_oldest() == reader.durations() == []
        assert reader.unheard() == []
    assert not (tmp_path / "inbox.jsonl").exists()
    with house.store.begin() as tx:
        assert tx.claim_pages(house.clock.now() + timedelta(days=3), 50, 10) == []
        assert tx.claim_due(house.clock.now() + timedelta(days=3), 50) == {}
    assert figure(house, 'triage_events_total{door="http",outcome="accepted"} 0.0')
    assert figure(house, 'triage_pages_total{channel="inbox",outcome="accepted"} 0.0')


def notices(house: House) -> list[str]:
    with house.store.read() as reader:
        return [p.order.reason_class for p in reader.pages() if p.order.obligation == "canary"]


def test_a_relay_that_stands_still_is_named_and_told_within_two_cycles(
    house: House, tmp_path: Path
) -> None:
    canary = canary_of(house)
    turn(house, canary)
    for _ in range(11):
        turn(house, canary)
    assert notices(house) == []
    turn(house, canary)
    (why,) = notices(house)
    assert "stage relay" in why
    assert figure(house, 'triage_canary_broken{stage="relay"} 1.0')
    turn(house, canary)
    assert figure(house, "triage_canary_age_seconds 65.0")
    relay(house, tmp_path / "inbox.jsonl")
    turn(house, canary)
    assert figure(house, 'triage_canary_broken{stage="relay"} 0.0')


def test_a_door_that_takes_nothing_is_named(house: House) -> None:
    def refuses(key: str, value: bytes) -> None:
        raise TriageError("Kafka did not take a record")

    canary = canary_of(house, send=refuses)
    for _ in range(14):
        turn(house, canary)
    assert ["stage door" in why for why in notices(house)] == [True]
    assert figure(house, 'triage_canary_broken{stage="door"} 1.0')


@pytest.mark.parametrize(
    ("table", "stage"), [("page", "order"), ("cases", "decide"), ("page_attempt", None)]
)
def test_a_stage_that_loses_it_is_named(house: House, table: str, stage: str | None) -> None:
    canary = canary_of(house)
    turn(house, canary)
    with house.store.begin() as tx:
        tx._connection.exec_driver_sql(f"DELETE FROM {table}")
    for _ in range(13):
        turn(house, canary)
    assert [f"stage {stage or 'relay'}" in why for why in notices(house)] == [True]


def test_only_our_own_is_a_canary(house: House) -> None:
    assert is_canary(canary_referral("x"))
    assert not is_canary(f"{SOURCE}/2026-004711")
    client = TestClient(house.client().app)
    house.refer(client)
    house.refer(client, whom=SOURCE, id="e-2", subject="2026-004711")
    with house.store.read() as reader:
        assert len(reader.cases("open")) == 2
        pages = {p.order.case for p in reader.pages() if p.order.person is not None}
    assert CASE in pages
    assert len(pages) == 2  # a patient's referral from a source of that name is paged like any
