"""A consumer says that it is behind until what lay on the bus has been read."""

import asyncio

import pytest
from aiokafka import TopicPartition

from triage.consumers.catching_up import CatchingUp

FIRST, SECOND = TopicPartition("triage.referrals.v1", 0), TopicPartition("triage.actions.v1", 0)


class Said:
    def __init__(self) -> None:
        self.words: list[bool] = []

    async def __call__(self, is_behind: bool) -> None:
        self.words.append(is_behind)


@pytest.fixture
def said() -> Said:
    return Said()


def looks(catching_up: CatchingUp, *ends_and_reached: tuple[dict, dict]) -> None:  # type: ignore[type-arg]
    async def run() -> None:
        for ends, reached in ends_and_reached:
            await catching_up.look(ends, reached)

    asyncio.run(run())


def test_it_is_behind_from_its_start_until_what_lay_there_is_read(said: Said) -> None:
    looks(
        CatchingUp(said),
        ({FIRST: 3}, {FIRST: 1}),
        ({FIRST: 9}, {FIRST: 2}),
        ({FIRST: 12}, {FIRST: 3}),  # what came later is no backlog
        ({FIRST: 20}, {FIRST: 19}),
    )
    assert said.words == [True, True, False]


def test_a_partition_without_a_seat_is_not_read(said: Said) -> None:
    looks(CatchingUp(said), ({FIRST: 0}, {}), ({FIRST: 0}, {FIRST: 0}))
    assert said.words == [True, False]


def test_a_new_division_of_the_partitions_begins_anew(said: Said) -> None:
    looks(
        CatchingUp(said),
        ({FIRST: 1}, {FIRST: 1}),
        ({FIRST: 1, SECOND: 5}, {FIRST: 1, SECOND: 4}),
        ({FIRST: 1, SECOND: 5}, {FIRST: 1, SECOND: 5}),
    )
    assert said.words == [False, True, False]


def test_falling_far_behind_is_a_backlog_and_a_few_records_are_none(said: Said) -> None:
    looks(
        CatchingUp(said),
        ({FIRST: 0}, {FIRST: 0}),
        ({FIRST: 500}, {FIRST: 0}),
        ({FIRST: 501}, {FIRST: 0}),
        ({FIRST: 900}, {FIRST: 501}),
    )
    assert said.words == [False, True, False]


def test_one_of_too_many_consumers_does_not_hold_pages_for_ever(said: Said) -> None:
    looks(CatchingUp(said), *[({}, {})] * 12)
    assert said.words == [True] * 7 + [False]
