"""Every `*.toml` here that holds steps is one test; README.md tells how to write one."""

from pathlib import Path

import pytest

from tests.scenarios.engine import play

_FOLDER = Path(__file__).parent
_NO_SCENARIO = {"roster.toml", "patients.toml"}
SCENARIOS = sorted(path for path in _FOLDER.glob("*.toml") if path.name not in _NO_SCENARIO)
_REFERRAL = """
title = "a test of the player"
start = "2026-03-10T08:00:00Z"

[[step]]
at = "0 min"
hospital = "referral.submitted"
patient = "incidental finding"
"""


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    play(path)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_where_what_is_due_was_worked_out_before(path: Path) -> None:
    play(path, looks_ahead=True)


@pytest.mark.parametrize(
    "expected",
    [
        'then = { tier = "EMERGENT" }',
        'then = { teir = "ROUTINE" }',
        'then = { pages = ["coordinator acknowledgement"] }',
        'then = { pages_include = ["coordinator acknowledgement"] }',
        'then = { pages_about = { acknowledgement = ["coordinator"] } }',
        'then = { owes = [{ what = "theatre" }] }',
        'then = { owes = [{ what = "acknowledgement", duee = "2 d" }] }',
        'then = { owes_no = ["acknowledgement"] }',
        "then = { effect = false }",
        'then = { flags_include = ["PRECAUTIONS"] }',
        'then = { findings = { ais = "A" } }',
        '[[paged]]\npage = "coordinator acknowledgement"\nat = ["0 min"]',
        "",
    ],
)
def test_a_wrong_expectation_fails(expected: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(_REFERRAL + expected)
    with pytest.raises(AssertionError):
        play(path)


def test_the_same_with_right_expectations_passes(tmp_path: Path) -> None:
    path = tmp_path / "right.toml"
    path.write_text(_REFERRAL + 'then = { tier = "ROUTINE", pages = [], effect = true }')
    play(path)
