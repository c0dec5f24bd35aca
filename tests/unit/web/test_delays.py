"""People see what delays a case, in which leg, and to whom it has been handed."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import orjson
from starlette.testclient import TestClient

from tests.web_house import CASE, CENTRE, NOW, REFERRAL, House, event
from triage.domain.roster.roster import Override
from triage.policies.explain_case import explain_case

REGISTRAR = {"person": "reg-a", "name": "Sample Registrar", "role": "registrar"}
CONSULTANT = {"person": "con-a", "name": "Sample Consultant", "role": "consultant"}


def tell(house: House, client: TestClient, number: int, type_: str, **data: Any) -> None:
    """The centre's system sends one event about the sample referral, at the clock's time."""
    content = event(
        id=f"c-{number}",
        source=CENTRE,
        type=type_,
        time=house.clock.now().isoformat(),
        subject=None,
        referral=REFERRAL,
        data=data,
    )
    answer = client.post("/events", content=content, headers=house.as_(CENTRE))
    assert answer.status_code == 202, answer.text
    assert answer.json()["effect"], answer.text


def words(house: House, path: str) -> str:
    browser = house.client()
    browser.post("/login", data={"token": house.token("con-a"), "next": "/"})
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def late_for_theatre(house: House, client: TestClient) -> None:
    house.refer(client)
    tell(house, client, 1, "treatment.decided.v1", treatment="surgery", by=CONSULTANT)
    house.clock.advance(hours=2)
    tell(house, client, 2, "capacity.reported.v1", kind="theatre", note="Sampletext: full")
    house.clock.advance(hours=5)
    house.sweep()


def test_board_case_page_and_explanation_say_what_delays(house: House, client: TestClient) -> None:
    late_for_theatre(house, client)
    assert "delayed: theatre" in words(house, "/")
    assert "waiting for theatre · delayed: theatre" in words(house, f"/cases/{CASE}").lower()
    with house.store.read() as reader:
        row = reader.case(CASE)
    assert row is not None
    document = orjson.loads(row.document)
    told = explain_case(document, house.desk.books.pinned(row.policy))
    assert re.search(r"theatre: MISSED \S+, theatre, analogue, to_theatre, cause theatre", told)
    assert "Sampletext" not in row.document + told


def test_a_delay_that_is_not_late_yet_is_not_shouted(house: House, client: TestClient) -> None:
    house.refer(client)
    tell(house, client, 1, "treatment.decided.v1", treatment="surgery", by=CONSULTANT)
    tell(house, client, 2, "capacity.reported.v1", kind="theatre")
    assert "delayed" not in words(house, "/")


def test_the_board_says_who_has_been_asked_to_take_over(house: House, client: TestClient) -> None:
    house.refer(client)
    coming = {"page": house.ladder_page(), "by": REGISTRAR, "answer": "coming"}
    tell(house, client, 1, "page.acknowledged.v1", **coming)
    shift = {"leg": "shift", "from": REGISTRAR, "to": CONSULTANT}
    tell(house, client, 2, "handover.offered.v1", **shift)
    for path in ("/", f"/cases/{CASE}"):
        assert "handed to Sample Consultant" in words(house, path), path
    tell(house, client, 3, "handover.accepted.v1", **shift)
    board = words(house, "/")
    assert "handed to" not in board
    assert "Sample Consultant" in board


def test_the_board_says_when_the_owner_leaves_and_left(house: House, client: TestClient) -> None:
    ends = NOW + timedelta(minutes=20)
    night = Override(
        site=CENTRE,
        role="registrar",
        person="con-a",
        starts=ends,
        ends=ends + timedelta(hours=12),
        reason="night",
    )
    house.desk.roster = replace(house.desk.roster, overrides=(night,))
    house.refer(client)
    coming = {"page": house.ladder_page(), "by": REGISTRAR, "answer": "coming", "minutes": 50}
    tell(house, client, 1, "page.acknowledged.v1", **coming)
    for path in ("/", f"/cases/{CASE}"):
        assert "shift ends 09:22" in words(house, path), path
    house.clock.advance(minutes=21)
    house.sweep()
    for path in ("/", f"/cases/{CASE}"):
        assert "off shift since 09:22" in words(house, path), path


def test_the_old_site_sees_a_case_that_was_sent_on_while_one_of_its_people_owns_it(
    house: House, client: TestClient
) -> None:
    house.refer(client)
    path = f"/api/pages/{house.ladder_page()}/acknowledge"
    client.post(path, json={"answer": "coming"}, headers=house.as_("reg-a"))
    house.clock.advance(minutes=1)
    sent_on = {"type": "referral.updated.v1", "data": {"destination": "centre:SOUTH"}}
    house.refer(client, id="e-0002", **sent_on)
    for where in ("/", f"/cases/{CASE}"):
        assert "sent on to another site 09:03" in words(house, where), where
    api = f"/api/cases/{CASE}"
    for whom in (CENTRE, "centre:SOUTH"):
        owner = client.get(api, headers=house.as_(whom)).json()["owner"]
        assert (owner["person"], owner["sent_on"]) == ("reg-a", True)
    house.clock.advance(minutes=6)
    house.sweep()
    assert client.get(api, headers=house.as_(CENTRE)).status_code == 404
    there = client.get(api, headers=house.as_("centre:SOUTH")).json()
    assert there["owner"] is None


def test_at_a_shifts_end_owner_and_successor_have_a_page_to_answer(
    house: House, client: TestClient
) -> None:
    """Until one of them has: then it waits for nobody."""
    ends = NOW + timedelta(minutes=20)
    at_night = {"starts": ends, "ends": ends + timedelta(hours=12), "reason": "night"}
    night = Override(site=CENTRE, role="registrar", person="con-a", **at_night)
    house.desk.roster = replace(house.desk.roster, overrides=(night,))
    house.refer(client)
    coming = {"page": house.ladder_page(), "by": REGISTRAR, "answer": "coming", "minutes": 50}
    tell(house, client, 1, "page.acknowledged.v1", **coming)
    assert "Nothing waits for an answer" in words(house, "/inbox")
    house.clock.advance(minutes=21)
    house.sweep()
    waiting = words(house, "/inbox").split("Earlier")[0]
    assert "accept the hand-over" in waiting
    with house.store.read() as reader:
        orders = [page.order for page in reader.pages(CASE)]
    page = next(each.page for each in orders if each.asked == "accept the hand-over")
    house.clock.advance(seconds=1)
    answer = {"answer": "coming", "minutes": 30}
    path = f"/api/pages/{page}/acknowledge"
    assert client.post(path, json=answer, headers=house.as_("con-a")).json()["effect"]
    assert "Nothing waits for an answer" in words(house, "/inbox")
