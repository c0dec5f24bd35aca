"""Many pages at once, routes that hang, and what still rings when somebody has answered."""

import asyncio
import re
from pathlib import Path
from typing import Any

from tests.phone_house import (
    SMS,
    VOICE,
    Handset,
    PhoneHouse,
    phone_house,
)
from tests.web_house import CENTRE, HOSPITAL
from tests.webhook_receiver import Receiver
from triage.domain.case_id import case_id

MANY = 50


async def refer_many(
    there: PhoneHouse, number: int, findings: dict[str, Any] | None = None
) -> set[str]:
    """That many referrals, EMERGENT unless `findings` say other; their case ids."""
    data = {"findings": findings, "referrer": {}, "patient": {}, "destination": CENTRE}
    changes: dict[str, Any] = {} if findings is None else {"data": data}
    for each in range(number):
        await there.refer(id=f"e-{each}", subject=f"s-{each}", **changes)
    return {case_id(f"{HOSPITAL}/s-{each}") for each in range(number)}


def named(text: str) -> set[str]:
    """The cases that a message names."""
    return set(re.findall(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", text))


def test_fifty_emergent_at_once_to_one_surgeon_are_fifty_messages_and_fifty_receipts(
    tmp_path: Path,
) -> None:
    async def body() -> None:
        async with phone_house(tmp_path, registrar_phone=Handset()) as there:
            cases = await refer_many(there, MANY)
            await there.relay()
            messages = there.provider.messages
            assert [len(named(each.body)) for each in messages] == [1] * MANY
            assert set().union(*(named(each.body) for each in messages)) == cases
            for case in cases:
                assert there.receipts("text", case) == ["delivered delivered"]  # type: ignore[arg-type]

    asyncio.run(body())


def test_a_provider_that_hangs_delays_no_other_page(tmp_path: Path) -> None:
    """Each registrar's page goes by text, where the provider hangs for ever, and by webhook."""

    async def body() -> None:
        receiver = Receiver()
        async with receiver.listening():
            url = f"http://{receiver.address}/pages"
            desk = f'{{ name = "desk", kind = "webhook", url = "{url}", secret = "env:TOKEN" }}'
            phone = Handset(provider="hangs")
            routes = f"{SMS}, {desk}"
            async with phone_house(tmp_path, registrar=routes, registrar_phone=phone) as there:
                await refer_many(there, MANY)
                stop, loop = asyncio.Event(), asyncio.get_running_loop()
                began = loop.time()
                relay = asyncio.create_task(there.pages.run(stop, asyncio.Event()))
                while len(receiver.received) < MANY and loop.time() - began < 30:
                    await asyncio.sleep(0.02)
                took = loop.time() - began
                stop.set()
                await relay
                assert len(receiver.received) == MANY
                assert took < 5.0, "less than the time one request to the hanging provider is given"

    asyncio.run(body())


def test_a_call_that_still_rings_is_ended_when_the_message_was_answered(tmp_path: Path) -> None:
    async def body() -> None:
        phone = Handset("rings")
        routes = f"{VOICE}, {SMS}"
        async with phone_house(tmp_path, registrar=routes, registrar_phone=phone) as there:
            await there.refer()
            await there.pages.turn(there.house.clock.now())
            await there.pages.settle()
            (call,) = there.provider.calls
            assert await there.recalls.turn() == 0, "nobody has answered yet"
            code = re.search(r"Reply (\d{6})", there.provider.messages[0].body)
            assert code
            await there.text(code[1])
            assert await there.recalls.turn() == 1
            await there.provider.quiet()
            assert call.status == "canceled"
            assert there.receipts("mobile") == ["failed call canceled"]
            assert await there.recalls.turn() == 0, "once is enough"
            assert there.case().owner == "registrar"

    asyncio.run(body())


def test_a_rung_that_rings_elsewhere_is_ended_too(tmp_path: Path) -> None:
    """The consultant's telephone rings when the registrar takes the case."""

    async def body() -> None:
        consultant = '{ name = "mobile", kind = "voice", to = "+44 1632 960202" }'
        async with phone_house(
            tmp_path, consultant=consultant, consultant_phone=Handset("rings")
        ) as there:
            await there.refer()
            await there.relay()
            there.house.clock.advance(minutes=6)
            await asyncio.to_thread(there.house.sweep)
            await there.pages.turn(there.house.clock.now())
            await there.pages.settle()
            assert [each.status for each in there.provider.calls] == ["ringing"]
            code = re.search(r"Reply (\d{6})", there.provider.messages[0].body)
            assert code
            await there.text(code[1])
            await there.recalls.turn()
            await there.provider.quiet()
            assert [each.status for each in there.provider.calls] == ["canceled"]

    asyncio.run(body())


def test_lesser_pages_that_meet_are_one_message_each_with_its_case_and_code(tmp_path: Path) -> None:
    async def body() -> None:
        async with phone_house(tmp_path, registrar_phone=Handset()) as there:
            cases = await refer_many(there, 14, {})
            emergent = (await there.refer(id="e-worse", subject="worse"))["case"]
            await there.relay()
            alone, *lists = there.provider.messages
            assert named(alone.body) == {emergent}, "EMERGENT goes first and alone"
            assert [len(named(each.body)) for each in lists] == [12, 2]
            assert set().union(*(named(each.body) for each in lists)) == cases
            assert all(len(each.body) < 1600 for each in lists)
            assert "Desk +44 1632 960100" in lists[0].body
            for case in cases:
                assert there.receipts("text", case) == ["delivered delivered"]  # type: ignore[arg-type]
            line = re.search(r"URGENT (\S+): .*: (\d{6})", lists[0].body)
            assert line
            assert f"Recorded for case {line[1]}." in await there.text(line[2])
            owned = {case for case in cases if there.case(case).owner}  # type: ignore[arg-type]
            assert owned == {line[1]}, "a code answers its own page and no other"

    asyncio.run(body())


def test_a_list_that_the_provider_does_not_take_stays_owed_page_by_page(tmp_path: Path) -> None:
    async def body() -> None:
        phone = Handset(provider="refuses")
        async with phone_house(tmp_path, registrar_phone=phone) as there:
            await refer_many(there, 3, {})
            await there.pages.turn(there.house.clock.now())
            await there.pages.settle()
            with there.house.store.read() as reader:
                texts = [each for each in reader.pages() if each.order.route == "text"]
            assert [(each.status, each.ready_at is not None) for each in texts] == [
                ("failed", True)
            ] * 3

    asyncio.run(body())
