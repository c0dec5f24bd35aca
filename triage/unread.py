"""Unread quarantine: ordered like pages of a case, answered by a named person."""

from datetime import datetime

from triage.domain.events import Actor
from triage.recording.ledger import Desk
from triage.store.records import UnreadSource
from triage.store.transaction import Transaction
from triage.workflow.unread import answered_run, run_tag_of, unread_orders


def sweep_unread(tx: Transaction, desk: Desk, *, now: datetime) -> int:
    """Order what is owed for unread records by now; returns how many pages are new."""
    orders = [
        order
        for unread in tx.quarantine_sources()
        for order in unread_orders(
            source=unread.source,
            count=unread.count,
            first_item=unread.first_item,
            since=unread.oldest_at,
            book=desk.books.current,
            roster=desk.roster,
            now=now,
        )
    ]
    new = tx.order_pages(orders, now)
    if new:
        tx.notify("page")
    return len(new)


def acknowledge_unread(tx: Transaction, page: str, by: Actor, *, now: datetime) -> int | None:
    """A named person takes a source's unread records on; how many, None for no such page.

    Raises ValueError when nobody is named.
    """
    if not by.is_named:
        raise ValueError("by names no person with a role")
    tag = answered_run(page)
    if tag is None:
        return None
    for unread in tx.quarantine_sources():
        if run_tag_of(unread.source, unread.first_item) == tag:
            return _settle(tx, unread, by, now)
    return 0


def _settle(tx: Transaction, unread: UnreadSource, by: Actor, now: datetime) -> int:
    items = [
        item.item_id
        for item in tx.reads.quarantine("unread", limit=10_000)
        if item.source == unread.source
    ]
    return tx.settle_quarantine(items, status="acknowledged", by=by.identity, at=now)
