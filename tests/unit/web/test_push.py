"""Push messages to browsers, against a push service that opens them and checks who sent them."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.phone_house import PUSH_KEY, PhoneHouse, phone_house, secret_of
from tests.web_house import CASE, NOW
from triage.notify.push_message import encrypt, from_base64, point_of, read_key, to_base64
from triage.proof.push_service import Browser, PushService
from triage.web.sessions import COOKIE

BROWSER = '{ name = "browser", kind = "webpush" }'
Test = Callable[[PhoneHouse, PushService], Awaitable[None]]


def play(folder: Path, test: Test, registrar: str = BROWSER) -> None:
    async def body() -> None:
        service = PushService(browsers={"one": Browser(), "two": Browser()}, now=NOW.timestamp())
        async with service.listening(), phone_house(folder, registrar=registrar) as there:
            there.client = there.house.client(
                public_url=there.url,
                secret_of=secret_of,
                push_key=to_base64(point_of(read_key(PUSH_KEY))),
            )
            await test(there, service)
            assert service.strange == []

    asyncio.run(body())


def sign_in(there: PhoneHouse, person: str = "reg-a") -> str:
    """Signed in as a person; the token that goes with their forms."""
    there.client.post("/login", data={"token": there.house.token(person)})
    assert COOKIE in there.client.cookies
    found = re.search(r'name="form_token" value="(\w+)"', there.client.get("/me").text)
    assert found
    return found[1]


def sign_up(there: PhoneHouse, service: PushService, *names: str) -> None:
    token = sign_in(there)
    for name in names:
        fields = {"form_token": token, "endpoint": f"{service.url}/{name}"}
        answer = there.client.post("/me/push", data=fields | service.browsers[name].keys)
        assert answer.status_code == 204, answer.text


def page_of(there: PhoneHouse) -> Any:
    with there.house.store.read() as reader:
        (page,) = [each for each in reader.pages() if each.order.route == "browser"]
        words = [each.provider_word for each in reader.attempts([page.order.page])]
    return page, words


def test_the_example_of_the_rfc_comes_out_as_printed_there() -> None:
    """RFC 8291, section 5 and appendix A."""
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        p256dh="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        auth="BTBZMqHH6r4Tts7J_aSIgg",
        ours=read_key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        salt=from_base64("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert to_base64(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
        "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_every_browser_of_the_person_shows_the_page_with_a_link_that_answers(
    tmp_path: Path,
) -> None:
    async def test(there: PhoneHouse, service: PushService) -> None:
        sign_up(there, service, "one", "two")
        await there.refer()
        await there.relay()
        for browser in service.browsers.values():
            (shown,) = browser.shown
            assert shown["title"] == f"EMERGENT {CASE}: acknowledge"
            for personal in ("Sampleton", "9990000018", "Sampletext"):
                assert personal not in str(shown)
            assert there.client.get(shown["url"].removeprefix(there.url)).status_code == 200
            assert "/a/" in shown["url"]
        page, words = page_of(there)
        assert (page.status, words) == ("accepted", ["2 of 2 browsers"])

    play(tmp_path, test)


def test_a_browser_that_is_gone_is_struck_off_and_the_last_one_is_a_failure(
    tmp_path: Path,
) -> None:
    async def test(there: PhoneHouse, service: PushService) -> None:
        sign_up(there, service, "one", "two")
        service.browsers["one"].status = 410
        await there.refer()
        await there.relay()
        assert page_of(there)[1] == ["1 of 2 browsers"]
        service.browsers["two"].status = 410
        await there.refer(id="e-2", subject="another")
        await there.pages.turn(there.house.clock.now())
        await there.pages.settle()
        with there.house.store.read() as reader:
            assert reader.subscriptions("reg-a") == []
            pages = {p.order.case: p for p in reader.pages() if p.order.route == "browser"}
        failed = next(page for case, page in pages.items() if case != CASE)
        assert (failed.status, failed.ready_at is not None) == ("failed", True)
        assert failed.order.page in {each["page"] for each in there.inbox()}, "loud at the desk"
        assert "no browser of yours takes them" in there.client.get("/me").text

    play(tmp_path, test)


def test_the_notification_is_replaced_in_silence_when_somebody_has_answered(
    tmp_path: Path,
) -> None:
    async def test(there: PhoneHouse, service: PushService) -> None:
        sign_up(there, service, "one")
        await there.refer()
        await there.relay()
        with there.house.store.read() as reader:
            name = next(p.order.page for p in reader.pages() if p.order.route == "browser")
        headers, answer = there.house.as_("reg-a"), {"answer": "coming"}
        there.client.post(f"/api/pages/{name}/acknowledge", json=answer, headers=headers)
        assert await there.recalls.turn() == 1
        first, second = service.browsers["one"].shown
        assert first["tag"] == second["tag"]
        assert (first["is_recalled"], second["is_recalled"]) == (False, True)

    play(tmp_path, test)


def test_signing_up_asks_for_a_person_and_a_form_of_theirs(tmp_path: Path) -> None:
    async def test(there: PhoneHouse, service: PushService) -> None:
        fields = {"endpoint": f"{service.url}/one", **service.browsers["one"].keys}
        assert there.client.post("/me/push", data=fields).headers["location"].startswith("/login")
        token = sign_in(there)
        assert there.client.post("/me/push", data=fields).status_code == 403
        bad = {**fields, "endpoint": "http://10.0.0.1/inside", "form_token": token}
        assert there.client.post("/me/push", data=bad).status_code == 400
        good = {**fields, "form_token": token}
        assert there.client.post("/me/push", data=good).status_code == 204
        assert there.client.post("/me/push/end", data=good).status_code == 204
        with there.house.store.read() as reader:
            assert reader.subscriptions("reg-a") == []

    play(tmp_path, test)


def test_the_worker_comes_from_the_root(tmp_path: Path) -> None:
    async def test(there: PhoneHouse, service: PushService) -> None:
        answer = there.client.get("/sw.js")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")

    play(tmp_path, test)
