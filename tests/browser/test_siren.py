"""All routes down: the desk's screen goes red by itself, and sounds where somebody allowed it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from tests.browser.conftest import Served
from tests.web_house import CASE
from triage.domain.paging import Attempt

SECONDS = 1000


@pytest.fixture
def board(served: Served, browser: Browser) -> Iterator[Page]:
    with served.house.store.begin() as tx:
        tx.stamp("sweep", served.house.clock.now())
    context = browser.new_context(base_url=served.address)
    opened = context.new_page()
    opened.goto("/")
    expect(opened.locator("#live")).to_have_text("Live")
    yield opened
    context.close()


def try_pages(served: Served, outcome: str) -> None:
    now = served.house.clock.now()
    with served.house.store.begin() as tx:
        tx.finish_attempts(
            [
                Attempt(
                    page=claim.order.page,
                    route=claim.order.route,
                    attempt=claim.attempt,
                    outcome=outcome,
                    provider_word=None,
                    at=now,
                    retry_at=None if outcome == "accepted" else now,
                )
                for claim in tx.claim_pages(now, 50, 10)
            ]
        )


def test_the_board_goes_red_and_sounds_until_a_provider_takes_the_page(
    served: Served, board: Page
) -> None:
    sound = board.locator("#sound")
    expect(sound).to_have_text("Turn the sound on")
    sound.click()
    expect(sound).to_have_text("Sound on")

    served.house.refer(TestClient(served.house.client().app))
    expect(board.get_by_role("row").filter(has_text=CASE)).to_be_visible(timeout=10 * SECONDS)
    expect(board.locator("[data-siren]")).to_have_count(0)  # not tried yet: no alarm
    try_pages(served, "failed")
    banner = board.locator("[data-siren]")
    expect(banner).to_contain_text(f"EMERGENT {CASE}", timeout=10 * SECONDS)
    expect(sound).to_have_attribute("data-sound", "sounding", timeout=10 * SECONDS)
    red = board.locator(".top").evaluate("e => getComputedStyle(e).backgroundColor")
    assert red == "rgb(122, 0, 25)"
    banner.get_by_role("link", name="Call list").click()
    expect(board.get_by_role("cell", name=CASE)).to_be_visible()
    board.go_back()
    board.locator("main").click()  # allowed before: a touch is enough
    expect(sound).to_have_attribute("data-sound", "sounding", timeout=10 * SECONDS)

    try_pages(served, "accepted")
    expect(banner).to_have_count(0, timeout=10 * SECONDS)
    expect(sound).to_have_attribute("data-sound", "ready", timeout=10 * SECONDS)


def test_without_leave_to_sound_the_screen_asks_for_it(served: Served, board: Page) -> None:
    served.house.refer(TestClient(served.house.client().app))
    try_pages(served, "failed")
    expect(board.locator("[data-siren]")).to_be_visible(timeout=10 * SECONDS)
    expect(board.locator("#sound")).to_have_text("Turn the sound on")
    expect(board.locator("#sound")).to_have_attribute("data-sound", "off")
