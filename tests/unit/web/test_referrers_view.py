"""What the referring hospital reads of its patient's way: page and answers after each milestone."""

import re
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web_house import CASE, CENTRE, HOSPITAL, PATIENT, House, event

# What the centre records, one after the other; what the page says from then on, and not before.
WAY = (
    ("info_requested", "Info requested"),
    ("mri_done", "MRI done"),
    ("mri_reported", "MRI reported"),
    ("senior_reviewed", "Senior reviewed"),
    ("accepted", "Accepted"),
    ("arrived", "Arrived"),
    ("theatre_confirmed", "Theatre confirmed"),
    ("knife_to_skin", "Knife to skin"),
    ("decompression_complete", "Decompression complete"),
)


def words_of(browser: TestClient, path: str, section: str = "") -> str:
    """The words of a page or of one section of it, without markup."""
    answer = browser.get(path)
    assert answer.status_code == 200
    shown = answer.text
    if section:
        shown = shown.partition(f'<h2 id="{section}">')[2].partition("</section>")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", shown)))


@pytest.fixture
def hospital(house: House) -> TestClient:
    """A browser in which the hospital's token has signed in."""
    browser = house.client()
    browser.post("/login", data={"token": house.token(HOSPITAL)})
    return browser


def record(house: House, client: TestClient, kind: str, **data: Any) -> None:
    """By the consultant, ten minutes after whatever was before."""
    house.clock.advance(minutes=10)
    act = {"type": kind, "data": data}
    answer = client.post(f"/api/cases/{CASE}/events", json=act, headers=house.as_("con-a"))
    assert (answer.status_code, answer.json()["effect"]) == (202, True), answer.text


def test_the_hospital_reads_each_milestone_once_it_is_reached_and_not_before(
    house: House, client: TestClient, hospital: TestClient
) -> None:
    receipt = house.refer(client)
    assert (receipt["case"], receipt["tier"]) == (CASE, "EMERGENT")
    path = f"/cases/{CASE}"
    assert "Referral received" in words_of(hospital, path, "pathway")
    assert "Nobody yet" in words_of(hospital, "/")

    answer = {"answer": "coming", "minutes": 10}
    page = f"/api/pages/{house.ladder_page()}/acknowledge"
    client.post(page, json=answer, headers=house.as_("reg-a"))
    assert "Sample Registrar" in words_of(hospital, "/")

    for milestone, words in WAY:
        assert words not in words_of(hospital, path, "pathway"), milestone
        record(house, client, "milestone.reached.v1", milestone=milestone)
        assert words in words_of(hospital, path, "pathway"), milestone
        told = client.get(f"/api/cases/{CASE}", headers=house.as_(HOSPITAL)).json()
        assert told["milestones"][milestone]["at"].startswith(f"{house.clock.now():%Y-%m-%dT%H:%M}")


def test_the_hospital_reads_the_decision_and_the_end(
    house: House, client: TestClient, hospital: TestClient
) -> None:
    house.refer(client)
    path = f"/cases/{CASE}"
    record(house, client, "treatment.decided.v1", treatment="surgery")
    assert "Decision Surgery" in words_of(hospital, path)
    record(house, client, "case.closed.v1", reason="operated")
    assert "Closed" in words_of(hospital, path)
    told = client.get(f"/api/cases/{CASE}", headers=house.as_(HOSPITAL)).json()
    assert (told["decision"], told["state"]) == ("surgery", "closed")


def test_the_answer_to_whatever_the_hospital_sends_tells_the_tier_of_now(
    house: House, client: TestClient
) -> None:
    house.refer(client)
    findings = {"ais": "D", "walking": "aided", "trend": "improving"}
    lowered = {"tier": "URGENT", "reason": "Examined: walks.", "findings": findings}
    record(house, client, "tier.set.v1", **lowered)
    steroid = event(id="e-2", type="milestone.reached.v1", data={"milestone": "steroid_given"})
    answer = client.post("/events", content=steroid, headers=house.as_(HOSPITAL))
    assert (answer.status_code, answer.json()["tier"]) == (202, "URGENT")


def test_nothing_is_sent_to_the_hospital_and_it_looks_itself(
    house: House, client: TestClient, hospital: TestClient
) -> None:
    """As docs/operations.md says under Limits: pages go to people of the roster."""
    house.refer(client)
    for minutes in (10, 30, 60, 120):
        house.clock.advance(minutes=minutes)
        house.sweep()
    with house.store.read() as reader:
        pages = [page.order for page in reader.pages(CASE)]
    assert len(pages) > 3
    assert {order.site for order in pages} == {CENTRE}
    assert {order.person for order in pages} <= {None, *house.desk.roster.people}
    shown = hospital.get(f"/cases/{CASE}").text + hospital.get("/inbox").text
    assert PATIENT["name"]["family"] not in shown
