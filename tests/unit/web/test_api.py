"""Cases over HTTP: who sees which, the log, answers to pages, acts."""

import hashlib
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from tests.web_house import (
    CASE,
    CENTRE,
    HOSPITAL,
    OTHER_HOSPITAL,
    REFERRAL,
    House,
    event,
    findings,
)
from triage.domain.events import CaseId
from triage.recording.ordering import noted_orders


def get_case(house: House, client: TestClient, whom: str = HOSPITAL) -> dict[str, Any]:
    return dict(client.get(f"/api/cases/{CASE}", headers=house.as_(whom)).json())


def test_a_case_has_the_fields_of_the_contract(house: House, client: TestClient) -> None:
    house.refer(client)
    case = get_case(house, client)

    assert case["referral"] == REFERRAL
    assert (case["tier"], case["state"], case["rules"]) == ("EMERGENT", "open", ["E1", "E2"])
    assert case["policy"].endswith("-draft")
    assert case["obligations"][0]["name"] == "acknowledgement"
    assert "Sampleton" not in str(case)


@pytest.mark.parametrize("whom", [OTHER_HOSPITAL, "centre:SOUTH"])
def test_others_are_told_that_there_is_no_such_case(
    house: House, client: TestClient, whom: str
) -> None:
    house.refer(client)
    unknown = client.get("/api/cases/AAAA-AAAA-AAAA", headers=house.as_(whom))
    for path in (f"/api/cases/{CASE}", f"/api/cases/{CASE}/events"):
        answer = client.get(path, headers=house.as_(whom))
        assert answer.status_code == 404
        assert answer.content == unknown.content
    act = client.post(
        f"/api/cases/{CASE}/events", json={"type": "case.closed.v1"}, headers=house.as_(whom)
    )
    assert act.status_code == 404
    assert client.get("/api/cases", headers=house.as_(whom)).json() == []


def test_the_centre_and_the_hospital_see_the_case(house: House, client: TestClient) -> None:
    house.refer(client)
    for whom in (HOSPITAL, CENTRE, "con-a"):
        listed = client.get("/api/cases?state=open", headers=house.as_(whom)).json()
        assert [case["case"] for case in listed] == [CASE]
    assert client.get("/api/cases?state=closed", headers=house.as_(CENTRE)).json() == []


def test_an_unknown_state_is_refused_with_what_is_allowed(house: House, client: TestClient) -> None:
    answer = client.get("/api/cases?state=sleeping", headers=house.as_(CENTRE))
    assert answer.status_code == 400
    assert "open" in answer.json()["errors"][0]["allowed"]


def test_every_route_that_shows_or_writes_needs_a_token(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    guarded = [
        (method, path)
        for path, methods in paths.items()
        for method in methods
        if not path.startswith("/health/")
    ]
    assert len(guarded) == 10
    for method, path in guarded:
        where = path.replace("{case}", CASE).replace("{page}", "p").replace("{change}", "c")
        assert client.request(method, where).status_code == 401, path


def test_the_log_is_chained(house: House, client: TestClient) -> None:
    house.refer(client)
    log = client.get(f"/api/cases/{CASE}/events", headers=house.as_(CENTRE)).json()
    assert [row["event"]["id"] for row in log] == ["e-0001", "orders:2"]
    assert get_case(house, client)["head"] == f"sha256:{log[-1]['hash']}"


def test_every_ordered_page_is_in_the_chain_as_it_was_ordered(
    house: House, client: TestClient
) -> None:
    house.refer(client)
    house.clock.advance(minutes=16)
    house.sweep()
    with house.store.read() as reader:
        log, pages = reader.log(CASE), reader.pages(CASE)
    noted = [order for link in log for order in noted_orders(orjson.loads(link.document))]
    assert len({page.order.rung for page in pages}) > 1
    assert {order.page: order for order in noted} == {page.order.page: page.order for page in pages}
    head = ""
    for link in log:
        head = hashlib.sha256(f"{head}\n{link.document}".encode()).hexdigest()
        assert link.hash == head


def test_a_persons_answer_takes_the_case(house: House, client: TestClient) -> None:
    house.refer(client)
    answer = client.post(
        f"/api/pages/{house.ladder_page()}/acknowledge",
        json={"answer": "coming", "minutes": 10},
        headers=house.as_("reg-a"),
    )

    assert answer.status_code == 202
    assert answer.json()["effect"] is True
    owner = get_case(house, client)["owner"]
    assert (owner["person"], owner["role"], owner["site"]) == ("reg-a", "registrar", CENTRE)


def test_who_answers_is_the_tokens_person(house: House, client: TestClient) -> None:
    house.refer(client)
    by = {"person": "con-a", "name": "Sample Consultant", "role": "consultant", "site": CENTRE}
    answer = client.post(
        f"/api/pages/{house.ladder_page()}/acknowledge",
        json={"answer": "coming", "by": by},
        headers=house.as_("reg-a"),
    )

    assert answer.status_code == 403
    assert get_case(house, client)["owner"] is None


def test_who_answers_for_one_step_is_told_that_nobody_owns_the_case(
    house: House, client: TestClient
) -> None:
    house.refer(client)
    house.clock.advance(minutes=31)  # half of the hour until a senior opinion
    house.sweep()
    with house.store.read() as reader:
        steps = [p.order for p in reader.pages(CASE) if p.order.obligation == "senior_opinion"]
    answer = client.post(
        f"/api/pages/{steps[0].page}/acknowledge",
        json={"answer": "coming"},
        headers=house.as_("con-a"),
    ).json()
    assert answer["effect"] is True
    assert answer["warnings"] == ["nobody owns the case yet: this page asks for one step only"]
    assert get_case(house, client)["owner"] is None


@pytest.mark.parametrize("page", ["nonsense", f"{CASE}.acknowledgement.00000000.1.0.00000000"])
def test_a_page_that_was_never_sent_cannot_be_answered(
    house: House, client: TestClient, page: str
) -> None:
    house.refer(client)
    answer = client.post(
        f"/api/pages/{page}/acknowledge", json={"answer": "coming"}, headers=house.as_("con-a")
    )
    assert answer.status_code == 404
    assert get_case(house, client)["owner"] is None


def test_looking_never_acknowledges(house: House, client: TestClient) -> None:
    house.refer(client)
    page = house.ladder_page()
    for path in (f"/api/pages/{page}/acknowledge", f"/api/cases/{CASE}", f"/p/{page}"):
        client.get(path, headers=house.as_("con-a"))
    assert get_case(house, client)["owner"] is None


def test_unread_messages_are_taken_on_by_a_named_person(house: House, client: TestClient) -> None:
    from triage.unread import sweep_unread

    body = b"[" + event() + b", 7]"
    assert client.post("/events", content=body, headers=house.as_(HOSPITAL)).status_code == 202
    with house.store.begin() as tx:
        sweep_unread(tx, house.desk, now=house.clock.now())
    with house.store.read() as reader:
        page = next(p.order.page for p in reader.pages() if p.order.case is None)

    path = f"/api/pages/{page}/acknowledge"
    assert client.post(path, json={}, headers=house.as_(HOSPITAL)).status_code == 404
    assert client.post(path, json={}, headers=house.as_(CENTRE)).status_code == 400
    answer = client.post(path, json={}, headers=house.as_("coord-a"))
    assert (answer.status_code, answer.json()["taken_on"]) == (202, 1)
    with house.store.read() as reader:
        assert reader.quarantine("unread") == []


def test_a_person_records_decides_and_closes(house: House, client: TestClient) -> None:
    house.refer(client)
    acts = [
        {"type": "milestone.reached.v1", "data": {"milestone": "senior_reviewed"}},
        {"type": "treatment.decided.v1", "data": {"treatment": "surgery"}},
        {
            "type": "tier.set.v1",
            "data": {
                "tier": "URGENT",
                "reason": "Examined: walks.",
                "findings": {"ais": "D", "walking": "aided", "trend": "improving"},
            },
        },
        {"type": "case.closed.v1", "data": {"reason": "operated"}},
    ]
    for act in acts:
        house.clock.advance(minutes=5)
        answer = client.post(f"/api/cases/{CASE}/events", json=act, headers=house.as_("con-a"))
        assert answer.status_code == 202, answer.text
        assert answer.json()["effect"] is True, answer.text
    case = get_case(house, client)
    assert (case["decision"], case["tier"], case["state"]) == ("surgery", "URGENT", "closed")
    assert "senior_reviewed" in case["milestones"]


def test_an_act_says_when_it_happened(house: House, client: TestClient) -> None:
    house.refer(client)
    house.clock.advance(hours=1)
    act = {
        "type": "milestone.reached.v1",
        "data": {"milestone": "arrived"},
        "time": "2026-03-10T09:30:00+01:00",
    }
    client.post(f"/api/cases/{CASE}/events", json=act, headers=house.as_("con-a"))
    assert get_case(house, client)["milestones"]["arrived"]["at"] == "2026-03-10T08:30:00+00:00"


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"type": 7}', b'{"type": "a", "data": []}'])
def test_an_act_that_is_none_is_refused(house: House, client: TestClient, body: bytes) -> None:
    house.refer(client)
    answer = client.post(f"/api/cases/{CASE}/events", content=body, headers=house.as_("con-a"))
    assert answer.status_code == 400


def test_a_value_that_was_not_understood_is_named(house: House, client: TestClient) -> None:
    receipt = house.refer(client, data={"findings": findings(bladder="dribbling")})
    assert receipt["unread"] == ["bladder"]
    assert b'triage_unread_fields_total{hospital="other"} 1.0' in client.get("/metrics").content


def test_the_page_about_an_unknown_referral_is_seen_and_answered_by_the_desk(
    house: House, client: TestClient
) -> None:
    page = house.act_for_an_unknown_referral(client)
    path = f"/api/pages/{page}/acknowledge"
    for whom in (HOSPITAL, OTHER_HOSPITAL, "centre:SOUTH"):
        refused = client.post(path, json={"answer": "coming"}, headers=house.as_(whom))
        assert refused.status_code == 404
    answer = client.post(path, json={"answer": "coming"}, headers=house.as_("coord-a"))
    assert (answer.status_code, answer.json()["effect"]) == (202, True)
    house.clock.advance(hours=5)
    house.sweep()
    with house.store.read() as reader:
        assert len(reader.pages(CaseId(CASE))) == 1
    assert client.get(f"/api/cases/{CASE}", headers=house.as_("coord-a")).status_code == 404
