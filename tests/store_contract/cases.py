"""Cases: saved, locked, chained, claimed when due."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from tests.store_contract.checks import check
from tests.store_rows import (
    NOW,
    case_number,
    case_row,
    entry,
    log_row,
    minutes,
    order,
)
from triage.domain.case import CaseState
from triage.domain.tiers import Tier
from triage.store import Store
from triage.store.records import Standing, StoredCase


@check
def a_case_comes_back_as_it_was_saved(store: Store) -> None:
    saved = case_row(
        1,
        next_due_at=NOW + timedelta(microseconds=1),
        acknowledged_at=NOW + minutes(3),
        owner="reg-a",
        deadlines='[{"step": "mri", "due_at": "2026-03-10T12:00:00+00:00"}]',
    )
    with store.begin() as tx:
        tx.lock_cases([saved.case_id, case_number(2), saved.case_id])
        tx.append_log([log_row(1, 2), log_row(1, 1)])
        tx.save_cases([saved])
        found = tx.load_cases([saved.case_id, case_number(2), saved.case_id])
    documents = (log_row(1, 1).document, log_row(1, 2).document)
    assert found == {saved.case_id: StoredCase(saved, documents, 2, "hash-2", 1, "hash-1")}
    with store.read() as reader:
        assert reader.case(saved.case_id) == saved
        assert reader.log(saved.case_id) == [log_row(1, 1), log_row(1, 2)]
        assert reader.cases_of_referral(saved.referral) == [saved]


@check
def a_log_is_loaded_from_the_link_that_is_asked_for_at_least_the_last(store: Store) -> None:
    with store.begin() as tx:
        tx.save_cases([case_row(1), case_row(2), case_row(3)])
        tx.append_log([log_row(case, seq) for case in (1, 2) for seq in (1, 2, 3)])
        ids = [case_number(number) for number in (1, 2, 3)]
        found = tx.load_cases(ids, {ids[0]: 2, ids[1]: 2**31 - 1, ids[2]: 7})
        whole = tx.load_cases(ids)
    ends = [(found[each].first_seq, found[each].first_hash, found[each].log) for each in ids]
    assert ends == [
        (2, "hash-2", (log_row(1, 2).document, log_row(1, 3).document)),
        (3, "hash-3", (log_row(2, 3).document,)),
        (1, "", ()),
    ]
    assert {(found[each].last_seq, found[each].head) for each in ids[:2]} == {(3, "hash-3")}
    assert [len(whole[each].log) for each in ids] == [3, 3, 0]


@check
def open_cases_are_found_by_their_owners_role(store: Store) -> None:
    owned = case_row(1, owner="registrar", document='{"a": 1}')
    others = [
        case_row(2, owner="consultant"),
        case_row(3, owner=None),
        case_row(4, owner="registrar", state="closed"),
    ]
    with store.begin() as tx:
        tx.save_cases([owned, *others])
        assert tx.owned_cases("registrar") == [(owned.case_id, '{"a": 1}')]


@check
def saving_again_replaces_every_column(store: Store) -> None:
    later = case_row(
        1,
        state="closed",
        tier="EMERGENT",
        is_emergent=True,
        version=9,
        head="hash-9",
        document="{}",
        closed_at=NOW + minutes(9),
        unacknowledged_since=None,
        lead_case_id=case_number(4),
        leg=None,
    )
    with store.begin() as tx:
        tx.save_cases([case_row(1, next_due_at=NOW), case_row(2)])
        tx.save_cases([later])
    with store.read() as reader:
        assert reader.case(later.case_id) == later
        assert reader.case(case_number(2)) == case_row(2)


@check
def enumerations_are_stored_by_their_value(store: Store) -> None:
    with store.begin() as tx:
        tx.save_cases(
            [
                case_row(1, tier=Tier.PALLIATIVE_MDT, state=CaseState.CANCELLATION_ASKED),
                case_row(2, tier=None, state=CaseState.OPEN),
            ]
        )
        tx.order_pages([order(1, tier=Tier.PALLIATIVE_MDT), order(2, tier=None)], NOW)
    with store.read() as reader:
        first = reader.case(case_number(1))
        assert first is not None
        assert (first.tier, first.state) == ("PALLIATIVE-MDT", "cancellation_asked")
        assert {row.case_id for row in reader.cases(CaseState.OPEN)} == {
            case_number(1),
            case_number(2),
        }
        assert reader.cases(CaseState.CANCELLATION_ASKED) == [first]
        tiers = {row.order.tier for row in reader.pages()}
    assert tiers == {Tier.PALLIATIVE_MDT, None}


@check
def a_chain_takes_each_number_and_event_once(store: Store) -> None:
    with store.begin() as tx:
        tx.append_log([log_row(1, 1)])
    same_number = log_row(1, 1, event_id="e-other")
    same_event = replace(log_row(1, 1), seq=2)
    earlier_receipt = replace(same_event, received_at=NOW - minutes(1))
    for row in (same_number, same_event):
        with pytest.raises(IntegrityError), store.begin() as tx:
            tx.append_log([row])
    with store.begin() as tx:
        tx.append_log([earlier_receipt])
    with store.read() as reader:
        assert [row.seq for row in reader.log(case_number(1))] == [1, 2]


@check
def due_cases_are_claimed_emergent_first_then_earliest(store: Store) -> None:
    with store.begin() as tx:
        tx.save_cases(
            [
                case_row(1, next_due_at=NOW - minutes(30)),
                case_row(2, next_due_at=NOW, is_emergent=True),
                case_row(3, next_due_at=NOW - minutes(1), is_emergent=True),
                case_row(4, next_due_at=NOW + timedelta(microseconds=1), is_emergent=True),
                case_row(5, next_due_at=None),
                case_row(6, next_due_at=NOW - minutes(40)),
            ]
        )
        assert list(tx.claim_due(NOW, 10)) == [case_number(n) for n in (3, 2, 6, 1)]
        assert list(tx.claim_due(NOW, 3)) == [case_number(n) for n in (3, 2, 6)]
        assert list(tx.claim_due(NOW, 1)) == [case_number(3)]
        assert tx.min_due_in(NOW) == timedelta(0)


@check
def the_next_due_instant_is_told_as_a_wait(store: Store) -> None:
    with store.begin() as tx:
        assert tx.min_due_in(NOW) is None
        tx.save_cases([case_row(1, next_due_at=NOW + minutes(9)), case_row(2)])
        assert tx.min_due_in(NOW) == minutes(9)
        tx.save_cases([case_row(3, next_due_at=NOW + minutes(2), is_emergent=True)])
        assert tx.min_due_in(NOW) == minutes(2)
        assert tx.claim_due(NOW, 10) == {}


@check
def open_means_everything_that_people_follow(store: Store) -> None:
    states = ("unopened", "provisional", "open", "cancellation_asked", "closed")
    with store.begin() as tx:
        tx.save_cases([case_row(n, state=state) for n, state in enumerate(states)])
        tx.save_cases([case_row(9, hospital="hospital:RX2", is_emergent=True)])
    with store.read() as reader:
        assert {row.state for row in reader.cases("open")} == set(states[1:4])
        assert {row.state for row in reader.cases("closed")} == {"closed"}
        assert len(reader.cases()) == 6
        assert reader.cases("open")[0].case_id == case_number(9)
        assert [row.case_id for row in reader.cases(hospital="hospital:RX2")] == [case_number(9)]


@check
def many_writers_lose_nothing(store: Store) -> None:
    failures: list[Exception] = []

    def write(worker: int) -> None:
        try:
            for turn in range(5):
                _add_to_case_one(store, worker * 100 + turn)
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    with store.read() as reader:
        assert [row.seq for row in reader.log(case_number(1))] == list(range(1, 21))
        row = reader.case(case_number(1))
    assert row is not None
    assert row.version == 20


def _add_to_case_one(store: Store, number: int) -> None:
    """Read, then write what was read plus one: wrong at once if two did it side by side."""
    case_id = case_number(1)
    with store.begin() as tx:
        tx.lock_cases([case_id])
        stored = tx.load_cases([case_id]).get(case_id)
        seq = stored.last_seq + 1 if stored else 1
        tx.journal([entry(number, case_id=case_id)])
        tx.append_log([log_row(1, seq, event_id=f"e-{number}")])
        tx.save_cases([case_row(1, version=stored.row.version + 1 if stored else 1)])


@check
def what_falls_due_next_is_told_in_order_whatever_its_lane(store: Store) -> None:
    dues = {1: 5, 2: 1, 3: 3, 4: 3, 5: 9, 6: 0}
    with store.begin() as tx:
        tx.save_cases(
            [
                case_row(number, next_due_at=NOW + minutes(at), is_emergent=number % 2 == 0)
                for number, at in dues.items()
            ]
            + [case_row(7, next_due_at=None)]
        )
        first = tx.due_next((NOW, ""), NOW + minutes(5), 2)
        rest = tx.due_next(first[-1], NOW + minutes(5), 9)
    together = [*first, *rest]
    same_instant = sorted([case_number(3), case_number(4)])
    assert [case for _, case in together] == [
        case_number(6),
        case_number(2),
        *same_instant,
        case_number(1),
    ]
    assert [at for at, _ in together] == [NOW + minutes(m) for m in (0, 1, 3, 3, 5)]


@check
def how_a_case_stands_changes_with_every_writing(store: Store) -> None:
    row = case_row(1, next_due_at=NOW, version=3, head="hash-3", folded_at=NOW)
    with store.begin() as tx:
        tx.save_cases([row])
        assert tx.claim_due(NOW, 10) == {row.case_id: Standing(3, "hash-3", NOW, NOW)}
        tx.save_cases([replace(row, folded_at=NOW + minutes(1))])
        assert tx.claim_due(NOW, 10)[row.case_id].folded_at == NOW + minutes(1)
