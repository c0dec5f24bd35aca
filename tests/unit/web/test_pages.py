"""What people see: board, case, inbox, one page, the form; who gets in; what a form may do."""

import re
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web_house import CASE, HOSPITAL, OTHER_HOSPITAL, House, findings
from triage.domain.instants import format_instant

PERSONAL = ("Sampleton", "9990000018", "Sampletext")


def signed_in(house: House, whom: str) -> TestClient:
    client = house.client()
    answer = client.post("/login", data={"token": house.token(whom), "next": "/inbox"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")
    return client


def text_of(client: TestClient, path: str, status: int = 200) -> str:
    """The page's words, without markup."""
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def form_token(client: TestClient, path: str = "/refer") -> str:
    found = re.search(r'name="form_token" value="(\w+)"', client.get(path).text)
    assert found
    return found[1]


def submit(client: TestClient, path: str, **fields: Any) -> Any:
    return client.post(path, data={"form_token": form_token(client), **fields})


def test_nobody_gets_in_without_signing_in(house: House, client: TestClient) -> None:
    house.refer(client)
    for path in ("/", "/inbox", f"/cases/{CASE}", "/refer", "/p/x"):
        answer = client.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")
        assert CASE not in answer.text
    assert client.post("/refer", data={"form_token": "x"}).status_code == 303


def test_a_wrong_token_does_not_sign_in(house: House, client: TestClient) -> None:
    answer = client.post("/login", data={"token": "tri_" + "x" * 40})
    assert answer.status_code == 401
    assert "not valid" in answer.text
    assert "set-cookie" not in answer.headers


def test_the_session_cookie_is_out_of_reach(house: House) -> None:
    client = house.client(public_url="https://triage.example")
    answer = client.post("/login", data={"token": house.token("con-a")})
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "secure"))
    assert house.token("con-a").lower() not in cookie
    assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize("there", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(house: House, client: TestClient, there: str) -> None:
    answer = client.post("/login", data={"token": house.token("con-a"), "next": there})
    assert answer.headers["location"] == "/"


def test_a_link_from_elsewhere_asks_once_more_from_here(client: TestClient) -> None:
    answer = client.get("/p/x", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text


def test_the_board_tells_tier_reason_owner_and_deadline(house: House, client: TestClient) -> None:
    house.refer(client)
    house.clock.advance(minutes=4)
    board = text_of(signed_in(house, "con-a"), "/")

    for words in (
        "EMERGENT",
        CASE,
        "Lost walking 10 h 2 min ago and still worsening",
        "assessed 4 min ago",
        "Nobody yet",
        "for 4 min",
        "11 min left",
        "Human acknowledgement",
        "09:17 +01:00",  # the site's wall clock
        "10 h of 48 h",
        "since walking was lost",
        "1 without an owner",
        "Draft, unsigned policy",
    ):
        assert words in board, words


def test_the_most_urgent_comes_first(house: House, client: TestClient) -> None:
    calm = {"walking": "unaided", "ais": "E", "trend": "stable", "deficit_onset_at": None}
    data = {"findings": findings(**calm, escc="0", neuro_symptom="none", pain="suggestive")}
    first = house.refer(client, id="e-2", subject="calm", data=data)
    second = house.refer(client)
    page = signed_in(house, "con-a").get("/").text

    assert (first["tier"], second["tier"]) == ("PRIORITY", "EMERGENT")
    rows = re.findall(r'<tr class="t-([a-z-]+)', page)
    assert rows == ["emergent", "priority"]
    only = signed_in(house, "con-a").get("/?tier=priority").text
    assert re.findall(r'<tr class="t-([a-z-]+)', only) == ["priority"]


def test_every_tiles_number_is_the_number_of_its_rows(house: House, client: TestClient) -> None:
    for number, trend in enumerate(("worsening", "stable", "unknown")):
        data = {"findings": findings(trend=trend)}
        house.refer(client, id=f"e-{number}", subject=f"s-{number}", data=data)
    browser = signed_in(house, "con-a")
    tiles = re.findall(
        r'href="/\?tier=([a-z-]+)".*?tile-count">(\d+)<', browser.get("/").text, re.S
    )
    assert len(tiles) == 5
    assert sum(int(count) for _, count in tiles) == 3
    for tier, count in tiles:
        assert browser.get(f"/?tier={tier}").text.count('<tr class="t-') == int(count)


def test_hospitals_see_their_own_cases_only(house: House, client: TestClient) -> None:
    house.refer(client)
    assert CASE in text_of(signed_in(house, HOSPITAL), "/")
    stranger = signed_in(house, OTHER_HOSPITAL)
    assert CASE not in text_of(stranger, "/")
    assert CASE not in text_of(stranger, "/inbox")
    assert "No such case" in text_of(stranger, f"/cases/{CASE}", 404)
    assert "No such page" in text_of(stranger, f"/p/{house.ladder_page()}", 404)


def test_no_page_names_the_patient(house: House, client: TestClient) -> None:
    house.refer(client)
    browser = signed_in(house, "con-a")
    for path in ("/", "/inbox", f"/cases/{CASE}", f"/p/{house.ladder_page()}", "/refer"):
        shown = browser.get(path).text
        assert all(word not in shown for word in PERSONAL), path


def test_a_subject_like_an_nhs_number_is_not_shown(house: House, client: TestClient) -> None:
    receipt = house.refer(client, subject="9990000018")
    browser = signed_in(house, "con-a")
    for path in ("/", f"/cases/{receipt['case']}", "/inbox"):
        assert "9990000018" not in browser.get(path).text


def test_the_case_page_tells_the_whole(house: House, client: TestClient) -> None:
    house.refer(client)
    house.sweep()
    case = text_of(signed_in(house, "con-a"), f"/cases/{CASE}")
    for words in (
        "Why EMERGENT",
        "E1",
        "Patchell",  # a rule's source
        "Flat, log-roll, neutral spine",
        "Referral received",
        "Senior opinion",
        "AIS grade",
        "Sample Registrar",
        "Referral submitted",
        "call back +44 1632 960001",
        "centre:NEURO",
    ):
        assert words in case, words


def test_answering_from_the_inbox(house: House, client: TestClient) -> None:
    house.refer(client)
    browser = signed_in(house, "reg-a")
    assert "I am coming" in text_of(browser, "/inbox")
    answer = submit(
        browser, f"/p/{house.ladder_page()}", answer="coming", minutes="10", next="/inbox"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")

    inbox = text_of(browser, "/inbox")
    assert "Recorded." in inbox
    assert "Nothing waits for an answer" in inbox
    assert "acknowledged by a registrar" in inbox
    assert "Recorded." not in text_of(browser, "/inbox")
    assert "Sample Registrar" in text_of(browser, "/")


def test_what_had_no_effect_is_said(house: House, client: TestClient) -> None:
    house.refer(client)
    page = house.ladder_page()
    submit(signed_in(house, "reg-a"), f"/p/{page}", answer="coming")
    house.clock.advance(seconds=1)
    late = signed_in(house, "con-a")
    submit(late, f"/p/{page}", answer="coming")
    assert "without effect: already acknowledged by a registrar" in text_of(late, "/inbox")


def test_handing_over_asks_for_a_person(house: House, client: TestClient) -> None:
    house.refer(client)
    browser, path = signed_in(house, "reg-a"), f"/p/{house.ladder_page()}"
    assert submit(browser, path, answer="hand_over").status_code == 400
    assert submit(browser, path, answer="hand_over", to="con-a").status_code == 303
    with house.store.read() as reader:
        asked = [p.order.person for p in reader.pages(CASE) if "hand-over" in p.order.asked]
    assert asked == ["con-a"]


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_a_form_without_its_token_does_nothing(
    house: House, client: TestClient, token: str
) -> None:
    house.refer(client)
    browser = signed_in(house, "con-a")
    for path in (f"/p/{house.ladder_page()}", f"/cases/{CASE}", "/refer", "/logout"):
        answer = browser.post(path, data={"form_token": token, "answer": "coming"})
        assert answer.status_code == 403, path
    assert "Nobody yet" in text_of(browser, "/")


def test_acts_on_the_case_page(house: House, client: TestClient) -> None:
    house.refer(client)
    browser, path = signed_in(house, "con-a"), f"/cases/{CASE}"
    house.clock.advance(minutes=30)
    submit(browser, path, type="milestone.reached.v1", milestone="arrived", time="2026-03-10T09:20")
    submit(browser, path, type="treatment.decided.v1", treatment="surgery")
    case = text_of(browser, path)
    assert "Arrived" in case
    assert "09:20 +01:00" in case
    assert "Decision Surgery" in case
    assert submit(browser, path, type="page.receipt.v1").status_code == 400


def test_a_referral_by_hand(house: House) -> None:
    browser = signed_in(house, HOSPITAL)
    fields = {
        "subject": "ward-7-001",
        "opened_at": format_instant(house.clock.now()),
        "hospital_number": "SampletonM1",
        "callback": "+44 1632 960001",
        "finding.ais": "A",
        "finding.deficit_onset_at": "2026-03-10T06:02",
    }
    answer = submit(browser, "/refer", **fields)
    assert answer.status_code == 303
    shown = text_of(browser, answer.headers["location"])
    assert "Referral received. It is EMERGENT." in shown
    assert "3 h of 48 h" in shown  # 06:02 on the site's wall is 05:02 UTC
    assert "Sampleton" not in shown

    again = submit(browser, "/refer", **fields)
    assert again.headers["location"] == answer.headers["location"]
    with house.store.read() as reader:
        assert reader.counts().journal == 1  # sent twice it is one event
        case = reader.cases()[0]
    assert "CONFLICT" not in case.document


def test_an_empty_referral_is_taken_and_is_not_calm(house: House) -> None:
    browser = signed_in(house, HOSPITAL)
    answer = submit(browser, "/refer", subject="empty")
    assert answer.status_code == 303
    with house.store.read() as reader:
        assert reader.cases()[0].tier == "URGENT"


def test_a_demonstration_needs_no_sign_in_and_says_so(house: House) -> None:
    client = house.client(is_demo=True)
    first = client.get("/")
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert "DEMONSTRATION" in text_of(client, "/")
    assert "Demonstration Visitor" in text_of(client, "/refer")
    house.refer(client)
    answer = submit(client, f"/p/{house.ladder_page()}", answer="coming")
    assert answer.status_code == 303
    assert "Demonstration Visitor" in text_of(client, "/")


def test_the_screen_says_when_nothing_watches_the_deadlines(house: House) -> None:
    browser = signed_in(house, "con-a")
    assert "the sweep is not running" in text_of(browser, "/")
    assert "The watchman is not running" in text_of(browser, "/")
    with house.store.begin() as tx:
        tx.stamp("sweep", house.clock.now())
        tx.stamp("watch", house.clock.now())
    board = text_of(browser, "/")
    assert "not running" not in board
    house.clock.advance(seconds=121)
    assert "the sweep is not running" in text_of(browser, "/")


def test_asking_again_costs_nothing_while_nothing_changed(house: House, client: TestClient) -> None:
    house.refer(client)
    browser = signed_in(house, "con-a")
    tag = browser.get("/", headers={"X-Poll": "1"}).headers["etag"]
    same = browser.get("/", headers={"X-Poll": "1", "If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")
    house.clock.advance(minutes=1)
    changed = browser.get("/", headers={"X-Poll": "1", "If-None-Match": tag})
    assert changed.status_code == 200


def test_every_answer_is_kept_out_of_caches_frames_and_scripts(house: House) -> None:
    browser = signed_in(house, "con-a")
    for path in ("/", "/login", "/static/live.js", "/api/openapi.json", "/nowhere"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
    assert "<script>" not in browser.get("/").text
    assert " style=" not in browser.get("/").text
    assert browser.get("/docs").status_code == 404


def test_signing_out_ends_the_session(house: House) -> None:
    browser = signed_in(house, "con-a")
    assert submit(browser, "/logout").status_code == 303
    assert browser.get("/").status_code == 303


def test_a_database_that_is_away_gives_the_desks_number(house: House) -> None:
    from tests.unit.web.test_health import Away

    client = house.client(store=Away(house.store))
    answer = client.get("/")
    assert answer.status_code == 503
    assert "+44 1632 960100" in answer.text


def test_the_page_about_an_unknown_referral_is_answered_at_the_inbox(
    house: House, client: TestClient
) -> None:
    page = house.act_for_an_unknown_referral(client)
    desk = signed_in(house, "coord-a")
    assert CASE in text_of(desk, "/inbox")
    assert f"/cases/{CASE}" not in desk.get("/inbox").text  # there is no case to look at
    assert "review" in text_of(desk, f"/p/{page}")
    assert CASE not in text_of(signed_in(house, OTHER_HOSPITAL), "/inbox")
    submit(desk, f"/p/{page}", answer="coming", next="/inbox")
    assert "nothing more to answer" in text_of(desk, f"/p/{page}")


def test_whoever_is_asked_to_take_over_has_a_page_to_answer(
    house: House, client: TestClient
) -> None:
    """The case is owned; the page that asks for the next owner is not answered by that."""
    house.refer(client)
    path = f"/p/{house.ladder_page()}"
    assert (
        submit(signed_in(house, "reg-a"), path, answer="hand_over", to="con-a").status_code == 303
    )
    next_one = signed_in(house, "con-a")
    assert "accept the hand-over" in text_of(next_one, "/inbox").split("Earlier")[0]
    with house.store.read() as reader:
        (asked,) = [p.order.page for p in reader.pages(CASE) if "hand-over" in p.order.asked]
    house.clock.advance(seconds=1)
    submit(next_one, f"/p/{asked}", answer="coming", minutes="10", next="/inbox")
    assert "Nothing waits for an answer" in text_of(next_one, "/inbox")
    assert "acknowledged by a consultant" in text_of(next_one, "/inbox")
