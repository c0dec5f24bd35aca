"""A story that fails, made smaller for as long as it fails in the same way."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from triage.proof.simulate.story import Story

T = TypeVar("T")
_MOST_RUNS = 150


def shrink(story: Story, fails: Callable[[Story], bool], most_runs: int = _MOST_RUNS) -> Story:
    """The smallest that was found: fewer crashes, outages and messages, one process, calm people.

    `fails` runs a story; it is asked at most `most_runs` times.
    """
    left = most_runs
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for candidate in _smaller(story):
            if left == 0:
                return story
            left -= 1
            if fails(candidate):
                story, is_smaller = candidate, True
                break
    return story


def _smaller(story: Story) -> Iterator[Story]:
    """Larger cuts first."""
    for messages in _without(story.messages):
        yield replace(story, messages=messages)
    for crashes in _without(story.crashes):
        yield replace(story, crashes=crashes)
    for outages in _without(story.outages):
        yield replace(story, outages=outages)
    if story.processes > 1:
        yield replace(story, processes=1)
    temper = story.temper
    for name in ("looks", "twice", "refuses", "hangs", "unreachable", "says_delivered"):
        if getattr(temper, name):
            yield replace(story, temper=replace(temper, **{name: 0.0}))
    if story.hours > 0.25:
        yield replace(story, hours=story.hours / 2)


def _without(items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """The items without a half, a quarter, ... one of them."""
    size = len(items)
    while size > 1:
        size = (size + 1) // 2
        for first in range(0, len(items), size):
            yield (*items[:first], *items[first + size :])
        if size == 1:
            return
    if len(items) == 1:
        yield ()
