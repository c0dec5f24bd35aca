"""Pages: ordered once, claimed under a lease, settled."""

from dataclasses import replace
from datetime import datetime, timedelta

from tests.store_contract.checks import check
from tests.store_rows import (
    NOW,
    case_number,
    case_row,
    emergent_order,
    minutes,
    order,
)
from triage.domain.backlog import hold
from triage.domain.paging import Attempt, PageId, PageOrder
from triage.store import Store


@check
def a_page_is_ordered_once_under_its_key(store: Store) -> None:
    first, second = order(1), order(2)
    with store.begin() as tx:
        assert tx.order_pages([first, second, first], NOW) == [first.page, second.page]
        changed = replace(first, name="Another Name")
        assert tx.order_pages([changed, order(3)], NOW + minutes(1)) == [order(3).page]
        assert tx.order_pages([], NOW) == []
    with store.read() as reader:
        page = reader.page(first.page)
        assert page is not None
        assert page.order == first
        assert (page.status, page.attempts, page.ordered_at) == ("ordered", 0, NOW)
        assert [row.order.page for row in reader.pages(case_number(2))] == [second.page]


@check
def pages_of_one_deadline_go_out_emergent_first_then_longest_owed(store: Store) -> None:
    orders = [
        order(1, owed_at=NOW - minutes(20)),
        emergent_order(2, owed_at=NOW),
        order(3, owed_at=NOW - minutes(30)),
        emergent_order(4, owed_at=NOW - minutes(1)),
    ]
    with store.begin() as tx:
        tx.order_pages(orders, NOW)
        claimed = tx.claim_pages(NOW, 3, 10)
        rest = tx.claim_pages(NOW, 3, 10)
    assert [page.order for page in claimed] == [orders[3], orders[1], orders[2]]
    assert [page.order for page in rest] == [orders[0]]
    assert all((p.attempt, p.possibly_doubled, p.suppress) == (1, False, None) for p in claimed)


@check
def pages_drain_by_remaining_time_not_by_how_long_they_have_been_owed(store: Store) -> None:
    orders = [
        order(1, owed_at=NOW - minutes(90), due_at=NOW + minutes(600)),
        order(2, owed_at=NOW - minutes(5), due_at=NOW + minutes(10)),
        order(3, owed_at=NOW - minutes(60), due_at=NOW - minutes(1)),
        emergent_order(4, owed_at=NOW - minutes(30), due_at=NOW + minutes(120)),
        emergent_order(5, owed_at=NOW - minutes(1), due_at=NOW + minutes(3)),
        order(6, owed_at=NOW - minutes(30), due_at=None),
        order(7, owed_at=NOW - minutes(6), due_at=NOW + minutes(10)),
    ]
    with store.begin() as tx:
        tx.order_pages(orders, NOW)
        claimed = [page for _ in range(4) for page in tx.claim_pages(NOW, 2, 10)]
    assert [page.order.case for page in claimed] == [
        case_number(number) for number in (5, 4, 6, 3, 7, 2, 1)
    ]


@check
def a_withdrawn_page_that_is_owed_again_takes_its_turn_by_its_new_deadline(store: Store) -> None:
    again = replace(order(1), case=None, due_at=NOW + minutes(600))
    other = order(2, due_at=NOW + minutes(10))
    with store.begin() as tx:
        tx.order_pages([again, other], NOW)
        assert tx.settle_page(again.page, "answered")
        assert tx.order_pages([replace(again, due_at=NOW + minutes(5))], NOW) == [again.page]
        claimed = tx.claim_pages(NOW, 2, 10)
    assert [page.order.page for page in claimed] == [again.page, other.page]


@check
def a_claim_without_a_word_is_claimed_again_as_possibly_doubled(store: Store) -> None:
    with store.begin() as tx:
        tx.order_pages([order(1)], NOW)
        tx.claim_pages(NOW, 10, 10)
    with store.begin() as tx:
        assert tx.claim_pages(NOW + timedelta(seconds=9), 10, 10) == []
        (again,) = tx.claim_pages(NOW + timedelta(seconds=10), 10, 10)
        assert (again.attempt, again.possibly_doubled) == (2, True)
        tx.finish_attempts([_attempt(order(1), 2, "failed", retry_at=NOW + minutes(1))])
        (third,) = tx.claim_pages(NOW + minutes(1), 10, 10)
        assert (third.attempt, third.possibly_doubled) == (3, True)


@check
def a_failed_page_is_tried_again_when_it_says(store: Store) -> None:
    with store.begin() as tx:
        tx.order_pages([order(1)], NOW)
        tx.claim_pages(NOW, 10, 10)
        tx.finish_attempts([_attempt(order(1), 1, "failed", retry_at=NOW + minutes(1))])
        assert tx.claim_pages(NOW + timedelta(seconds=59), 10, 10) == []
        (again,) = tx.claim_pages(NOW + minutes(1), 10, 10)
        assert (again.attempt, again.possibly_doubled) == (2, False)
        tx.finish_attempts([_attempt(order(1), 2, "accepted", at=NOW + minutes(2))])
        assert tx.claim_pages(NOW + minutes(60), 10, 10) == []
    with store.read() as reader:
        page = reader.page(order(1).page)
        assert page is not None
        assert (page.status, page.settled_at, page.ready_at) == (
            "accepted",
            NOW + minutes(2),
            None,
        )
        outcomes = [(a.attempt, a.outcome) for a in reader.attempts([order(1).page])]
    assert outcomes == [(1, "failed"), (2, "accepted")]


@check
def a_late_word_of_an_older_attempt_undoes_nothing(store: Store) -> None:
    with store.begin() as tx:
        tx.order_pages([order(1)], NOW)
        tx.claim_pages(NOW, 10, 10)
        tx.claim_pages(NOW + minutes(1), 10, 60)
        tx.finish_attempts([_attempt(order(1), 1, "failed", retry_at=NOW + minutes(1))])
        assert tx.claim_pages(NOW + minutes(1.5), 10, 10) == []
        tx.finish_attempts([_attempt(order(1), 1, "accepted")])
        tx.finish_attempts([_attempt(order(1), 2, "failed", retry_at=NOW + minutes(2))])
        assert tx.claim_pages(NOW + minutes(60), 10, 10) == []
        page = tx.reads.page(order(1).page)
    assert page is not None
    assert page.status == "accepted"


@check
def an_attempt_on_a_fallback_route_does_not_settle_the_page(store: Store) -> None:
    with store.begin() as tx:
        tx.order_pages([order(1)], NOW)
        tx.claim_pages(NOW, 10, 10)
        tx.finish_attempts(
            [
                _attempt(order(1), 1, "failed", retry_at=NOW + minutes(1)),
                _attempt(order(1), 1, "accepted", route="fallback"),
            ]
        )
        (again,) = tx.claim_pages(NOW + minutes(1), 10, 10)
        routes = {(a.route, a.outcome) for a in tx.reads.attempts([order(1).page])}
    assert again.attempt == 2
    assert routes == {("desk", "failed"), ("fallback", "accepted")}


@check
def withdrawn_pages_are_suppressed_whatever_the_state_of_the_case(store: Store) -> None:
    with store.begin() as tx:
        tx.save_cases([case_row(1, state="closed"), case_row(2), case_row(3)])
        tx.order_pages([order(1), order(2), order(3)], NOW)
        assert tx.withdraw_all_but([case_number(1), case_number(2)], [order(1).page]) == 1
        claimed = {page.order.case: page.suppress for page in tx.claim_pages(NOW, 10, 10)}
        tx.finish_attempts([_attempt(order(2), 1, "suppressed")])
        page = tx.reads.page(order(2).page)
    assert claimed == {
        case_number(1): None,
        case_number(2): "superseded",
        case_number(3): None,
    }
    assert page is not None
    assert (page.status, page.withdrawn) == ("suppressed", "superseded")


@check
def a_withdrawn_page_says_why(store: Store) -> None:
    ladder, warning = (
        replace(order(number), page=PageId(f"{order(number).case}.{name}.0123abcd.1.0.x{number}"))
        for number, name in ((2, "acknowledgement"), (3, "senior_opinion"))
    )
    owned = [case_row(number, owner="registrar") for number in (2, 3)]
    with store.begin() as tx:
        tx.save_cases([case_row(1, state="closed"), *owned])
        tx.order_pages([order(1), ladder, warning], NOW)
        tx.withdraw_all_but([case_number(1), case_number(2), case_number(3)], [])
        claimed = {page.order.case: page.suppress for page in tx.claim_pages(NOW, 10, 10)}
    assert claimed == {
        case_number(1): "closed",
        case_number(2): "acknowledged",
        case_number(3): "superseded",
    }


@check
def a_withdrawn_page_that_is_owed_again_goes_out(store: Store) -> None:
    never_sent, suppressed, accepted = order(1), order(2), order(3)
    three = [never_sent, suppressed, accepted]
    cases = [case_number(n) for n in (1, 2, 3)]
    with store.begin() as tx:
        tx.order_pages([suppressed, accepted], NOW)
        tx.claim_pages(NOW, 10, 60)
        tx.order_pages([never_sent], NOW)
        assert tx.withdraw_all_but(cases, []) == 3
        assert tx.withdraw_all_but(cases, []) == 0
        tx.finish_attempts([_attempt(suppressed, 1, "suppressed")])
        tx.finish_attempts([_attempt(accepted, 1, "accepted")])
    with store.begin() as tx:
        assert tx.order_pages(three, NOW + minutes(1)) == [never_sent.page, suppressed.page]
        assert tx.order_pages(three, NOW + minutes(1)) == []
        again = tx.claim_pages(NOW + minutes(1), 10, 10)
    assert {page.order.page: page.suppress for page in again} == {
        never_sent.page: None,
        suppressed.page: None,
    }


@check
def a_page_owed_again_while_it_is_being_suppressed_still_goes_out(store: Store) -> None:
    with store.begin() as tx:
        tx.order_pages([order(1)], NOW)
        tx.withdraw_all_but([case_number(1)], [])
        (withdrawn,) = tx.claim_pages(NOW, 10, 60)
        assert withdrawn.suppress == "superseded"
        assert tx.order_pages([emergent_order(1)], NOW) == [order(1).page]
        assert tx.claim_pages(NOW, 10, 60) == []
        tx.finish_attempts([_attempt(order(1), 1, "suppressed")])
        (again,) = tx.claim_pages(NOW, 10, 60)
    assert (again.suppress, again.possibly_doubled) == (None, False)
    assert again.order == emergent_order(1)


@check
def the_inbox_shows_the_newest_pages_with_emergent_ones_on_top(store: Store) -> None:
    with store.begin() as tx:
        tx.order_pages([emergent_order(1)], NOW)
        tx.order_pages([order(2)], NOW + minutes(1))
        tx.order_pages([emergent_order(3)], NOW + minutes(2))
        tx.order_pages([order(4)], NOW + minutes(3))
    with store.read() as reader:
        assert [row.order.case for row in reader.inbox(3)] == [case_number(n) for n in (3, 4, 2)]
        assert len(reader.pages(status="accepted")) == 0


def _attempt(
    page: PageOrder,
    number: int,
    outcome: str,
    *,
    route: str = "desk",
    at: datetime = NOW,
    retry_at: datetime | None = None,
) -> Attempt:
    return Attempt(
        page=page.page,
        route=route,
        attempt=number,
        outcome=outcome,
        provider_word=None,
        at=at,
        retry_at=retry_at,
    )


@check
def while_a_backlog_is_read_only_fresh_emergent_pages_go_out(store: Store) -> None:
    since = NOW - timedelta(seconds=2)
    owed_before = emergent_order(1, owed_at=since - minutes(1))
    fresh = emergent_order(2, owed_at=since)
    lesser = order(3, owed_at=NOW)
    unreadable = replace(order(4, owed_at=NOW), tier=None)
    with store.begin() as tx:
        tx.order_pages([owed_before, fresh, lesser, unreadable], NOW)
        tx.say_behind("door", since)
        tx.say_behind("door", NOW)
        assert tx.backlog_since(NOW) == since
        claimed = tx.claim_pages(NOW, 10, 10, hold(tx.backlog_since(NOW), NOW))
        assert [page.order for page in claimed] == [fresh]
    later = since + timedelta(seconds=5)
    with store.begin() as tx:
        tx.say_behind("door", later)
        claimed = tx.claim_pages(later, 10, 10, hold(tx.backlog_since(later), later))
        assert [page.order for page in claimed] == [owed_before, unreadable]
        tx.say_caught_up("door", later)
        assert tx.backlog_since(later) is None
        claimed = tx.claim_pages(later, 10, 10, hold(tx.backlog_since(later), later))
        assert [page.order for page in claimed] == [lesser]


@check
def a_silent_or_endless_backlog_holds_no_page(store: Store) -> None:
    with store.begin() as tx:
        tx.say_behind("dead", NOW)
        assert tx.backlog_since(NOW + timedelta(seconds=4)) == NOW
        assert tx.backlog_since(NOW + timedelta(seconds=5)) is None
        tx.say_behind("dead", NOW + minutes(1))  # silent meanwhile: another backlog
        assert tx.backlog_since(NOW + minutes(1)) == NOW + minutes(1)
        for second in range(0, 301, 4):
            tx.say_behind("slow", NOW + timedelta(seconds=second))
        end = NOW + minutes(5)
        assert tx.backlog_since(end) == NOW
        assert hold(tx.backlog_since(end), end) is None
