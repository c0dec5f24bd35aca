"""The simulator itself: one seed, one run; stories as files; what shrinking leaves; the month."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from triage.books import load_books
from triage.cli import program
from triage.proof.simulate.campaign import Judge
from triage.proof.simulate.check_cases import check_cases
from triage.proof.simulate.check_pages import check_pages
from triage.proof.simulate.checker import check
from triage.proof.simulate.command import DEFAULT_ROTA
from triage.proof.simulate.crash_points import ProcessDied
from triage.proof.simulate.make_story import random_story
from triage.proof.simulate.month_end import figures_and_check
from triage.proof.simulate.month_figures import figures
from triage.proof.simulate.month_story import Month, month_story
from triage.proof.simulate.run import run_story
from triage.proof.simulate.shrink import shrink
from triage.proof.simulate.side_by_side import side_by_side
from triage.proof.simulate.story import Crash, Story
from triage.proof.simulate.story_file import UnreadableStory, read_story, write_story
from triage.proof.simulate.verdict import CaseView, Down, Violation, excused
from triage.proof.simulate.virtual_time import VirtualClock, VirtualLoop, run_virtually
from triage.recording.ledger import PolicyBooks

_START = datetime(2026, 3, 2, 8, tzinfo=UTC)


@cache
def _books() -> PolicyBooks:
    return load_books(None)


def _digest(seed: int) -> str:
    return run_story(random_story(seed), _books()).world.trace.digest


def test_an_hour_of_waiting_takes_no_time_and_the_clock_shows_it() -> None:
    loop = VirtualLoop(Random(1))
    clock = VirtualClock(_START, loop)

    async def wait() -> datetime:
        await asyncio.sleep(3600)
        return clock.now()

    assert run_virtually(loop, wait()) == _START + timedelta(hours=1)


def test_a_loop_in_which_nothing_can_happen_any_more_says_so() -> None:
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="stands still"):
        run_virtually(VirtualLoop(Random(1)), wait())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert _digest(4) == _digest(4)
    assert _digest(4) != _digest(6)


def test_the_same_seed_gives_the_same_bytes_in_another_process_with_other_hashes() -> None:
    script = (
        "from triage.books import load_books\n"
        "from triage.proof.simulate.make_story import random_story\n"
        "from triage.proof.simulate.run import run_story\n"
        "print(run_story(random_story(9), load_books(None)).world.trace.digest)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == _digest(9)


@pytest.mark.parametrize("seed", [1, 3, 12])
def test_a_story_comes_back_from_its_file_unchanged(seed: int) -> None:
    story = random_story(seed)
    assert read_story(write_story(story, ["a note"])) == story


def test_a_file_that_is_no_story_is_refused_with_its_place() -> None:
    with pytest.raises(UnreadableStory, match="start"):
        read_story(write_story(random_story(1)).replace("start =", "begin ="))
    with pytest.raises(UnreadableStory, match="form: 2"):
        read_story(write_story(random_story(1)).replace("form = 1", "form = 2"))


def test_shrinking_leaves_only_what_the_failure_needs() -> None:
    story = next(each for each in map(random_story, range(200)) if len(each.messages) > 12)
    wanted = story.messages[7]

    def fails(candidate: Story) -> bool:
        return wanted in candidate.messages

    small = shrink(story, fails, most_runs=500)
    assert small.messages == (wanted,)
    assert not small.crashes
    assert small.processes == 1


def test_a_process_dies_at_the_planned_point_and_another_takes_its_place() -> None:
    story = random_story(9)
    crash = Crash("sweep.commit", 1)
    outcome = run_story(
        Story(
            seed=story.seed,
            start=story.start,
            hours=story.hours,
            roster=story.roster,
            messages=story.messages,
            crashes=(crash,),
        ),
        _books(),
    )
    told = [line.split(" ", 1)[1] for line in outcome.world.trace.lines]
    assert told.count("death p1 at sweep.commit") == 1
    assert told.count("start p1") == 2
    assert check(outcome) == []


def test_a_dead_process_is_stopped_by_no_except_exception() -> None:
    assert not issubclass(ProcessDied, Exception)


def test_only_the_part_of_a_wait_in_which_nothing_could_be_done_is_excused() -> None:
    down = [Down(_START, _START + timedelta(minutes=2))]
    late = _START + timedelta(minutes=1)
    assert excused(down, late, late + timedelta(hours=1)) == timedelta(minutes=1)
    assert excused(down, _START - timedelta(hours=1), _START) == timedelta()


def test_a_page_that_is_recorded_and_at_no_provider_is_found() -> None:
    outcome = run_story(random_story(9), _books())
    assert list(check_pages(outcome)) == []
    gone = outcome.world.phones.arrivals[0].document["page"]
    arrivals = outcome.world.phones.arrivals
    arrivals[:] = [each for each in arrivals if each.document["page"] != gone]
    found = [each for each in check_pages(outcome) if gone in each.what]
    assert [each.invariant for each in found] == [7]


def test_a_page_that_is_owed_and_was_never_ordered_is_found() -> None:
    outcome = run_story(random_story(9), _books())
    assert list(check_cases(outcome)) == []
    outcome.world.raw.execute(
        "DELETE FROM page WHERE case_id IN (SELECT case_id FROM cases LIMIT 1)"
    )
    found = list(check_cases(outcome))
    assert found
    assert all(each.invariant == 6 and "not there" in each.what for each in found)


def test_the_end_of_a_month_by_two_processes_tells_what_one_would() -> None:
    outcome = run_story(random_story(9), _books())
    outcome.world.raw.execute("DELETE FROM page WHERE case_id IS NOT NULL")
    shown, broken = figures_and_check(outcome, "month", 1)
    assert shown == figures(outcome.world, "month", 1)
    assert broken == check(outcome)
    assert len({each.what.split(":")[0] for each in broken}) > 1


def test_what_a_copy_of_the_process_cannot_do_is_done_here() -> None:
    here = os.getpid()
    assert side_by_side(lambda: "ours", lambda: "theirs") == ("ours", "theirs")
    assert side_by_side(lambda: "ours", lambda: 1 // (os.getpid() == here)) == ("ours", 1)


def test_a_second_model_is_asked_about_every_case_with_its_log() -> None:
    asked: list[CaseView] = []

    def model(view: CaseView) -> list[Violation]:
        asked.append(view)
        return [Violation(5, f"{view.case}: the second model says otherwise")]

    judge = Judge(books=_books(), second_model=model)
    found = judge.violations(random_story(9))
    assert asked
    assert all(view.log and view.document["case"] == view.case for view in asked)
    assert len(found) == len(asked)


def _simulate(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(program("simulate"), ["simulate", *words])
    return result.exit_code, result.stdout


_MONTH = ("--days", "2", "--cases", "8", "--seed", "3")


def test_a_month_as_json_adds_up() -> None:
    status, text = _simulate(*_MONTH, "--json")
    month = json.loads(text)["months"][0]
    assert status == 0
    assert month["cases"] == sum(month["by_tier"].values()) > 0
    assert month["pages"] == sum(each["pages"] for each in month["people"].values())
    assert month["pages"] == sum(each["pages"] for each in month["shifts"].values())
    assert all(each["nights_woken"] <= 3 for each in month["people"].values())


def test_in_a_month_some_referrals_are_found_to_be_of_one_patient() -> None:
    month = Month(roster=DEFAULT_ROTA.read_text(), days=3, cases=60, seed=2)
    outcome = run_story(month_story(month), _books(), watches=False)
    joined = "SELECT lead_case_id FROM cases WHERE document ->> '$.joined' <> '[]'"
    leads = [lead for (lead,) in outcome.world.raw.execute(joined)]
    assert len(leads) >= 2
    assert len(set(leads)) < len(leads)
    assert check(outcome) == []


def test_the_page_of_a_month_stands_by_itself_and_has_a_dot_for_each_page(tmp_path: Path) -> None:
    file = tmp_path / "month.html"
    status, text = _simulate(*_MONTH, "--json", "--html", str(file))
    page = file.read_text(encoding="utf-8")
    assert status == 0
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<title>") - 1 == json.loads(text)["months"][0]["pages"]


def test_two_rotas_side_by_side_show_who_is_missing(tmp_path: Path) -> None:
    whole = Path("triage/proof/demo_roster.toml").read_text(encoding="utf-8")
    gap = tmp_path / "gap.toml"
    rota = '[[rota]]\nsite = "centre:NEURO"\nrole = "registrar"\npeople = ["reg-a"]\n'
    assert rota in whole
    gap.write_text(whole.replace(rota, ""), encoding="utf-8")
    status, text = _simulate(*_MONTH, "--json", "--against", str(gap))
    with_all, without = json.loads(text)["months"]
    assert status == 0
    assert with_all["unreachable"] == []
    assert {each["who"] for each in without["unreachable"]} == {"registrar"}
    assert "nobody on the rota for registrar" in without["unreachable"][0]["why"]


def test_a_kept_story_is_played_again_and_says_whether_it_still_breaks(tmp_path: Path) -> None:
    file = tmp_path / "story.toml"
    file.write_text(write_story(random_story(9)), encoding="utf-8")
    status, text = _simulate("--replay", str(file), "--json")
    assert status == 0
    assert json.loads(text) == {"trace": _digest(9), "broken": []}
