"""Builders of stored rows for tests: plainly invented, everything with a default."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from triage.domain.case_id import case_id
from triage.domain.events import CaseId
from triage.domain.paging import PageId, PageOrder
from triage.domain.tiers import Tier
from triage.store.records import CaseRow, JournalEntry, LogRow, QuarantineItem

NOW = datetime(2026, 3, 10, 8, 2, 1, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def case_number(number: int) -> CaseId:
    return case_id(f"hospital:RX1/sample-{number}")


def entry(number: int = 1, **changes: Any) -> JournalEntry:
    document = orjson.dumps({"id": f"e-{number}", "note": "\x00 ü {,}\\\"' NULL"}).decode()
    plain = JournalEntry(
        source="hospital:RX1",
        event_id=f"e-{number}",
        content_hash=hashlib.sha256(document.encode()).hexdigest(),
        type="referral.submitted.v1",
        referral=f"hospital:RX1/sample-{number}",
        case_id=case_number(number),
        door="kafka",
        origin=f"triage.referrals.v1/0/{number}",
        raw=bytes(range(256)),
        occurred_at=NOW - minutes(5),
        sent_at=None,
        received_at=NOW,
        effect=True,
        reason=None,
        event_document=document,
    )
    return replace(plain, **changes)


def log_row(number: int = 1, seq: int = 1, **changes: Any) -> LogRow:
    event = entry(number)
    plain = LogRow(
        case_id=event.case_id,
        seq=seq,
        source=event.source,
        event_id=f"{event.event_id}.{seq}",
        content_hash=event.content_hash,
        received_at=NOW + timedelta(microseconds=seq),
        document=event.event_document,
        previous_hash=f"hash-{seq - 1}",
        hash=f"hash-{seq}",
    )
    return replace(plain, **changes)


def case_row(number: int = 1, **changes: Any) -> CaseRow:
    plain = CaseRow(
        case_id=case_number(number),
        referral=f"hospital:RX1/sample-{number}",
        hospital="hospital:RX1",
        state="open",
        tier="URGENT",
        owner=None,
        destination="centre:NEURO",
        lead_case_id=None,
        version=1,
        head="hash-1",
        next_due_at=None,
        is_emergent=False,
        document='{"case": "sample",  "tier":"URGENT"}',
        policy="0.1+3f9c21ab-draft",
        opened_at=NOW,
        closed_at=None,
        referral_received_at=NOW,
        acknowledged_at=None,
        decided_at=None,
        decompressed_at=None,
        folded_at=NOW,
        leg="received_to_acknowledged",
        unacknowledged_since=NOW,
        deadlines="[]",
    )
    return replace(plain, **changes)


def order(number: int = 1, **changes: Any) -> PageOrder:
    case = case_number(number)
    plain = PageOrder(
        page=PageId(f"{case}.acknowledgement.3f9c21ab.0.0.91ab33cd"),
        case=case,
        tier=Tier.URGENT,
        reason_class="cord compressed",
        asked="acknowledge",
        obligation="acknowledgement",
        due_at=NOW + minutes(15),
        owed_at=NOW,
        run=f"e-{number}",
        rung=0,
        round=0,
        role="registrar",
        site="centre:NEURO",
        person="reg-a",
        name="Sample Registrar",
        chosen_by="rota registrar",
        route="desk",
        route_kind="inbox",
        callback="+44 1632 960001",
        policy="0.1+3f9c21ab-draft",
    )
    return replace(plain, **changes)


def emergent_order(number: int = 1, **changes: Any) -> PageOrder:
    return order(number, tier=Tier.EMERGENT, **changes)


def quarantine_item(number: int = 1, **changes: Any) -> QuarantineItem:
    plain = QuarantineItem(
        item_id=f"q-{number}",
        source="hospital:RX1",
        origin=f"triage.referrals.v1/0/{number}",
        raw=b"\xff\x00 not json",
        reason='{"path": "", "value": "position 0", "allowed": "JSON", "hint": "resend"}',
        received_at=NOW,
    )
    return replace(plain, **changes)
