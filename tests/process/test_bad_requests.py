"""Requests that nobody should send: refused at once with what was wrong, never acted on."""

import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.process.installation import eventually
from tests.process.surgery import (
    FORBIDDEN,
    MIB,
    UNABLE,
    WALKS,
    Surgery,
    as_bytes,
    event,
)

pytestmark = [pytest.mark.kafka_real, pytest.mark.postgres_real, pytest.mark.timeout(180)]


def test_40_megabytes_are_refused_at_once(surgery: Surgery) -> None:
    block = b"x" * MIB
    began = time.monotonic()
    declared = {"content-length": str(40 * MIB)}
    for headers in ({**surgery.hospital, **declared}, dict(surgery.hospital)):
        answer = _answer_to(surgery, lambda: (block for _ in range(40)), headers)
        assert answer is None or answer.status_code == 413, answer.text
    assert time.monotonic() - began < 10
    tokenless = _answer_to(surgery, lambda: (block for _ in range(40)), declared)
    assert tokenless is None or tokenless.status_code == 401
    good = surgery.post(as_bytes("after 40 MB"), surgery.hospital)
    assert good.status_code == 202


def _answer_to(
    surgery: Surgery, content: Callable[[], Iterator[bytes]], headers: dict[str, str]
) -> httpx.Response | None:
    """None where the service hung up while we still wrote."""
    try:
        return surgery.post(content(), headers)
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        return None


MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"MSH|^~\\&|",
    "a number": b"42",
    "deep nesting": b"[" * 100_000,
    "NaN": as_bytes("nan").replace(b'"data": {', b'"data": {"sins": NaN, '),
    "a key twice": as_bytes("twice").replace(b'"id":', b'"id": "other", "id":'),
    "an unknown type": as_bytes("type", type="referral.imagined.v1"),
    "data a text": as_bytes("text", data="walking: cannot"),
    "only bad members": b'[{"no": "event"}]',
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_events_are_refused_with_what_was_wrong(what: str, surgery: Surgery) -> None:
    answer = surgery.post(MALFORMED[what], surgery.hospital)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 400 and problem["title"] and problem["detail"]
    assert all(error["allowed"] and error["hint"] for error in problem["errors"])
    assert problem["errors"]


def test_who_is_nobody_is_refused(surgery: Surgery) -> None:
    good = as_bytes("nobody", UNABLE)
    known = surgery.hospital["Authorization"]
    for header in (None, "Bearer tri_" + "a" * 40, "Bearer nonsense", known.replace("tri_", "tri")):
        headers = {"Authorization": header} if header else {}
        assert surgery.post(good, headers).status_code == 401
        for path in ("/api/cases", "/api/cases/7K3Q-9MPD-2XWA", "/api/cases/x/events"):
            answer = surgery.service.get(path, headers=headers)
            assert answer is not None and answer.status_code == 401
    assert surgery.case("nobody") is None


def test_one_hospital_neither_reads_nor_writes_anothers_case(surgery: Surgery) -> None:
    receipt = surgery.post(as_bytes("own", UNABLE), surgery.hospital).json()
    case = receipt["case"]
    for path in (f"/api/cases/{case}", f"/api/cases/{case}/events"):
        own = surgery.service.get(path, headers=surgery.hospital)
        other = surgery.service.get(path, headers=surgery.other_hospital)
        assert own is not None and own.status_code == 200
        assert other is not None and other.status_code == 404
    listed = surgery.service.get("/api/cases", headers=surgery.other_hospital)
    assert listed is not None and case not in listed.text
    as_if = surgery.post(as_bytes("own", WALKS, id="forged"), surgery.other_hospital)
    assert as_if.status_code == 403
    change = event(
        "own",
        WALKS,
        id="meddling",
        source="hospital:RX2",
        type="referral.updated.v1",
        referral="hospital:RX1/own",
    )
    meddling = surgery.post(json.dumps(change).encode(), surgery.other_hospital).json()
    assert meddling["effect"] is False
    assert meddling["tier"] is None, "the tier of another hospital's case"
    after = surgery.case("own")
    assert after is not None and after["findings"]["walking"]["value"] == "cannot"


def test_a_hospital_cannot_close_over_http(surgery: Surgery) -> None:
    surgery.post(as_bytes("closing", UNABLE), surgery.hospital)
    closing = event("closing", type="case.closed.v1", id="c", data=FORBIDDEN["case.closed.v1"])
    answer = surgery.post(json.dumps(closing).encode(), surgery.hospital)
    assert answer.status_code == 202
    assert (answer.json()["effect"], bool(answer.json()["reason"])) == (False, True)
    after = surgery.case("closing")
    assert after is not None and after["state"] == "open"
    eventually("the review page", lambda: surgery.review_pages(after["case"]))


def test_the_log_names_nothing_of_it_and_no_fault(surgery: Surgery) -> None:
    """Last in the file: after all of the above."""
    said = surgery.service.said
    assert said and "Traceback" not in said
    assert [word for word in ("tri_", "walking: cannot", "MSH|") if word in said] == []
