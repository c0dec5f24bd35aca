"""What the auditor promises, for any database: run on SQLite and on PostgreSQL."""

from collections.abc import Callable

import pytest
from sqlalchemy.exc import SQLAlchemyError

from tests.audit_house import AuditHouse, case_of, referral
from triage.domain.audit import Kind
from triage.domain.errors import StoreUnavailable
from triage.escalation.audit_sight import marks
from triage.escalation.auditor import Auditor
from triage.proof.losses import FAR, Loss

AuditCheck = Callable[[AuditHouse], None]
LOST = case_of(1)


def busy(house: AuditHouse, cases: int = 6) -> None:
    """Some cases, their first pages sent, a pass behind them."""
    house.refer(range(1, 1 + cases))
    house.send()
    first = house.audit()
    assert first.found == []
    assert first.is_complete


def check_loss(house: AuditHouse, loss: Loss) -> None:
    """Found within two passes, by its right name and nothing else's; then put right, or told."""
    busy(house)
    sent_before = house.ask("SELECT count(*) FROM page WHERE case_id <> :case", case=LOST)
    assert house.run(*loss.sql, case=LOST, far=FAR) > 0

    result = house.audit(passes=2)

    assert loss.kinds & {finding.kind for finding in result.found}, result
    assert {finding.case for finding in result.found} == {LOST}
    unread = house.ask("SELECT count(*) FROM quarantine WHERE source = 'triage:audit'")
    assert unread == len({finding.key for finding in result.found})
    assert house.ask("SELECT count(*) FROM page WHERE case_id <> :case", case=LOST) == sent_before
    house.send()
    settled = house.audit(passes=2)
    assert settled.found == []
    assert bool(house.open_findings()) is not loss.is_mended, house.open_findings()


def a_healthy_busy_house_is_quiet(house: AuditHouse) -> None:
    for batch in range(6):
        house.refer(range(10 * batch, 10 * batch + 10))
        house.live(120)
        assert house.audit(passes=2).found == []
    house.clock.advance(minutes=7)
    house.live(3600, step=20)
    assert house.audit(passes=3).found == []
    assert house.ask("SELECT count(*) FROM cases") == 60
    assert house.ask("SELECT count(*) FROM audit_finding") == 0


def a_new_auditor_finds_what_was_lost_before_it_started(house: AuditHouse) -> None:
    busy(house)
    house.run("DELETE FROM page WHERE case_id = :case", case=LOST)
    house.auditor = house.new_auditor()
    assert {finding.kind for finding in house.audit().found} == {Kind.PAGE_LOST}


def a_lost_page_that_was_not_sent_is_sent(house: AuditHouse) -> None:
    house.refer(range(1, 3))
    house.audit()
    ordered = house.ask("SELECT count(*) FROM page WHERE case_id = :case", case=LOST)
    house.run("DELETE FROM page WHERE case_id = :case", case=LOST)
    house.audit()
    ready = "SELECT count(*) FROM page WHERE case_id = :case AND ready_at IS NOT NULL"
    assert house.ask(ready, case=LOST) == ordered > 0


def a_lost_page_that_was_sent_is_not_sent_again(house: AuditHouse) -> None:
    busy(house)
    house.run("DELETE FROM page WHERE case_id = :case", case=LOST)
    house.audit()
    accepted = "SELECT count(*) FROM page WHERE case_id = :case AND status = 'accepted'"
    assert house.ask(accepted, case=LOST) > 0
    ready = "SELECT count(*) FROM page WHERE case_id = :case AND ready_at IS NOT NULL"
    assert house.ask(ready, case=LOST) == 0


def a_page_marked_as_sent_that_was_not_is_sent(house: AuditHouse) -> None:
    house.refer(range(1, 3))
    house.audit()
    house.run(
        "UPDATE page SET status = 'accepted', ready_at = NULL, settled_at = ordered_at"
        " WHERE case_id = :case",
        case=LOST,
    )
    assert {finding.kind for finding in house.audit().found} == {Kind.PAGE_CHANGED}
    house.send()
    assert house.audit(passes=2).found == []
    receipts = "SELECT count(*) FROM journal WHERE case_id = :case AND type = 'page.receipt.v1'"
    assert house.ask(receipts, case=LOST) > 0


def a_lost_page_of_unread_records_is_ordered_again(house: AuditHouse) -> None:
    busy(house)
    house.unreadable()
    house.clock.advance(seconds=20)
    house.send()
    house.run("DELETE FROM page WHERE case_id IS NULL")
    assert {finding.kind for finding in house.audit(passes=2).found} == {Kind.UNREAD_UNTOLD}
    assert house.ask("SELECT count(*) FROM page WHERE item = 'unread-hospital:RY2'") > 0


def a_dead_sweep_and_a_dead_relay_are_told(house: AuditHouse) -> None:
    busy(house)
    house.clock.advance(minutes=6)
    kinds = {finding.kind for finding in house.audit(passes=2).found}
    assert kinds == {Kind.TIMER_OVERDUE}
    house.clock.advance(minutes=2)
    kinds = {finding.kind for finding in house.audit(passes=2).found}
    assert Kind.PAGE_UNSENT in kinds


def one_event_that_strikes_many_is_a_few_lines_for_people(house: AuditHouse) -> None:
    busy(house, 30)
    house.run("UPDATE cases SET next_due_at = NULL")
    assert len(house.audit().found) == 30
    assert house.ask("SELECT count(*) FROM quarantine WHERE source = 'triage:audit'") == 21
    house.send()
    assert house.audit(passes=2).found == []


def a_loss_that_strikes_more_than_one_pass_can_mend_is_mended_by_the_next_ones(
    house: AuditHouse,
) -> None:
    busy(house, 12)
    house.auditor = Auditor(house.view, house.store, house.desk, budget_seconds=0)
    house.audit(passes=20)
    house.run("UPDATE cases SET state = 'closed', next_due_at = NULL")
    first = house.audit()
    assert len(first.found) >= 12
    assert len(first.mended) < 12
    house.audit(passes=20)
    assert house.ask("SELECT count(*) FROM cases WHERE state = 'closed'") == 0
    assert house.audit().found == []


def a_case_of_which_nothing_is_left_is_told(house: AuditHouse) -> None:
    busy(house)
    tables = ("case_log", "cases", "journal", "page")
    house.run(*(f"DELETE FROM {table} WHERE case_id = :case" for table in tables), case=LOST)
    found = house.audit(passes=2).found
    assert [(each.kind, each.case) for each in found] == [(Kind.CASE_LOST, LOST)]
    assert house.audit(passes=2).found == []


def what_no_mark_shows_is_found_when_its_turn_comes_again(house: AuditHouse) -> None:
    """As with a mark that is the same by accident, or a fault in how a case was judged."""
    busy(house)
    house.run("UPDATE cases SET leg = 'altered' WHERE case_id = :case", case=LOST)
    with house.view.read() as reading:
        house.auditor._walk._marks.update(marks(reading))
    assert house.audit(passes=2).found == []
    house.clock.advance(minutes=10)
    found = house.audit().found
    assert (Kind.CASE_CHANGED, LOST) in {(each.kind, each.case) for each in found}


def emergent_silence_is_broken(house: AuditHouse) -> None:
    house.refer(range(1, 2))
    house.live(60)
    before = house.ask("SELECT count(*) FROM page WHERE case_id = :case", case=LOST)
    house.clock.advance(minutes=13)
    found = house.audit(passes=2).found
    assert Kind.QUIET in {finding.kind for finding in found}
    assert house.ask("SELECT count(*) FROM page WHERE case_id = :case", case=LOST) > before


def a_published_record_may_be_cleared_away(house: AuditHouse) -> None:
    busy(house)
    with house.store.begin() as tx:
        now = house.clock.now()
        tx.mark_published([item.id for item in tx.claim_outbox(500, now=now)], now)
    house.audit()
    assert house.run("DELETE FROM outbox") > 0
    assert house.audit(passes=2).found == []


def a_position_moved_back_is_told(house: AuditHouse) -> None:
    busy(house)
    house.run("UPDATE kafka_position SET next_offset = 1")
    found = house.audit(passes=2).found
    assert [(each.kind, each.subject) for each in found] == [
        (Kind.POSITION, "triage.referrals.v1/0")
    ]


def a_new_program_or_roster_is_no_finding(house: AuditHouse) -> None:
    busy(house)
    house.run(
        "DELETE FROM audit_basis",
        "UPDATE cases SET document = replace(document, '\"rules\"', '\"formerly\"')",
    )
    house.auditor = house.new_auditor()
    result = house.audit()
    assert result.found == []
    assert result.refreshed == 6
    assert "formerly" not in house.ask("SELECT min(document) FROM cases")


def what_cannot_be_read_is_told_and_the_rest_is_judged(house: AuditHouse) -> None:
    busy(house)
    house.run("UPDATE cases SET document = 'no document' WHERE case_id = :case", case=LOST)
    house.run("DELETE FROM page WHERE case_id = :case", case=case_of(2))
    found = {(each.case, each.kind) for each in house.audit().found}
    assert (LOST, Kind.CASE_CHANGED) in found
    assert (case_of(2), Kind.PAGE_LOST) in found


def a_lost_case_takes_events_again(house: AuditHouse) -> None:
    busy(house)
    house.run("DELETE FROM cases WHERE case_id = :case", case=LOST)
    house.audit()
    again = referral(1, house.clock.now(), walking="unaided", trend="improving")
    house.take(again)
    house.send()
    assert house.audit(passes=2).found == []
    assert house.ask("SELECT tier FROM cases WHERE case_id = :case", case=LOST) == "EMERGENT"


def the_auditor_cannot_write(house: AuditHouse) -> None:
    busy(house)
    for statement in ("DELETE FROM page", "UPDATE cases SET next_due_at = NULL"):
        with pytest.raises((StoreUnavailable, SQLAlchemyError)), house.view.read() as reading:
            reading.ask(statement)
    assert house.audit(passes=2).found == []


CHECKS: tuple[AuditCheck, ...] = (
    a_healthy_busy_house_is_quiet,
    a_new_auditor_finds_what_was_lost_before_it_started,
    a_lost_page_that_was_not_sent_is_sent,
    a_lost_page_that_was_sent_is_not_sent_again,
    a_page_marked_as_sent_that_was_not_is_sent,
    a_lost_page_of_unread_records_is_ordered_again,
    a_dead_sweep_and_a_dead_relay_are_told,
    one_event_that_strikes_many_is_a_few_lines_for_people,
    a_loss_that_strikes_more_than_one_pass_can_mend_is_mended_by_the_next_ones,
    a_case_of_which_nothing_is_left_is_told,
    what_no_mark_shows_is_found_when_its_turn_comes_again,
    emergent_silence_is_broken,
    a_published_record_may_be_cleared_away,
    a_position_moved_back_is_told,
    a_new_program_or_roster_is_no_finding,
    what_cannot_be_read_is_told_and_the_rest_is_judged,
    a_lost_case_takes_events_again,
    the_auditor_cannot_write,
)
