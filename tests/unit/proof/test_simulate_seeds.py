"""Fifty fixed seeds and as many fresh ones as the time allows: no invariant is broken.

TRIAGE_SIMULATE_SECONDS: time for fresh seeds (default 20). A failure names its seed.
"""

import os
import time
from pathlib import Path
from random import SystemRandom

import pytest

from triage.books import load_books
from triage.proof.simulate.campaign import Campaign, Judge, run_campaign
from triage.proof.simulate.make_story import random_story
from triage.proof.simulate.story_file import read_story, write_story
from triage.proof.simulate.verdict import Violation

_FIXED = range(1, 51)
_KNOWN = {10}  # stories/backlog_is_read_before_it_pages.toml: not mended yet
_MOST_FRESH = 100_000


def _broken(campaign: Campaign) -> dict[int, list[Violation]]:
    """By seed, without what is known."""
    left = {
        seed: [each for each in found if each.invariant not in _KNOWN]
        for seed, found in campaign.broken.items()
    }
    return {seed: found for seed, found in left.items() if found}


def _told(campaign: Campaign, judge: Judge) -> str:
    """The first failing seed with its story made small: a file for `triage simulate --replay`."""
    broken = _broken(campaign)
    if not broken:
        return ""
    seed, found = next(iter(broken.items()))
    small = judge.smallest(random_story(seed), found[0])
    return f"seed {seed}: {found}\n{write_story(small)}"


def test_fifty_fixed_seeds_keep_every_invariant_and_come_past_what_they_should() -> None:
    judge = Judge(books=load_books(None))
    campaign = run_campaign(_FIXED, judge, enough=len(_FIXED))
    assert not _broken(campaign), _told(campaign, judge)
    assert not campaign.unreached
    assert campaign.deaths > 20
    assert campaign.pages > 200


def test_fresh_seeds_keep_every_invariant() -> None:
    ends = time.monotonic() + float(os.environ.get("TRIAGE_SIMULATE_SECONDS", "20"))
    first = SystemRandom().randrange(10**9)
    judge = Judge(books=load_books(None))
    campaign = run_campaign(
        range(first, first + _MOST_FRESH), judge, until=lambda: time.monotonic() >= ends
    )
    print(f"{campaign.seeds} fresh seeds from {first}, {campaign.deaths} deaths")
    assert not _broken(campaign), _told(campaign, judge)


_STORIES = sorted(Path(__file__).with_name("stories").glob("*.toml"))
_NOT_MENDED = {"backlog_is_read_before_it_pages"}


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(
            file,
            id=file.stem,
            marks=pytest.mark.xfail(strict=True) if file.stem in _NOT_MENDED else (),
        )
        for file in _STORIES
    ],
)
def test_a_story_that_once_broke_something_does_so_no_more(file: Path) -> None:
    story = read_story(file.read_text(encoding="utf-8"))
    assert Judge(books=load_books(None)).violations(story) == []
