"""The note of ordered pages in a case's log: who, what, by which route and when, in the chain."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from triage.domain.case import Case
from triage.domain.events import Event, EventType, Sender, Side
from triage.domain.paging import PageOrder
from triage.store.page_orders import order_fields, read_order

SOURCE = "triage:pages"


def pages_ordered(case: Case, orders: Sequence[PageOrder], now: datetime, seq: int) -> Event:
    """The event that says which pages were ordered; `seq` = the number of its link."""
    data = {"orders": [order_fields(order) for order in orders]}
    return Event(
        source=SOURCE,
        id=f"orders:{seq}",
        type=EventType.PAGES_ORDERED,
        referral=case.referral,
        case=case.id,
        occurred_at=now,
        received_at=now,
        sender=Sender(side=Side.OURSELVES, source=SOURCE),
        data=data,
        content_hash=hashlib.sha256(orjson.dumps(data)).hexdigest(),
    )


def noted_orders(document: Mapping[str, Any]) -> list[PageOrder]:
    """The orders of a log document; none when it is another event's. Raises as `read_order`."""
    if document.get("type") != EventType.PAGES_ORDERED:
        return []
    return [read_order(orjson.dumps(fields).decode()) for fields in document["data"]["orders"]]
