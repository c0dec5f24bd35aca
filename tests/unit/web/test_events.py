"""POST /events: stored first, then answered; refusals say what, where and what was allowed."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web_house import CASE, CENTRE, HOSPITAL, OTHER_HOSPITAL, House, event
from triage.domain.errors import StoreUnavailable
from triage.store import Transaction


def journal_size(house: House) -> int:
    with house.store.read() as reader:
        return reader.counts().journal


def test_a_referral_is_answered_with_its_receipt_and_is_stored(
    house: House, client: TestClient
) -> None:
    receipt = house.refer(client)

    assert (receipt["case"], receipt["tier"], receipt["duplicate"]) == (CASE, "EMERGENT", False)
    assert (receipt["effect"], receipt["unread"], receipt["warnings"]) == (True, [], [])
    assert receipt["receipt"]
    assert journal_size(house) == 1


def test_the_same_event_again_is_a_duplicate_with_the_same_answer(
    house: House, client: TestClient
) -> None:
    first, second = house.refer(client), house.refer(client)

    assert second == first | {"duplicate": True}
    assert journal_size(house) == 1


@pytest.mark.parametrize(
    "header",
    [None, "Bearer", "Bearer tri_" + "x" * 40, "Basic tri_" + "x" * 40, "Bearer ünknown"],
)
def test_without_a_token_in_force_nothing_is_read(client: TestClient, header: str | None) -> None:
    headers = {"Authorization": header.encode()} if header else {}
    answer = client.post("/events", content=event(), headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_revoked_token_is_refused(house: House, client: TestClient) -> None:
    headers = house.as_(HOSPITAL)
    with house.store.begin() as tx:
        token = tx.list_tokens()[0]
        assert tx.revoke_token(token.id, house.clock.now())

    assert client.post("/events", content=event(), headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"{not json", ""),
        (b"", ""),
        (b"null", ""),
        (event(type="referral.submitted.v9"), "type"),
        (event(data="text"), "data"),
        (event(specversion="0.3"), "specversion"),
    ],
)
def test_what_is_no_event_is_refused_with_the_place(
    house: House, client: TestClient, body: bytes, path: str
) -> None:
    answer = client.post("/events", content=body, headers=house.as_(HOSPITAL))

    assert answer.status_code == 400
    problem = answer.json()
    assert problem["status"] == 400
    assert {"type", "title", "status", "detail", "errors"} <= problem.keys()
    error = problem["errors"][0]
    assert error.keys() == {"path", "value", "allowed", "hint", "index"}
    assert error["path"] == path
    assert error["allowed"]
    assert journal_size(house) == 0


def test_another_hospitals_source_is_refused(house: House, client: TestClient) -> None:
    body = event(source=OTHER_HOSPITAL)
    answer = client.post("/events", content=body, headers=house.as_(HOSPITAL))

    assert answer.status_code == 403
    assert answer.json()["errors"][0]["path"] == "source"
    assert journal_size(house) == 0


def test_a_hospital_learns_nothing_of_a_referral_that_is_not_its_own(
    house: House, client: TestClient
) -> None:
    house.refer(client)
    for address in ({"referral": f"{HOSPITAL}/2026-004711"}, {"case": CASE}):
        data = {"milestone": "departed"} | ({"case": CASE} if "case" in address else {})
        body = event(
            id=f"x-{'case' in address}",
            source=OTHER_HOSPITAL,
            type="milestone.reached.v1",
            data=data,
            subject=None,
            referral=address.get("referral"),
        )
        answer = client.post("/events", content=body, headers=house.as_(OTHER_HOSPITAL))

        assert answer.status_code == 202
        receipt = answer.json()
        assert receipt["effect"] is False
        assert receipt["tier"] is None


def test_a_hospital_cannot_acknowledge(house: House, client: TestClient) -> None:
    house.refer(client)
    page = house.ladder_page()
    by = {"person": "con-a", "name": "Sample Consultant", "role": "consultant", "site": CENTRE}
    data = {"page": page, "by": by, "answer": "coming"}
    receipt = house.refer(client, id="e-2", type="page.acknowledged.v1", data=data)

    assert receipt["effect"] is False
    assert "the receiving centre" in receipt["reason"]
    case = client.get(f"/api/cases/{CASE}", headers=house.as_(HOSPITAL)).json()
    assert case["owner"] is None


def test_a_batch_keeps_what_can_be_read_and_names_the_rest(
    house: House, client: TestClient
) -> None:
    good, other = event(), event(id="e-2", subject="2026-004712")
    body = b"[" + b",".join([good, b'{"specversion": "1.0"}', other]) + b"]"
    headers = house.as_(HOSPITAL) | {"Content-Type": "application/cloudevents-batch+json"}
    answer = client.post("/events", content=body, headers=headers)

    assert answer.status_code == 202
    first, second, third = answer.json()
    assert (first["case"], first["tier"]) == (CASE, "EMERGENT")
    assert second["error"]["index"] == 1
    assert second["error"]["allowed"]
    assert third["effect"] is True
    assert journal_size(house) == 2
    with house.store.read() as reader:
        unread = reader.quarantine("unread")
    assert [item.raw for item in unread] == [b'{"specversion": "1.0"}']


def test_a_batch_in_which_nothing_can_be_read_is_refused(house: House, client: TestClient) -> None:
    answer = client.post("/events", content=b'[{"id": 1}, 7]', headers=house.as_(HOSPITAL))

    assert answer.status_code == 400
    assert [error["index"] for error in answer.json()["errors"]] == [0, 1]
    assert journal_size(house) == 0


def test_binary_mode_over_http(house: House, client: TestClient) -> None:
    sent = json.loads(event())
    data = json.dumps(sent.pop("data"))
    attributes = {f"ce-{name}": value for name, value in sent.items()}
    headers = house.as_(HOSPITAL) | attributes | {"Content-Type": "application/json"}
    answer = client.post("/events", content=data, headers=headers)

    assert answer.status_code == 202
    assert answer.json()["tier"] == "EMERGENT"


def test_no_token_gets_into_the_journal(house: House, client: TestClient) -> None:
    test_binary_mode_over_http(house, client)
    with sqlite3.connect(house.file) as database:
        (raw,) = database.execute("SELECT raw FROM journal").fetchone()
    assert b"ce-id: e-0001" in raw
    assert house.token(HOSPITAL).encode() not in raw
    assert b"authorization" not in raw.lower()


async def _endless(sent: list[int]) -> AsyncIterator[bytes]:
    for _ in range(40):
        sent.append(1 << 20)
        yield b"x" * (1 << 20)


def test_forty_megabytes_are_cut_off_at_once(house: House) -> None:
    import asyncio

    import httpx

    from triage.web.app import create_app

    async def post() -> tuple[httpx.Response, int]:
        sent: list[int] = []
        transport = httpx.ASGITransport(app=create_app(house.parts()))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            answer = await client.post(
                "/events", content=_endless(sent), headers=house.as_(HOSPITAL)
            )
        return answer, sum(sent)

    answer, taken = asyncio.run(post())

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert taken <= 10 << 20  # the batch limit and a chunk or two, not the whole
    assert journal_size(house) == 0


def test_one_event_has_a_smaller_limit_than_a_batch(house: House, client: TestClient) -> None:
    body = event(data={"findings": {}, "note": "n" * (2 << 20)})
    assert client.post("/events", content=body, headers=house.as_(HOSPITAL)).status_code == 413
    in_batch = client.post("/events", content=b"[" + body + b"]", headers=house.as_(HOSPITAL))
    assert in_batch.status_code == 202


class _Away:
    """A store whose database has gone away after the token was looked up."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        raise StoreUnavailable("the database did not answer")
        yield


def test_without_a_database_nothing_is_answered_as_taken(house: House) -> None:
    headers = house.as_(HOSPITAL)
    client = house.client(store=_Away(house.store))
    answer = client.post("/events", content=event(), headers=headers)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert journal_size(house) == 0
    assert house.client().post("/events", content=event(), headers=headers).status_code == 202


def test_a_database_that_hangs_while_it_stores_is_told_as_not_known(house: House) -> None:
    async def tell_late(work: Callable[[], Any]) -> Any:
        done = work()
        if journal_size(house):
            await asyncio.Event().wait()
        return done

    headers = house.as_(HOSPITAL)
    client = house.client(run_blocking=tell_late, patience_seconds=0.01)
    answer = client.post("/events", content=event(), headers=headers)

    assert (answer.status_code, answer.json()["title"]) == (503, "Not known whether it was stored")
    assert int(answer.headers["retry-after"]) > 0
    again = house.client().post("/events", content=event(), headers=headers)
    assert (again.status_code, again.json()["duplicate"]) == (202, True)
