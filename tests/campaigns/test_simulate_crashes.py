"""A process may die at every await and at every commit: nothing is lost, nobody is forgotten."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import pytest

from triage.books import load_books
from triage.proof.simulate.campaign import Campaign, Judge, run_campaign
from triage.proof.simulate.checker import MUST_REACH
from triage.proof.simulate.crash_points import AWAIT
from triage.proof.simulate.make_story import crowd, random_story
from triage.proof.simulate.run import run_story
from triage.proof.simulate.sample_roster import sample_roster
from triage.proof.simulate.story import Crash, Story, Temper

_NEVER = Crash(AWAIT, 10**9)


@cache
def _judge() -> Judge:
    return Judge(books=load_books(None))


def _one_emergent() -> Story:
    """One EMERGENT referral: paged, answered, taken on. Nothing goes wrong but the crash."""
    crowded = crowd(5)
    return replace(
        crowded,
        hours=0.3,
        roster=sample_roster(Random(3)),
        messages=crowded.messages[-1:],
        crashes=(_NEVER,),
        processes=1,
        temper=Temper(answers=1.0, late=0, twice=0, declines=0, hands_over=0, refuses=0, hangs=0,
                      unreachable=0, says_delivered=0),
    )  # fmt: skip


@cache
def _passed() -> dict[str, int]:
    """How often each point is passed when nobody dies."""
    outcome = run_story(_one_emergent(), _judge().books)
    return dict(outcome.world.points.passed)


def _death(crash: Crash) -> list[str] | None:
    """What broke when somebody died there; None where nobody came past before the faults ended."""
    outcome, found = _judge().outcome(replace(_one_emergent(), crashes=(crash,)))
    return [f"{crash}: {each}" for each in found] if outcome.deaths else None


def test_a_process_that_dies_at_any_await_loses_nothing() -> None:
    deaths = [_death(Crash(AWAIT, nth)) for nth in range(1, _passed()[AWAIT] + 1)]
    assert sum(each is not None for each in deaths) > 100
    assert [what for each in deaths for what in each or ()] == []


def _commits() -> Iterator[Crash]:
    for role in ("door", "sweep", "relay"):
        for place in ("begin", "commit", "committed"):
            point = f"{role}.{place}"
            for nth in range(1, min(_passed()[point], 3) + 1):
                yield Crash(point, nth)
    yield from (Crash("provider.send", 1), Crash("provider.sent", 1))


def test_a_process_that_dies_around_any_commit_loses_nothing() -> None:
    crashes = list(_commits())
    assert {crash.point.partition(".")[0] for crash in crashes} == {
        "door", "sweep", "relay", "provider",
    }  # fmt: skip
    deaths = [_death(crash) for crash in crashes]
    assert all(
        each is not None for crash, each in zip(crashes, deaths, strict=True) if crash.nth == 1
    )
    assert [what for each in deaths for what in each or ()] == []


@pytest.mark.parametrize("seed", [3, 7])
def test_a_store_in_a_file_gives_the_same_run_as_one_in_memory(seed: int, tmp_path: Path) -> None:
    story = random_story(seed)
    file = tmp_path / "store.db"
    in_memory = run_story(story, _judge().books)
    on_file = run_story(story, _judge().books, file=file)
    assert file.stat().st_size > 0
    assert on_file.world.trace.digest == in_memory.world.trace.digest
    assert replace(_judge(), on_file=True).violations(story) == []


def test_a_campaign_that_came_past_too_little_is_red_though_nothing_broke() -> None:
    campaign = run_campaign([7], _judge(), enough=1)
    assert not campaign.broken
    assert campaign.unreached
    assert not campaign.is_green


@pytest.mark.parametrize("mark", sorted(MUST_REACH))
def test_one_mark_that_was_never_reached_makes_a_campaign_red(mark: str) -> None:
    campaign = Campaign(enough=200, seeds=200, marks=set(MUST_REACH))
    assert campaign.is_green
    campaign.marks.remove(mark)
    assert campaign.unreached == {mark}
    assert not campaign.is_green
