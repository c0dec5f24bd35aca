"""Each partition goes on at the stored position; Kafka gets one chance to disagree."""

import asyncio
from typing import Any

import pytest

from tests.unit.consumers.bus import P0, P1, Hands
from triage.consumers.seats import AtAssignment, Positions, Seats
from triage.consumers.topics import REFERRALS
from triage.domain.errors import StoreUnavailable


def seats(**rows: int) -> Seats:
    stored = {(REFERRALS, int(name[1:])): offset for name, offset in rows.items()}

    async def read() -> Positions:
        return stored

    return Seats(read)


def run(work: Any) -> Any:
    return asyncio.run(work)


def test_assigned_partitions_are_sought_at_their_rows_and_new_ones_at_the_beginning() -> None:
    hands, held = Hands(P0, P1), seats(p0=7)
    run(AtAssignment(held, lambda: hands).on_partitions_assigned([P0, P1]))  # type: ignore[arg-type]
    assert hands.reads_from == {P0: 7, P1: 0}


def test_a_batch_that_begins_elsewhere_is_refused_and_sought_again() -> None:
    hands, held = Hands(P0, P1), seats(p0=7, p1=3)
    admitted = run(held.admit(hands, {P0: (9, 12), P1: (3, 5)}))  # type: ignore[arg-type]
    assert admitted == {P1}
    assert hands.reads_from[P0] == 7


def test_after_a_batch_the_next_one_must_follow_on() -> None:
    hands, held = Hands(P0), seats(p0=7)
    run(held.admit(hands, {P0: (7, 10)}))  # type: ignore[arg-type]
    held.moved({P0: (7, 10)})
    assert run(held.admit(hands, {P0: (7, 9)})) == frozenset()  # type: ignore[arg-type]
    assert run(held.admit(hands, {P0: (10, 11)})) == {P0}  # type: ignore[arg-type]


def test_records_that_are_gone_are_counted_once_kafka_says_so_twice() -> None:
    hands, held = Hands(P0), seats(p0=7)
    assert run(held.admit(hands, {P0: (20, 21)})) == frozenset()  # type: ignore[arg-type]
    assert held.lost == 0
    assert run(held.admit(hands, {P0: (20, 25)})) == {P0}  # type: ignore[arg-type]
    assert held.lost == 13


def test_nothing_counts_as_lost_where_we_never_read() -> None:
    hands, held = Hands(P0), seats()
    assert run(held.admit(hands, {P0: (20, 21)})) == {P0}  # type: ignore[arg-type]
    assert held.lost == 0


def test_a_log_that_was_cut_back_is_read_without_a_position_until_it_reaches_ours() -> None:
    hands, held = Hands(P0), seats(p0=100)
    assert run(held.admit(hands, {P0: (0, 60)})) == frozenset()  # type: ignore[arg-type]
    assert run(held.admit(hands, {P0: (0, 60)})) == {P0}  # type: ignore[arg-type]
    assert held.cut_back == {P0}
    held.moved({P0: (0, 60)})
    assert run(held.admit(hands, {P0: (60, 101)})) == {P0}  # type: ignore[arg-type]
    held.moved({P0: (60, 101)})
    assert held.cut_back == frozenset()


def test_a_partition_that_was_taken_away_meanwhile_is_not_admitted() -> None:
    hands, held = Hands(P1), seats(p0=7)
    assert run(held.admit(hands, {P0: (7, 8)})) == frozenset()  # type: ignore[arg-type]


def test_lag_counts_what_is_not_in_the_database_and_is_unknown_without_a_seat() -> None:
    hands, held = Hands(P0, P1), seats(p0=7)
    assert held.lag({P0: 10}) is None
    run(held.seat(hands, [P0, P1]))  # type: ignore[arg-type]
    assert held.lag({P0: 10, P1: 4}) == 7


def test_without_the_database_the_first_batch_waits_for_its_seat() -> None:
    answers: list[Any] = [StoreUnavailable("away"), StoreUnavailable("away"), {(REFERRALS, 0): 5}]

    async def read() -> Positions:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    hands, held = Hands(P0), Seats(read)
    run(AtAssignment(held, lambda: hands).on_partitions_assigned([P0]))  # type: ignore[arg-type]
    assert hands.reads_from == {}
    with pytest.raises(StoreUnavailable):
        run(held.admit(hands, {P0: (0, 3)}))  # type: ignore[arg-type]
    assert run(held.admit(hands, {P0: (0, 3)})) == frozenset()  # type: ignore[arg-type]
    assert hands.reads_from == {P0: 5}
