"""A push message in a real browser: it is shown, also when it cannot be read, and leads on."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest
from playwright.sync_api import Browser, Page, Worker, expect

from tests.phone_house import PUSH_KEY, PhoneHouse, phone_house, secret_of
from tests.web_house import CASE, NOW
from triage.notify.push_message import point_of, read_key, to_base64
from triage.proof import push_service
from triage.web.sessions import COOKIE

BROWSER = '{ name = "browser", kind = "webpush" }'
# Chromium forgets a notification that is asked for while it is being shown: so the worker tells
# first that it is there.
WATCH = """() => {
  const { registration } = self;
  const show = registration.showNotification.bind(registration);
  self.displayed = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("nothing was shown")), 10_000);
    registration.showNotification = (...given) => {
      const done = show(...given);
      done.then(resolve, reject);
      return done;
    };
  });
}"""
# What is on the screen, once that are as many as expected, or after ten seconds.
SHOWN = """async (expected) => {
  const worker = await navigator.serviceWorker.ready;
  const until = Date.now() + 10_000;
  let shown = await worker.getNotifications();
  while (shown.length !== expected && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    shown = await worker.getNotifications();
  }
  return shown.map((each) => ({ title: each.title, body: each.body, url: each.data.url }));
}"""
ACTIVE = """async () => {
  const { active } = await navigator.serviceWorker.ready;
  while (active.state !== "activated") {
    await new Promise((resolve) => active.addEventListener("statechange", resolve, { once: true }));
  }
}"""
# No driver can press a notification, and a browser opens a window for a press only. So the press is
# told to the worker here, and the address that it asks for is noted.
PRESS = """async () => {
  const [notification] = await self.registration.getNotifications();
  const opened = [];
  self.clients.openWindow = async (url) => opened.push(url);
  const press = new NotificationEvent("notificationclick", { notification });
  const done = [];
  press.waitUntil = (promise) => done.push(promise);
  self.dispatchEvent(press);
  await Promise.all(done);
  return opened;
}"""
Given = TypeVar("Given")


@dataclass
class Reached:
    """A service that runs beside the test, and what it pushed to the registrar's browser."""

    there: PhoneHouse
    pushed: list[dict[str, Any]]
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    def page(self) -> dict[str, Any]:
        """The message that the page of a new EMERGENT referral made."""
        self.run(self.there.refer())
        self.run(self.there.relay())
        (message,) = self.pushed
        return message


@pytest.fixture
def reached(tmp_path: Path) -> Iterator[Reached]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(work: Coroutine[Any, Any, Given]) -> Given:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    one = push_service.Browser()
    service = push_service.PushService(browsers={"one": one}, now=NOW.timestamp())
    listening, house = service.listening(), phone_house(tmp_path, registrar=BROWSER)
    run(listening.__aenter__())
    there = run(house.__aenter__())
    _sign_up(there, f"{service.url}/one", one)
    yield Reached(there, one.shown, run)
    run(house.__aexit__(None, None, None))
    run(listening.__aexit__(None, None, None))
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()
    assert service.strange == []


def _sign_up(there: PhoneHouse, endpoint: str, browser: push_service.Browser) -> None:
    client = there.house.client(
        public_url=there.url, secret_of=secret_of, push_key=to_base64(point_of(read_key(PUSH_KEY)))
    )
    client.post("/login", data={"token": there.house.token("reg-a")})
    assert COOKIE in client.cookies
    token = client.get("/me").text.partition('name="form_token" value="')[2].partition('"')[0]
    fields = {"form_token": token, "endpoint": endpoint, **browser.keys}
    assert client.post("/me/push", data=fields).status_code == 204


@dataclass
class Telephone:
    """A real browser where the worker is installed."""

    page: Page
    worker: Worker
    url: str

    def push(self, data: str) -> None:
        """What the push service delivers, opened; until it is shown."""
        self.worker.evaluate(WATCH)
        session = self.page.context.new_cdp_session(self.page)
        known: list[dict[str, Any]] = []
        session.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda told: known.extend(told["registrations"]),
        )
        session.send("ServiceWorker.enable")
        while not known:
            self.page.wait_for_timeout(20)
        to = {"origin": self.url, "registrationId": known[-1]["registrationId"], "data": data}
        session.send("ServiceWorker.deliverPushMessage", to)
        self.worker.evaluate("self.displayed")

    def shown(self, expected: int = 1) -> list[dict[str, Any]]:
        """The notifications on its screen."""
        found: list[dict[str, Any]] = self.page.evaluate(SHOWN, expected)
        return found


@pytest.fixture
def telephone(reached: Reached, browser: Browser) -> Iterator[Telephone]:
    url = reached.there.url
    context = browser.new_context(base_url=url)
    context.grant_permissions(["notifications"])
    page = context.new_page()
    page.goto("/login")
    with context.expect_event("serviceworker") as installed:
        page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => null)")
    page.evaluate(ACTIVE)
    yield Telephone(page, installed.value, url)
    context.close()


def test_a_page_is_shown_with_its_case_and_nothing_personal_and_leads_to_its_answer(
    reached: Reached, telephone: Telephone
) -> None:
    telephone.push(orjson.dumps(reached.page()).decode())

    (shown,) = telephone.shown()
    assert shown["title"] == f"EMERGENT {CASE}: acknowledge"
    assert "Asked of you as registrar" in shown["body"]
    for personal in ("Sampleton", "9990000018", "Sampletext"):
        assert personal not in str(shown)

    assert telephone.worker.evaluate(PRESS) == [shown["url"]]
    assert telephone.shown(0) == []
    telephone.page.goto(shown["url"])
    expect(telephone.page.get_by_role("article")).to_contain_text(f"EMERGENT {CASE}")
    expect(telephone.page.get_by_role("form", name="Answer the page")).to_be_visible()


@pytest.mark.parametrize("data", ["", "no JSON", "null", "[]", '"text"', '{"is_recalled": true}'])
def test_a_message_that_cannot_be_read_is_shown_all_the_same(
    data: str, telephone: Telephone
) -> None:
    telephone.push(data)
    (shown,) = telephone.shown()
    assert shown["title"] == "A page is waiting"
    assert telephone.worker.evaluate(PRESS) == ["/inbox"]
