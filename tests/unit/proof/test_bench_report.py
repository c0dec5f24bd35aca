"""Figures beside their goals: percentiles by nearest rank, a missed goal is seen in both forms."""

import json

import pytest
from rich.console import Console

from triage.proof.bench_report import (
    Figure,
    as_json,
    at_least,
    at_most,
    percentile,
    print_table,
    report,
)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([5.0], 99, 5.0),
        ([1.0, 2.0, 3.0, 4.0], 50, 2.0),
        ([float(n) for n in range(1, 101)], 99, 99.0),
        ([float(n) for n in range(1, 1001)], 99, 990.0),
        ([3.0, 1.0, 2.0], 100, 3.0),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    values: list[float], percent: float, expected: float
) -> None:
    assert percentile(values, percent) == expected


def test_no_sample_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="no sample"):
        percentile([], 50)


def test_the_goal_itself_is_met_and_beyond_it_is_not() -> None:
    assert at_least("rate", 5_000, "events/s", 5_000, samples=1).is_met
    assert not at_least("rate", 4_999, "events/s", 5_000, samples=1).is_met
    assert at_most("p99", 100, "ms", 100, samples=1).is_met
    assert not at_most("p99", 100.1, "ms", 100, samples=1).is_met


def test_both_forms_tell_figures_goals_samples_machine_and_commit() -> None:
    missed = at_most("p99", 250, "ms", 100, samples=3_000)
    baseline = Figure(name="raw", value=20_155, unit="records/s", samples=20_000)
    result = report("page", [missed, baseline], ["shared machine"])
    document = json.loads(as_json(result))
    assert document["meets_every_goal"] is False
    assert document["figures"][0]["goal"] == "<= 100"
    assert document["machine"]
    assert document["commit"]
    console = Console(record=True, width=140)
    print_table(result, console)
    text = console.export_text()
    for word in ("p99", "250", "<= 100", "NO", "3,000", "20,155", "shared machine"):
        assert word in text
    assert result.commit in text
