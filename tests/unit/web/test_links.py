"""Links that answer a page: for one person, once, with a PIN where a ladder is stopped."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.phone_house import Handset, PhoneHouse, phone_house
from tests.web_house import CASE, NOW
from triage.domain.events import EventType
from triage.proof.phone_call import Manner
from triage.store.reaching import Pin, link_hash
from triage.web.pins import pin_hash, pin_problem

ACKNOWLEDGED = "page.acknowledged.v1"
PIN = "485913"
Test = Callable[[PhoneHouse], Awaitable[None]]


def play(folder: Path, test: Test, **how: Any) -> None:
    async def body() -> None:
        async with phone_house(folder, **how) as there:
            await test(there)

    asyncio.run(body())


async def sent_link(there: PhoneHouse, **changes: Any) -> str:
    await there.refer(**changes)
    await there.relay()
    found = re.search(r"/a/([\w-]{43})", there.provider.messages[-1].body)
    assert found
    return found[1]


def look(there: PhoneHouse, link: str) -> Any:
    return there.client.get(f"/a/{link}")


def press(there: PhoneHouse, link: str, answer: str = "coming", **fields: str) -> Any:
    """Open the link and press a button, as its person would."""
    page = look(there, link)
    token = re.search(r'name="form_token" value="(\w+)"', page.text)
    form = {"answer": answer, "form_token": token[1] if token else "", **fields}
    return there.client.post(f"/a/{link}", data=form)


def set_pin(there: PhoneHouse, person: str = "reg-a") -> None:
    with there.house.store.begin() as tx:
        tx.keep_pin(Pin(person=person, hash=pin_hash(PIN), set_at=NOW))


URGENT: dict[str, Any] = {"data": {"findings": {}, "referrer": {}, "patient": {}}}


def test_looking_changes_nothing_however_often(tmp_path: Path) -> None:
    async def test(there: PhoneHouse) -> None:
        link = await sent_link(there)
        before = there.case()
        for _ in range(3):
            page = look(there, link)
            assert page.status_code == 200
            assert CASE in page.text
            for personal in ("Sampleton", "9990000018", "Sampletext"):
                assert personal not in page.text
        assert there.case() == before
        assert there.events(ACKNOWLEDGED) == []

    play(tmp_path, test)


def test_a_link_with_the_pin_takes_the_case_once_as_its_person(tmp_path: Path) -> None:
    async def test(there: PhoneHouse) -> None:
        link = await sent_link(there)
        set_pin(there)
        done = press(there, link, pin=PIN, minutes="20")
        assert done.status_code == 200
        assert "Recorded" in done.text
        (event,) = there.events(ACKNOWLEDGED)
        assert event["data"]["by"]["person"] == "reg-a"
        assert event["data"]["minutes"] == 20
        assert there.case().owner == "registrar"
        assert look(there, link).status_code == 410
        assert press(there, link, pin=PIN).status_code == 410
        assert len(there.events(ACKNOWLEDGED)) == 1

    play(tmp_path, test)


def test_whoever_is_asked_to_take_over_accepts_by_the_link(tmp_path: Path) -> None:
    """The case has an owner all the while: that answers no page which asks for the next one."""

    async def test(there: PhoneHouse) -> None:
        await sent_link(there)
        to = {"person": "reg-a", "name": "Sample Registrar", "role": "registrar"}
        asked = there.client.post(
            f"/api/pages/{there.house.ladder_page()}/acknowledge",
            json={"answer": "hand_over", "to": to},
            headers=there.house.as_("con-a"),
        )
        assert asked.json()["effect"], asked.text
        assert there.case().owner == "consultant"
        there.house.clock.advance(seconds=1)
        await there.relay()
        found = re.search(r"/a/([\w-]{43})", there.provider.messages[-1].body)
        assert found
        set_pin(there)
        assert "nothing more to answer" not in look(there, found[1]).text
        assert "Recorded" in press(there, found[1], pin=PIN).text
        assert there.case().owner == "registrar"

    play(tmp_path, test)


def test_only_the_hash_of_a_link_is_kept(tmp_path: Path) -> None:
    async def test(there: PhoneHouse) -> None:
        link = await sent_link(there)
        kept = b"".join(each.read_bytes() for each in tmp_path.glob("triage.db*"))
        assert link.encode() not in kept
        assert link_hash(link).encode() in kept

    play(tmp_path, test)


def test_without_a_pin_an_emergent_case_is_not_taken_and_can_be_declined(tmp_path: Path) -> None:
    async def test(there: PhoneHouse) -> None:
        link = await sent_link(there)
        assert "you have none" in look(there, link).text
        assert press(there, link).status_code == 403
        assert there.events(ACKNOWLEDGED) == []
        assert press(there, link, "decline").status_code == 200
        assert there.events(ACKNOWLEDGED)[0]["data"]["answer"] == "decline"

    play(tmp_path, test)


def test_below_emergent_a_link_needs_no_pin(tmp_path: Path) -> None:
    async def test(there: PhoneHouse) -> None:
        link = await sent_link(there, **URGENT)
        assert press(there, link).status_code == 200
        assert there.case().owner == "registrar"

    play(tmp_path, test)


def test_a_form_of_another_visit_is_refused(tmp_path: Path) -> None:
    async def test(there: PhoneHouse) -> None:
        link = await sent_link(there, **URGENT)
        assert there.client.post(f"/a/{link}", data={"answer": "coming"}).status_code == 403
        stolen = re.search(r'name="form_token" value="(\w+)"', look(there, link).text)
        assert stolen
        there.client.cookies.clear()
        form = {"answer": "coming", "form_token": stolen[1]}
        assert there.client.post(f"/a/{link}", data=form).status_code == 403
        assert there.events(ACKNOWLEDGED) == []

    play(tmp_path, test)


def test_a_link_dies_with_the_shift_and_with_the_case(tmp_path: Path) -> None:
    async def test(there: PhoneHouse) -> None:
        link = await sent_link(there, **URGENT)
        there.house.clock.advance(hours=11, minutes=59)
        assert look(there, link).status_code == 200
        there.house.clock.at = NOW + timedelta(hours=12, seconds=1)
        assert look(there, link).status_code == 410
        there.house.clock.at = NOW + timedelta(hours=1)
        closing = {
            "type": EventType.CASE_CLOSED.value,
            "data": {"reason": "not_mscc", "plan": "sample plan"},
        }
        headers = there.house.as_("con-a")
        answer = there.client.post(f"/api/cases/{CASE}/events", json=closing, headers=headers)
        assert answer.json()["effect"], answer.text
        assert look(there, link).status_code == 410

    play(tmp_path, test)


@pytest.mark.parametrize("link", ["x" * 43, "short", "a" * 42 + "!"])
def test_a_guessed_link_leads_nowhere(tmp_path: Path, link: str) -> None:
    async def test(there: PhoneHouse) -> None:
        await sent_link(there)
        assert look(there, link).status_code == 404

    play(tmp_path, test)


def test_five_wrong_pins_lock_for_a_quarter_of_an_hour_and_alarm(tmp_path: Path) -> None:
    async def test(there: PhoneHouse) -> None:
        link = await sent_link(there)
        set_pin(there)
        for _ in range(5):
            assert press(there, link, pin="000000").status_code == 403
        locked = press(there, link, pin=PIN)
        assert locked.status_code == 403
        assert "locked" in locked.text
        assert 'triage_pin_checks_total{outcome="locked"} 2.0' in (
            there.house.instruments.exposition().decode()
        )
        assert there.events(ACKNOWLEDGED) == []
        there.house.clock.advance(minutes=15)
        assert press(there, link, pin=PIN).status_code == 200
        assert there.case().owner == "registrar"

    play(tmp_path, test)


@pytest.mark.parametrize(("manner", "owner"), [("takes", "registrar"), ("mistypes", None)])
def test_a_call_asks_for_the_pin_of_a_person_who_has_one(
    tmp_path: Path, manner: Manner, owner: str | None
) -> None:
    voice = '{ name = "mobile", kind = "voice", to = "env:REG" }'

    async def test(there: PhoneHouse) -> None:
        set_pin(there)
        await there.refer()
        await there.relay()
        said = " ".join(there.provider.calls[0].said)
        assert "enter your PIN" in said
        assert "four digits" not in said
        assert there.case().owner == owner

    play(tmp_path, test, registrar=voice, registrar_phone=Handset(manner, pin=PIN))


@pytest.mark.parametrize("text", ["123", "12a4", "1111", "123456", "987654", "0" * 13, ""])
def test_a_pin_that_is_guessed_first_is_refused(text: str) -> None:
    assert pin_problem(text)


def test_a_sound_pin_is_taken() -> None:
    assert pin_problem(PIN) is None
