"""Plays a scenario file (format: README.md beside this) and compares what people would see."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.scenarios.checks import CHECKS, Seen, only
from tests.scenarios.house import House, Sent
from tests.scenarios.rosters import RosterDesk, roster_of
from tests.scenarios.script import EVENT_KEYS, SENDERS, Script, case_of, label
from tests.scenarios.words import read_instant, since_start
from triage.domain.events import Event
from triage.handle import Outcome

_TOP_KEYS = set("title why start hours without relieved nights sites step paged".split())
_STEP_KEYS = {"at", "asleep", "desk", "unstaffed", "then", *EVENT_KEYS, *SENDERS}


def read_scenario(path: Path) -> dict[str, Any]:
    """The file, with every key checked: an expectation that is misspelt must not pass."""
    scenario = tomllib.loads(path.read_text())
    only(scenario, _TOP_KEYS, path.name)
    for number, step in enumerate(scenario["step"], start=1):
        only(step, _STEP_KEYS, f"{path.name} step {number}")
        only(step.get("then", {}), {*CHECKS, "case"}, f"{path.name} step {number} then")
    assert any("then" in step for step in scenario["step"]) or scenario.get("paged")
    return scenario


def play(path: Path, *, looks_ahead: bool = False) -> None:
    """Play one file; AssertionError says at which step what was expected and what was there."""
    scenario = read_scenario(path)
    start = datetime.fromisoformat(scenario["start"]).astimezone(UTC)
    table = _Play(House(roster_of(scenario, start), looks_ahead=looks_ahead), start)
    for number, step in enumerate(scenario["step"], start=1):
        table.take(step, f"{path.stem}, step {number} (at {step['at']})")
    for expected in scenario.get("paged", []):
        table.check_paged(expected, path.stem)


class _Play:
    """A scenario under way."""

    def __init__(self, house: House, start: datetime) -> None:
        self.house, self.start = house, start
        self.script = Script(start)
        self.rosters = RosterDesk(house.desk.roster, start)
        self.read_pages: Counter[str] = Counter()

    def take(self, step: Mapping[str, Any], where: str) -> None:
        """Let time pass to the step, send its event, and look."""
        at = read_instant(step["at"], self.start)
        if not step.get("asleep", False):
            self.house.pass_time(at)
        if "desk" in step:
            self.house.desk.roster = self.rosters.change(step["desk"], at)
        if "unstaffed" in step:
            self.house.desk.roster = self.rosters.edit(step["unstaffed"], at)
        event = self.script.event(step, at, self.house.sent)
        outcome = self.house.receive([event], at)[0] if event else None
        if not step.get("asleep", False) or event is None:
            self.house.pass_time(at)
        if "then" in step:
            self._check(step["then"], outcome, event, where)

    def _check(
        self,
        then: Mapping[str, Any],
        outcome: Outcome | None,
        event: Event | None,
        where: str,
    ) -> None:
        name = then.get("case", "first")
        document = self.house.document(case_of(name))
        pages = self._new_pages(name) if any(key.startswith("pages") for key in then) else []
        seen = Seen(document or {"state": "none"}, pages, outcome, self.start)
        problems = [
            f"{key}: expected {then[key]!r}, was {problem}"
            for key in then.keys() - {"case"}
            for problem in [CHECKS[key](seen, then[key])]
            if problem is not None
        ]
        assert not problems, "\n  ".join([where, *problems])

    def _new_pages(self, name: str) -> list[Sent]:
        own = [each for each in self.house.sent if each.order.case == case_of(name)]
        new = own[self.read_pages[name] :]
        self.read_pages[name] = len(own)
        return new

    def check_paged(self, expected: Mapping[str, Any], where: str) -> None:
        """Every instant, from start to end, at which a page with this label went out."""
        only(expected, {"page", "at", "case"}, f"{where} paged")
        case = case_of(expected.get("case", "first"))
        found = [
            since_start(each.at, self.start)
            for each in self.house.sent
            if each.order.case == case and label(each) == expected["page"]
        ]
        assert found == expected["at"], f"{where}: {expected['page']} was paged at {found}"
