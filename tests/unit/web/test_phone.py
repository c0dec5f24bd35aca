"""Text messages and calls against a simulated provider over HTTP, both ways."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.phone_house import (
    CONSULTANT,
    INBOX,
    REGISTRAR,
    SMS,
    VOICE,
    Handset,
    PhoneHouse,
    phone_house,
)
from tests.web_house import CASE
from triage.proof.phone_call import Manner

ACKNOWLEDGED = "page.acknowledged.v1"


def code_in(text: str) -> str:
    found = re.search(r"Reply (\d{6})", text)
    assert found, text
    return found[1]


def test_a_message_names_case_tier_code_and_desk_and_nothing_of_the_patient(tmp_path: Path) -> None:
    async def body() -> None:
        async with phone_house(tmp_path, registrar_phone=Handset()) as there:
            await there.refer()
            await there.relay()
            (message,) = there.provider.messages
            assert message.to == REGISTRAR
            assert f"EMERGENT {CASE}: acknowledge" in message.body
            assert "+44 1632 960100" in message.body
            for personal in ("Sampleton", "9990000018", "960001", "Sample", "T6"):
                assert personal not in message.body
            assert there.receipts("text") == ["delivered delivered"]
            assert there.case().owner is None, "delivered is no acknowledgement"

    asyncio.run(body())


def test_a_reply_with_the_code_acknowledges_as_the_person_and_twice_is_once(tmp_path: Path) -> None:
    async def body() -> None:
        async with phone_house(tmp_path) as there:
            await there.refer()
            await there.relay()
            code = code_in(there.provider.messages[0].body)
            said = await there.text(f" {code}. ")
            assert f"Recorded for case {CASE}." in said
            there.house.clock.advance(seconds=30)
            assert await there.text(code) == said, "the provider tells of the same message again"
            (event,) = there.events(ACKNOWLEDGED)
            assert event["data"]["answer"] == "coming"
            assert event["data"]["by"]["person"] == "reg-a"
            assert there.case().owner == "registrar"
            await there.later(minutes=6)
            assert {each.to for each in there.provider.messages} == {REGISTRAR}

    asyncio.run(body())


def test_no_and_the_code_declines_and_the_next_rung_comes_at_once(tmp_path: Path) -> None:
    async def body() -> None:
        async with phone_house(tmp_path) as there:
            await there.refer()
            await there.relay()
            await there.text(f"NO {code_in(there.provider.messages[0].body)}")
            assert there.case().owner is None
            await there.relay()
            assert CONSULTANT in {each.to for each in there.provider.messages}

    asyncio.run(body())


@pytest.mark.parametrize(
    "words", ["sorry, not tonight {code}", "can't come {code}", "{code}0", "000000", "yes", ""]
)
def test_words_that_are_no_plain_answer_record_nothing(tmp_path: Path, words: str) -> None:
    async def body() -> None:
        async with phone_house(tmp_path) as there:
            await there.refer()
            await there.relay()
            code = code_in(there.provider.messages[0].body)
            said = await there.text(words.format(code=code))
            assert "code" in said
            assert there.events(ACKNOWLEDGED) == []

    asyncio.run(body())


def test_a_code_answers_only_from_a_known_telephone_and_as_its_holder(tmp_path: Path) -> None:
    async def body() -> None:
        async with phone_house(tmp_path) as there:
            await there.refer()
            await there.relay()
            code = code_in(there.provider.messages[0].body)
            assert await there.text(code, "+441632960777") == (
                "<?xml version='1.0' encoding='utf-8'?>\n<Response />"
            )
            assert "nobody" not in await there.text(code, CONSULTANT, sid="SM2")
            assert [e["data"]["by"]["person"] for e in there.events(ACKNOWLEDGED)] in (
                [],
                ["con-a"],
            )

    asyncio.run(body())


def test_a_call_speaks_the_page_asks_for_the_code_and_confirms_aloud(tmp_path: Path) -> None:
    async def body() -> None:
        phone = Handset("takes")
        async with phone_house(tmp_path, registrar=VOICE, registrar_phone=phone) as there:
            await there.refer()
            await there.relay()
            (call,) = there.provider.calls
            spelt = ", ".join(" ".join(group) for group in CASE.split("-"))
            assert f"EMERGENT referral, case {spelt}." in call.said[0]
            assert call.said[-2] == f"Recorded for case {spelt}."
            assert there.case().owner == "registrar"
            assert there.receipts("mobile") == ["delivered answered on the call"]
            for personal in ("Sampleton", "9990000018", "Sample"):
                assert personal not in " ".join(call.said)

    asyncio.run(body())


def test_two_on_the_keypad_declines(tmp_path: Path) -> None:
    async def body() -> None:
        phone = Handset("declines")
        async with phone_house(tmp_path, registrar=VOICE, registrar_phone=phone) as there:
            await there.refer()
            await there.relay()
            assert there.events(ACKNOWLEDGED)[0]["data"]["answer"] == "decline"
            await there.relay()
            assert CONSULTANT in {each.to for each in there.provider.messages}

    asyncio.run(body())


def test_below_emergent_one_key_is_enough(tmp_path: Path) -> None:
    async def body() -> None:
        phone = Handset("takes")
        async with phone_house(tmp_path, registrar=VOICE, registrar_phone=phone) as there:
            await refer_urgent(there)
            await there.relay()
            assert there.provider.calls[0].pressed == ["1"]
            assert there.case().owner == "registrar"

    asyncio.run(body())


async def refer_urgent(there: PhoneHouse) -> None:
    receipt = await there.refer(data={"findings": {}, "referrer": {}, "patient": {}})
    assert receipt["tier"] == "URGENT"


@pytest.mark.parametrize(
    ("manner", "word"),
    [
        ("voicemail", "failed answered by a machine"),
        ("listens", "failed call ended without an answer"),
        ("stops halfway", "failed call ended without an answer"),
        ("mistypes", "failed call ended without an answer"),
        ("absent", "failed call no-answer"),
        ("busy", "failed call busy"),
    ],
)
def test_a_call_that_nobody_answered_by_hand_is_a_failure_and_the_ladder_goes_on(
    tmp_path: Path, manner: Manner, word: str
) -> None:
    async def body() -> None:
        phone = Handset(manner)
        async with phone_house(tmp_path, registrar=VOICE, registrar_phone=phone) as there:
            await there.refer()
            await there.relay()
            assert word in there.receipts("mobile")
            assert there.events(ACKNOWLEDGED) == []
            assert there.case().owner is None
            await there.later(minutes=5)
            assert CONSULTANT in {each.to for each in there.provider.messages}

    asyncio.run(body())


def test_a_call_back_without_the_right_signature_is_refused_and_counted(tmp_path: Path) -> None:
    async def body() -> None:
        async with phone_house(tmp_path) as there:
            await there.refer()
            await there.relay()
            code = code_in(there.provider.messages[0].body)
            assert await there.text(code, sign=False) == "HTTP 403"
            there.provider.token = "another-token"
            assert await there.text(code) == "HTTP 403"
            assert there.events(ACKNOWLEDGED) == []
            counted = 'triage_provider_callbacks_total{kind="sms",outcome="refused"} 2.0'
            assert counted in there.house.instruments.exposition().decode()

    asyncio.run(body())


def test_a_status_told_twice_is_one_receipt_and_a_dead_message_is_a_failure(tmp_path: Path) -> None:
    async def body() -> None:
        phone = Handset(is_on=False)
        async with phone_house(tmp_path, registrar_phone=phone) as there:
            await there.refer()
            await there.relay()
            message = there.provider.messages[0]
            again = {"MessageSid": message.sid, "MessageStatus": "undelivered", "To": message.to}
            there.house.clock.advance(seconds=9)
            await there.provider.call_back(message.call_back, again | {"ErrorCode": "30003"})
            assert there.receipts("text") == ["failed undelivered 30003"]

    asyncio.run(body())


@pytest.mark.parametrize("how", ["refuses", "hangs", "down"])
def test_what_the_provider_does_not_take_shows_at_the_desk_and_stays_owed(
    tmp_path: Path, how: str
) -> None:
    async def body() -> None:
        phone = Handset(provider=how)  # type: ignore[arg-type]
        async with phone_house(tmp_path, registrar=SMS, registrar_phone=phone) as there:
            await there.refer()
            await there.pages.turn(there.house.clock.now())
            await there.pages.settle()
            assert "registrar" in {each["role"] for each in there.inbox()}
            with there.house.store.read() as reader:
                (page,) = [p for p in reader.pages() if p.order.role == "registrar"]
            assert page.status == "failed"
            assert page.ready_at is not None
            assert REGISTRAR not in str(reader_words(there))

    asyncio.run(body())


def reader_words(there: PhoneHouse) -> list[str | None]:
    with there.house.store.read() as reader:
        found = reader.attempts([page.order.page for page in reader.pages()])
        return [each.provider_word for each in found]


def test_a_settled_page_says_so_on_a_call(tmp_path: Path) -> None:
    async def body() -> None:
        phone = Handset("takes")
        routes = f"{SMS}, {VOICE}"
        async with phone_house(tmp_path, registrar=routes, registrar_phone=phone) as there:
            await there.refer()
            await there.pages.turn(there.house.clock.now())
            await there.pages.settle()
            await there.provider.quiet()
            assert len(there.events(ACKNOWLEDGED)) == 1
            said = await there.text(code_in(there.provider.messages[0].body))
            assert "nothing more to answer, acknowledged by a registrar" in said

    asyncio.run(body())


def test_inbox_alone_needs_no_provider(tmp_path: Path) -> None:
    async def body() -> None:
        async with phone_house(tmp_path, registrar=INBOX, consultant=INBOX) as there:
            await there.refer()
            await there.relay()
            assert there.provider.messages == []
            assert {each["role"] for each in there.inbox()} == {"registrar", "coordinator"}

    asyncio.run(body())


def test_on_doubt_the_provider_is_asked_before_a_message_is_sent_again(tmp_path: Path) -> None:
    """It took the message and never said so: found by its code, not sent a second time."""

    async def body() -> None:
        phone = Handset(provider="takes and hangs")
        async with phone_house(tmp_path, registrar_phone=phone) as there:
            await there.refer()
            await there.pages.turn(there.house.clock.now())
            await there.pages.settle()
            assert "no answer within 5 s" in reader_words(there)
            there.house.clock.advance(seconds=2)
            await there.pages.turn(there.house.clock.now())
            await there.pages.settle()
            assert len(there.provider.messages) == 1
            assert "SM000001 (taken before)" in reader_words(there)
            with there.house.store.read() as reader:
                (page,) = [p for p in reader.pages() if p.order.route == "text"]
            assert (page.status, page.possibly_doubled) == ("accepted", True)

    asyncio.run(body())


def test_on_doubt_a_message_that_the_provider_does_not_know_is_sent_again(tmp_path: Path) -> None:
    async def body() -> None:
        phone = Handset(provider="hangs")
        async with phone_house(tmp_path, registrar_phone=phone) as there:
            await there.refer()
            await there.pages.turn(there.house.clock.now())
            await there.pages.settle()
            assert there.provider.messages == []
            phone.provider = "takes"
            there.house.clock.advance(seconds=2)
            await there.relay()
            (message,) = there.provider.messages
            assert "You may have had this page before." in message.body

    asyncio.run(body())
