"""Records that nobody should send: each ends in one place with its reason, the humans that the
contract names hear of it, and what comes behind it is triaged as ever."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests.process.installation import ask, eventually
from tests.process.ledger import rows
from tests.process.surgery import (
    FORBIDDEN,
    MIB,
    UNABLE,
    WALKS,
    Surgery,
    as_bytes,
    at_the_limit,
    event,
)
from tests.process.topics import everything, send
from triage.consumers.topics import ACTIONS, QUARANTINE, REFERRALS

pytestmark = [pytest.mark.kafka_real, pytest.mark.postgres_real, pytest.mark.timeout(180)]


UNREADABLE: dict[str, bytes | None] = {
    "not JSON": b"MSH|^~\\&|SAMPLE|RX1|TRIAGE|NEURO",
    "not UTF-8": b'{"id": "\xff\xfe"}',
    "cut off": as_bytes("cut-off")[:-30],
    "empty": b"",
    "blank": b"  \n",
    "a tombstone": None,
    "a number": b"42",
    "null": b"null",
    "deep nesting": b"[" * 5_000,
    "deep nesting in data": as_bytes("deep").replace(b'"data": {', b'"data": {"x": ' + b"[" * 500),
    "NaN": as_bytes("nan").replace(b'"data": {', b'"data": {"sins": NaN, '),
    "a key twice": as_bytes("twice").replace(b'"id":', b'"id": "other", "id":'),
    "the id a number": as_bytes("id-number", id=7),
    "data a list": as_bytes("data-list", data=[1, 2]),
    "no subject": as_bytes("none").replace(b'"subject": "none"', b'"subject": " "'),
    "an unknown type": as_bytes("type", type="referral.imagined.v1"),
    "another specversion": as_bytes("spec", specversion="0.3"),
    "an empty batch": b"[]",
    "garbage at the size limit": at_the_limit(b"", b""),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_waits_for_a_human_and_holds_nothing_up(
    what: str, surgery: Surgery
) -> None:
    raw, subject = UNREADABLE[what], f"behind {what}"
    key = f"hospital:RX1/{subject}".encode()
    send(surgery.kafka, REFERRALS, key, raw, as_bytes(subject, UNABLE))
    eventually("the referral behind it", lambda: surgery.case(subject))
    origin = _origin_of(surgery, raw, key)
    found = rows(
        surgery.database,
        f"SELECT item_id, source, raw, reason, status FROM quarantine WHERE origin = '{origin}'",
    )
    assert len(found) == 1
    item, source, kept, reason, status = found[0]
    assert (bytes(kept), status) == (raw or b"", "unread")
    why = json.loads(reason)
    assert why["allowed"] and why["hint"], why
    assert not rows(surgery.database, f"SELECT 1 FROM journal WHERE origin LIKE '{origin}%'")
    eventually("a page", lambda: _unread_pages(surgery, source, {"coordinator"}))
    told = eventually("the quarantine topic", lambda: _told(surgery, item))
    assert (told.value or b"") == (raw or b"")
    assert {"x-error", "x-origin"} <= {name for name, _ in told.headers}


def _origin_of(surgery: Surgery, raw: bytes | None, key: bytes) -> str:
    (record,) = [r for r in everything(surgery.kafka, REFERRALS) if (r.key, r.value) == (key, raw)]
    return f"{record.topic}/{record.partition}/{record.offset}"


def _unread_pages(surgery: Surgery, source: str, roles: set[str]) -> bool:
    """Whether each role was called for this source's unread records, by a page without case."""
    firsts = rows(
        surgery.database,
        f"SELECT item_id FROM quarantine WHERE source = '{source}' ORDER BY received_at, item_id",
    )
    items = {item for (item,) in firsts}
    called = {
        page["role"]
        for page in surgery.desk.pages()
        if page["item"] in items and page["case"] is None and page["tier"] is None
    }
    return roles <= called


def _told(surgery: Surgery, item: str) -> Any:
    records = everything(surgery.kafka, QUARANTINE)
    return next((record for record in records if record.key == item.encode()), None)


def test_a_batch_is_read_member_by_member(surgery: Surgery) -> None:
    batch = b"[" + as_bytes("batch-1", UNABLE) + b', {"no": "event"}, ' + as_bytes("batch-2") + b"]"
    send(surgery.kafka, REFERRALS, b"hospital:RX1/batch", batch)
    eventually("both cases", lambda: surgery.case("batch-1") and surgery.case("batch-2"))
    found = rows(surgery.database, "SELECT raw FROM quarantine WHERE origin LIKE '%#2'")
    assert [bytes(raw) for (raw,) in found] == [b'{"no": "event"}']


def test_a_named_person_takes_unread_records_on_and_later_ones_page_again(
    surgery: Surgery,
) -> None:
    def source_page() -> dict[str, Any] | None:
        mine = [p for p in surgery.desk.pages() if p["case"] is None and p["item"] in items()]
        return mine[-1] if mine else None

    def items() -> set[str]:
        unread = "SELECT item_id FROM quarantine WHERE source = 'hospital:RX9' AND status"
        return {item for (item,) in rows(surgery.database, f"{unread} = 'unread'")}

    bad = as_bytes("rx9", source="hospital:RX9", specversion="0.3")
    send(surgery.kafka, REFERRALS, b"hospital:RX9/rx9", bad)
    page = eventually("the page", source_page)
    assert page["role"] == "coordinator"
    url = f"{surgery.service.url}/api/pages/{page['page']}/acknowledge"
    refused = ask("POST", url, json={}, headers=surgery.hospital)
    assert refused.status_code == 404
    taken = ask("POST", url, json={"answer": "coming"}, headers=surgery.coordinator)
    assert (taken.status_code, taken.json()["taken_on"]) == (202, 1), taken.text
    assert items() == set()
    send(surgery.kafka, REFERRALS, b"hospital:RX9/rx9", bad)
    again = eventually("the next page", source_page)
    assert again["page"] != page["page"]


ODD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an unknown value": ({**WALKS, "walking": "with two sticks"}, ["walking"]),
    "a wrong type": ({**WALKS, "bladder": ["normal"]}, ["bladder"]),
    "an object": ({**WALKS, "ais": {"grade": "E"}}, ["ais"]),
    "a number out of range": ({**WALKS, "sins": 99}, ["sins"]),
    "a misspelt field": ({**WALKS, "bladdr": "altered"}, ["bladdr"]),
}


@pytest.mark.parametrize("what", ODD)
def test_a_value_that_is_not_understood_is_triaged_upward_and_shown(
    what: str, surgery: Surgery
) -> None:
    findings, unread = ODD[what]
    subject = f"odd {what}"
    key = f"hospital:RX1/{subject}".encode()
    send(surgery.kafka, REFERRALS, key, as_bytes(subject, findings))
    case = eventually("the case", lambda: surgery.case(subject))
    assert case["unread"] == unread
    assert case["tier"] in ("URGENT", "PRIORITY", "EMERGENT")
    page = eventually("the review page", lambda: surgery.review_pages(case["case"]))[0]
    received = case["milestones"]["referral_received"]["at"]
    assert _minutes(received, page["due_at"]) == pytest.approx(15, abs=0.1)


def _minutes(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 60


def test_findings_that_are_no_object_are_shown_and_make_no_case_calmer(surgery: Surgery) -> None:
    send(surgery.kafka, REFERRALS, b"hospital:RX1/list", as_bytes("list", ["walking", "cannot"]))
    case = eventually("the case", lambda: surgery.case("list"))
    assert case["tier"] in ("URGENT", "EMERGENT")
    assert case["unread"] == ["findings"]
    eventually("the review page", lambda: surgery.review_pages(case["case"]))


def test_a_referral_at_the_size_limit_is_a_case(surgery: Surgery) -> None:
    whole = as_bytes("large", UNABLE, data={"findings": UNABLE, "note": "@"})
    start, _, end = whole.partition(b"@")
    send(surgery.kafka, REFERRALS, b"hospital:RX1/large", at_the_limit(start, end))
    case = eventually("the case", lambda: surgery.case("large"))
    assert case["tier"] == "EMERGENT"
    length = (
        "SELECT length(raw) FROM journal WHERE referral = 'hospital:RX1/large'"
        " AND type = 'referral.submitted.v1'"
    )
    assert rows(surgery.database, length) == [(MIB - 160,)]


@pytest.mark.parametrize("topic", [REFERRALS, ACTIONS])
@pytest.mark.parametrize("kind", FORBIDDEN)
def test_nobody_quiets_a_case_by_the_wrong_door(kind: str, topic: str, surgery: Surgery) -> None:
    """On the hospitals' topic the registered centre is nobody; on the other an unregistered is."""
    subject = f"{kind} on {topic}"
    key = f"hospital:RX1/{subject}".encode()
    send(surgery.kafka, REFERRALS, key, as_bytes(subject, UNABLE))
    case = eventually("the case", lambda: surgery.case(subject))
    source = "centre:NEURO" if topic == REFERRALS else "centre:ELSEWHERE"
    act = event(
        subject, type=kind, source=source, referral=key.decode(), data=FORBIDDEN[kind], id=kind
    )
    send(surgery.kafka, topic, key, json.dumps(act).encode())
    said = (
        f"SELECT effect, reason FROM journal WHERE case_id = '{case['case']}' AND type = '{kind}'"
    )
    ((effect, reason),) = eventually("the journal", lambda: rows(surgery.database, said))
    assert (effect, bool(reason)) == (False, True)
    eventually("the review page", lambda: surgery.review_pages(case["case"]))
    after = surgery.case(subject)
    assert after is not None
    assert (after["state"], after["tier"], after["decision"]) == ("open", "EMERGENT", None)
    send(surgery.kafka, topic, key, json.dumps({**act, "source": "centre:NEURO"}).encode())
    behind = f"behind {subject}"
    send(surgery.kafka, REFERRALS, key, as_bytes(behind, UNABLE))
    eventually("the referral behind it", lambda: surgery.case(behind))


def test_an_unregistered_hospital_is_triaged_and_marked(surgery: Surgery) -> None:
    send(surgery.kafka, REFERRALS, b"x", as_bytes("zz9", UNABLE, source="hospital:ZZ9"))
    case = eventually("the case", lambda: surgery.case("zz9", "hospital:ZZ9"))
    assert case["tier"] == "EMERGENT"
    assert "source_unregistered" in case["notices"]
    eventually("the coordinator's page", lambda: surgery.is_paged(case["case"], "coordinator"))


def test_the_log_names_nothing_of_it_and_no_fault(surgery: Surgery) -> None:
    """Last in the file: after all of the above."""
    said = surgery.service.said
    assert said and "Traceback" not in said
    assert [word for word in ("with two sticks", "MSH|") if word in said] == []
