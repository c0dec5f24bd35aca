"""What a batch brings: journal, quarantine, positions, outbox."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from tests.store_contract.checks import check
from tests.store_rows import (
    NOW,
    case_number,
    case_row,
    entry,
    log_row,
    minutes,
    order,
    quarantine_item,
)
from triage.domain.tiers import Tier
from triage.store import Store, StoreBusy
from triage.store.failures import RepeatedKey
from triage.store.records import CompletedLeg, OutboxRow


@check
def a_journalled_event_comes_back_byte_for_byte(store: Store) -> None:
    event = entry(1, sent_at=NOW - minutes(1), effect=False, reason="not yours to send")
    with store.begin() as tx:
        tx.journal([event, entry(2)])
    key = (event.source, event.event_id, event.content_hash)
    with store.begin() as tx:
        seen = tx.seen([key, ("hospital:RX1", "e-1", "other"), ("hospital:RX2", "e-1", "x")])
    assert list(seen) == [key]
    assert (seen[key].case_id, seen[key].received_at) == (event.case_id, event.received_at)
    assert (seen[key].effect, seen[key].reason) == (False, "not yours to send")
    with store.read() as reader:
        assert reader.journalled(event.case_id) == [event]


@check
def the_same_event_twice_is_journalled_once(store: Store) -> None:
    with store.begin() as tx:
        tx.journal([entry(1)])

    def again(*numbers: int) -> None:
        with store.begin() as tx:
            tx.save_cases([case_row(7)])
            tx.journal([entry(number) for number in numbers])

    with pytest.raises(StoreBusy):
        again(2, 1)
    with pytest.raises(RepeatedKey):
        again(3, 3)
    with store.read() as reader:
        assert reader.counts().journal == 1
        assert reader.case(case_number(7)) is None


@check
def other_content_under_a_known_id_is_told(store: Store) -> None:
    with store.begin() as tx:
        tx.journal([entry(1), entry(2)])
        other = ("hospital:RX1", "e-1", "other content")
        same = ("hospital:RX1", "e-2", entry(2).content_hash)
        assert tx.other_contents([other, same, ("hospital:RX1", "e-9", "new")]) == {other}


@check
def journal_and_log_refuse_change(store: Store) -> None:
    with store.begin() as tx:
        tx.journal([entry(1)])
        tx.append_log([log_row(1, 1)])
        tx.complete_legs([_leg(1)])
    for table, column in (
        ("journal", "reason"),
        ("case_log", "document"),
        ("completed_leg", "tier"),
    ):
        for change in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match="append-only"), store.begin() as tx:
                tx._connection.exec_driver_sql(change)
    with store.read() as reader:
        assert reader.log(case_number(1)) == [log_row(1, 1)]
        assert reader.journalled(case_number(1)) == [entry(1)]


@check
def a_block_that_raises_leaves_nothing(store: Store) -> None:
    def killed_in_the_middle() -> None:
        with store.begin() as tx:
            tx.move_position("triage.referrals.v1", 0, 0, 10)
            tx.journal([entry(1)])
            tx.append_log([log_row(1)])
            tx.save_cases([case_row(1, next_due_at=NOW)])
            tx.order_pages([order(1)], NOW)
            tx.outbox([_record("a", 1)], NOW)
            raise RuntimeError("killed in the middle")

    with pytest.raises(RuntimeError, match="killed in the middle"):
        killed_in_the_middle()
    with store.begin() as tx:
        assert tx.positions() == {}
        assert tx.claim_due(NOW, 10) == {}
        assert tx.claim_pages(NOW, 10, 10) == []
        assert tx.claim_outbox(10, now=NOW) == []
        assert tx.reads.counts().journal == 0


@check
def a_position_moves_once_for_each_record(store: Store) -> None:
    topic = "triage.referrals.v1"
    with store.begin() as tx:
        assert tx.move_position(topic, 0, 5, 10)
        assert tx.move_position(topic, 1, 0, 3)
        assert tx.move_position("triage.actions.v1", 0, 0, 1)
    with store.begin() as tx:
        assert not tx.move_position(topic, 0, 5, 10)
        assert not tx.move_position(topic, 0, 9, 12)
        assert tx.move_position(topic, 0, 10, 12)
        assert tx.positions([topic]) == {(topic, 0): 12, (topic, 1): 3}
    with store.read() as reader:
        assert reader.positions()[("triage.actions.v1", 0)] == 1


@check
def the_outbox_keeps_the_order_of_each_key(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox([_record("a", 1), _record("b", 2)], NOW)
        first = tx.claim_outbox(1, now=NOW)
        tx.outbox([_record("a", 3)], NOW)
    assert [(item.key, item.value, item.headers) for item in first] == [
        ("a", b"1\x00\xff", (("x-error", "ü"),))
    ]
    with store.begin() as tx:
        second = tx.claim_outbox(10, now=NOW)
        assert [item.value[:1] for item in second] == [b"2"]
        tx.mark_published([item.id for item in first], NOW)
        third = tx.claim_outbox(10, now=NOW)
        assert [item.value[:1] for item in third] == [b"3"]
        assert tx.claim_outbox(10, now=NOW + timedelta(seconds=29)) == []
        again = tx.claim_outbox(10, now=NOW + timedelta(seconds=30))
        assert [item.value[:1] for item in again] == [b"2", b"3"]
        tx.mark_published([item.id for item in again], NOW)
        assert tx.claim_outbox(10, now=NOW + minutes(60)) == []


@check
def quarantine_is_kept_once_and_settled_by_a_human(store: Store) -> None:
    items = [
        quarantine_item(1),
        quarantine_item(2, received_at=NOW - minutes(3)),
        quarantine_item(3, source=None),
    ]
    with store.begin() as tx:
        assert tx.quarantine(items) == ["q-1", "q-2", "q-3"]
        assert tx.quarantine([quarantine_item(1), quarantine_item(4)]) == ["q-4"]
        assert tx.unread_items("hospital:RX1") == ["q-2", "q-1", "q-4"]
        sources = tx.quarantine_sources()
        assert [(s.source, s.count, s.oldest_at, s.first_item) for s in sources] == [
            ("hospital:RX1", 3, NOW - minutes(3), "q-2"),
            (None, 1, NOW, "q-3"),
        ]
        settled = tx.settle_quarantine(
            ["q-1", "q-2", "q-9"], status="dismissed", by="coo-a", at=NOW, note="test message"
        )
        assert settled == 2
        assert tx.settle_quarantine(["q-1"], status="mapped", by="coo-a", at=NOW) == 0
    with store.read() as reader:
        assert reader.quarantine_item("q-3") == items[2]
        kept = reader.quarantine_item("q-1")
        assert kept is not None
        assert (kept.raw, kept.status, kept.settled_by) == (items[0].raw, "dismissed", "coo-a")
        assert {item.item_id for item in reader.quarantine("unread")} == {"q-3", "q-4"}
        assert reader.counts().quarantine_unread == 2


def _record(key: str, number: int) -> OutboxRow:
    value = str(number).encode() + b"\x00\xff"
    return OutboxRow(topic="triage.cases.v1", key=key, value=value, headers=(("x-error", "ü"),))


def _leg(number: int) -> CompletedLeg:
    return CompletedLeg(
        case_id=case_number(number),
        leg="received_to_decompression",
        tier=Tier.EMERGENT,
        hospital="hospital:RX1",
        seconds=60 * number,
        completed_at=NOW,
    )
