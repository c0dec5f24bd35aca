"""Fifty fixed seeds and as many fresh ones as the time allows: no invariant is broken.

TRIAGE_SIMULATE_SECONDS: time for fresh seeds (default: two minutes where CI is set, otherwise five
seconds). A failure names its seed.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom

import pytest

from triage.books import load_books
from triage.proof.simulate.campaign import Campaign, Judge, run_campaign
from triage.proof.simulate.make_story import random_story
from triage.proof.simulate.story_file import read_story, write_story

_FIXED = range(1, 51)
_MOST_FRESH = 100_000
_FRESH_SECONDS = "120" if os.environ.get("CI") else "5"


def _told(campaign: Campaign, judge: Judge) -> str:
    """The first failing seed with its story made small: a file for `triage simulate --replay`."""
    broken = campaign.broken
    if not broken:
        return ""
    seed, found = next(iter(broken.items()))
    small = judge.smallest(random_story(seed), found[0])
    return f"seed {seed}: {found}\n{write_story(small)}"


def test_fifty_fixed_seeds_keep_every_invariant_and_come_past_what_they_should() -> None:
    judge = Judge(books=load_books(None))
    campaign = run_campaign(_FIXED, judge, enough=len(_FIXED))
    assert not campaign.broken, _told(campaign, judge)
    assert not campaign.unreached
    assert campaign.deaths > 20
    assert campaign.pages > 200


def test_fresh_seeds_keep_every_invariant(
    tell: Callable[[str], None],
) -> None:
    ends = time.monotonic() + float(os.environ.get("TRIAGE_SIMULATE_SECONDS", _FRESH_SECONDS))
    first = SystemRandom().randrange(10**9)
    judge = Judge(books=load_books(None))
    campaign = run_campaign(
        range(first, first + _MOST_FRESH), judge, until=lambda: time.monotonic() >= ends
    )
    tell(f"{campaign.seeds} fresh seeds from {first}, {campaign.deaths} deaths")
    assert not campaign.broken, _told(campaign, judge)


_STORIES = sorted(Path(__file__).with_name("stories").glob("*.toml"))


@pytest.mark.parametrize("file", _STORIES, ids=[file.stem for file in _STORIES])
def test_a_story_that_once_broke_something_does_so_no_more(file: Path) -> None:
    story = read_story(file.read_text(encoding="utf-8"))
    assert Judge(books=load_books(None)).violations(story) == []
