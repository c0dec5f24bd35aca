"""The pages in a real browser: they update by themselves, and everybody can use them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from tests.browser.conftest import Served
from tests.web_house import CASE, findings

SECONDS = 1000
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


def refer(served: Served, number: int = 1, **changed: object) -> None:
    subject = "2026-004711" if number == 1 else f"s-{number}"
    served.house.refer(
        TestClient(served.house.client().app),
        id=f"e-{number}",
        subject=subject,
        data={"findings": findings(**changed), "referrer": {"callback": "+44 1632 960001"}},
    )


@pytest.fixture
def page(served: Served, browser: Browser) -> Iterator[Page]:
    with served.house.store.begin() as tx:
        tx.stamp("sweep", served.house.clock.now())
    context = browser.new_context(base_url=served.address, viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on(
        "console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


def test_a_referral_appears_by_itself_and_is_announced(served: Served, page: Page) -> None:
    page.goto("/")
    expect(page.get_by_text("No open case.")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Live")
    refer(served)

    row = page.get_by_role("row").filter(has_text=CASE)
    expect(row).to_be_visible(timeout=10 * SECONDS)
    expect(row).to_contain_text("EMERGENT")
    expect(row).to_contain_text("Nobody yet")
    expect(page.locator("#announce")).to_have_text(f"New EMERGENT without an owner: {CASE}")
    expect(page).to_have_title("(1) Board · Spinal cord compression")


def test_a_click_takes_the_case_and_every_screen_sees_it(served: Served, page: Page) -> None:
    refer(served)
    board = page.context.new_page()
    board.goto("/")
    page.goto("/inbox")
    expect(page.get_by_text("DEMONSTRATION", exact=True)).to_be_visible()
    page.get_by_label("Promised in").fill("10")
    page.get_by_role("button", name="I am coming").click()

    expect(page.get_by_text("Recorded.")).to_be_visible()
    expect(page.get_by_text("Nothing waits for an answer.")).to_be_visible()
    expect(board.get_by_text("Demonstration Visitor", exact=True)).to_be_visible(
        timeout=10 * SECONDS
    )


def test_what_somebody_types_stays_while_the_page_changes(served: Served, page: Page) -> None:
    refer(served)
    page.goto("/inbox")
    page.locator("summary", has_text="Hand over").click()
    chosen = page.get_by_label("Hand over to")
    chosen.select_option("con-a")
    minutes = page.get_by_label("Promised in")
    minutes.fill("25")
    refer(served, 2)

    expect(page.locator(".page")).to_have_count(2, timeout=10 * SECONDS)
    mine = page.locator(".page").filter(has_text=CASE)
    expect(mine.get_by_label("Promised in")).to_have_value("25")
    expect(mine.get_by_label("Promised in")).to_be_focused()
    expect(mine.get_by_label("Hand over to")).to_have_value("con-a")
    expect(mine.get_by_label("Hand over to")).to_be_visible()


def test_a_screen_that_is_not_live_says_so_and_whom_to_call(
    served: Served, browser: Browser
) -> None:
    refer(served)
    context = browser.new_context(base_url=served.address)
    page = context.new_page()
    page.clock.install()
    page.goto("/")
    expect(page.locator("#live")).to_have_text("Live")
    page.route("**/*", lambda route: route.fulfill(status=503, body=""))
    page.clock.run_for(15 * SECONDS)
    expect(page.locator("#live")).to_contain_text("NOT LIVE since")
    expect(page.locator("#live")).to_contain_text("+44 1632 960100")
    page.unroute_all()
    page.clock.run_for(3 * SECONDS)
    expect(page.locator("#live")).to_have_text("Live")
    context.close()


def test_a_referral_by_hand_with_the_keyboard_alone(served: Served, page: Page) -> None:
    page.goto("/refer")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.get_by_label("AIS grade").focus()
    page.keyboard.press("A")
    page.get_by_label("Note").or_(page.get_by_label("Anything else")).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Referral received. It is EMERGENT.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_without_scripts_a_page_is_still_answered(served: Served, browser: Browser) -> None:
    refer(served)
    context = browser.new_context(base_url=served.address, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/p/{served.house.ladder_page()}")
    page.get_by_role("button", name="I am coming").click()
    expect(page.get_by_text("acknowledged by a consultant")).to_be_visible()
    context.close()


def paths(served: Served) -> list[str]:
    return ["/", "/inbox", f"/cases/{CASE}", f"/p/{served.house.ladder_page()}", "/refer", "/login"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(served: Served, browser: Browser, scheme: str) -> None:
    for number, changed in enumerate(({}, {"trend": "stable"}, {"ais": "E", "walking": "unaided"})):
        refer(served, number + 1, **changed)
    served.house.clock.advance(minutes=20)
    served.house.sweep()
    context = browser.new_context(base_url=served.address, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    for path in paths(served):
        page.goto(path)
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate(CONTRAST) == [], path
    context.close()


@pytest.mark.parametrize("width", [320, 360, 768])
def test_nothing_runs_out_of_a_narrow_screen(served: Served, browser: Browser, width: int) -> None:
    refer(served)
    served.house.sweep()
    context = browser.new_context(base_url=served.address, viewport={"width": width, "height": 740})
    page = context.new_page()
    for path in paths(served):
        page.goto(path)
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()


def test_every_field_and_button_has_a_name_and_tables_have_headings(
    served: Served, page: Page
) -> None:
    refer(served)
    served.house.sweep()
    for path in paths(served):
        page.goto(path)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll(
                 "button, select, textarea, input:not([type=hidden])")]
               .filter((e) => !(e.labels?.length || e.ariaLabel))
               .filter((e) => e.tagName !== "BUTTON" || !e.textContent.trim())
               .map((e) => e.outerHTML)"""
        )
        assert nameless == [], path
        assert page.locator("html[lang=en]").count() == 1
        assert page.locator("h1").count() == 1
        assert page.locator("main").count() == 1
        for table in page.locator("table").all():
            assert table.locator("th[scope=col]").count() > 1
        doubled = page.evaluate(
            """() => { const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
               return ids.filter((id, i) => ids.indexOf(id) !== i); }"""
        )
        assert doubled == [], path
