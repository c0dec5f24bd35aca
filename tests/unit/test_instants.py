"""Instants as text: one text for one instant, whatever was written before."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from triage.domain.instants import format_instant, parse_instant
from triage.store.column_types import sqlite_instant

# The clocks go back at 02:00: 01:30 comes twice, and Python calls the two equal.
FIRST = datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("Europe/London"))
SECOND = FIRST.replace(fold=1)


@pytest.mark.parametrize("text", [format_instant, sqlite_instant])
@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)])
def test_the_two_instants_of_a_repeated_hour_are_an_hour_apart(
    text: Callable[[datetime], str], order: tuple[datetime, datetime]
) -> None:
    written = {instant.fold: parse_instant(text(instant)) for instant in order}
    assert {fold: at and at.hour for fold, at in written.items()} == {0: 0, 1: 1}
