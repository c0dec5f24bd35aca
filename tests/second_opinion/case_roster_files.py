"""Roster files for seeded logs: who takes turns, and what an edit of the file changes."""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.scenarios.house import ROSTER_TEXT
from tests.scenarios.script import person
from tests.second_opinion.case_hours import LONDON

# Roles that a ladder of the acknowledgement pages, and those that two people take turns in.
PAGED = ("registrar", "coordinator", "consultant", "second_consultant", "site_manager")
IN_TURNS = ("registrar", "coordinator", "consultant")
_MAY_WIDEN = ["oncology", "clinical_director", "palliative", "registrar", "haematology", "fellow"]
Table = dict[str, Any]
_PAGER: Table = {"name": "pager", "kind": "apprise", "url": "json://pager.example/x"}


@dataclass
class RosterFile:
    """A file that can be edited; `text` is how it stands on the disk."""

    dice: Random
    now: datetime
    people: dict[str, Table] = field(init=False)
    rotas: dict[str, Table] = field(init=False)
    overrides: list[Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        found = tomllib.loads(ROSTER_TEXT)
        self.head = {key: found[key] for key in ("version", "default_site")}
        self.sites, self.widen = found["site"], found["widen"]
        self.people = found["person"]
        self.people |= {each["person"]: _human(each) for each in map(night, IN_TURNS)}
        for each in self.dice.sample([*self.people.values()], 5):
            each["routes"] = [_PAGER, *each["routes"]]
        self.full = {each["role"]: each for each in found["rota"]}
        self.full |= {role: self._turns(role) for role in IN_TURNS}
        self.rotas = dict(self.full)

    def _turns(self, role: str) -> Table:
        """Half a day each; the next hand-over is some minutes or hours ahead."""
        ahead = timedelta(minutes=self.dice.choice((3, 12, 18, 33, 55, 130, 400)))
        at = (self.now + ahead).astimezone(LONDON)
        people = [f"{role}-a", f"{role}-b"]
        self.dice.shuffle(people)
        return {
            "site": "centre:NEURO",
            "role": role,
            "people": people,
            "every": "12 hours",
            "handover": f"mon {at:%H:%M}",
            "since": "2026-02-02",
        }

    def edit(self, now: datetime) -> str:
        """One change of the file; what was done, for the reader."""
        dice = self.dice
        edits = [self._empty, self._fill] * 3 + [self._double, self._alone, self._mute] * 2
        who = f"{dice.choice(IN_TURNS)}-{dice.choice('ab')}"
        edits += [lambda: self.leave(who), lambda: self._override(now), self._come, self._widen]
        return dice.choice(edits)()

    def _empty(self) -> str:
        roles = self.dice.sample(PAGED, self.dice.choice((1, 1, 2, 5)))
        self.rotas = {name: each for name, each in self.rotas.items() if name not in roles}
        return f"nobody is {', '.join(roles)}"

    def _fill(self) -> str:
        self.rotas = {
            name: each for name, each in self.full.items() if set(each["people"]) <= {*self.people}
        }
        return "every post is filled"

    def _double(self) -> str:
        """One person in two roles."""
        role, other = self.dice.sample(PAGED, 2)
        who = self.dice.choice(self.full[other]["people"])
        return self._serves(role, who)

    def _alone(self) -> str:
        role = self.dice.choice(IN_TURNS)
        return self._serves(role, f"{role}-{self.dice.choice('ab')}")

    def _serves(self, role: str, who: str) -> str:
        if who not in self.people:
            return "nothing"
        self.rotas[role] = {"site": "centre:NEURO", "role": role, "people": [who]}
        return f"{who} is {role}"

    def _mute(self) -> str:
        """Somebody has no route any more; the others have theirs."""
        who = self.dice.choice([each for each in self.people if each.rsplit("-", 1)[0] in PAGED])
        for name, each in self.people.items():
            each["routes"] = [] if name == who else [{"name": "inbox", "kind": "inbox"}]
        return f"{who} has no route"

    def leave(self, who: str) -> str:
        """Somebody is struck off the file, and off every rota in it."""
        self.people.pop(who, None)
        self.overrides = [each for each in self.overrides if each["person"] != who]
        for role, each in [*self.rotas.items()]:
            left = [name for name in each["people"] if name != who]
            self.rotas[role] = {**each, "people": left}
            if not left:
                del self.rotas[role]
        return f"{who} has left"

    def _come(self) -> str:
        for each in map(night, IN_TURNS):
            self.people.setdefault(each["person"], _human(each))
        for role in IN_TURNS:
            self.people.setdefault(f"{role}-a", _human(person(role)))
        return "everybody is back"

    def _widen(self) -> str:
        self.widen = {"centre:NEURO": self.dice.sample(_MAY_WIDEN, self.dice.randint(1, 3))}
        return f"widened to {', '.join(self.widen['centre:NEURO'])}"

    def _override(self, now: datetime) -> str:
        role, dice = self.dice.choice(PAGED), self.dice
        start, end = stretch(dice, now)
        who = dice.choice([*self.people])
        made = {"site": "centre:NEURO", "role": role, "person": who, "reason": "illness"}
        self.overrides.append({**made, "from": start, "to": end})
        return f"{who} is {role} from {start} to {end}"

    def text(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from _pairs(self.head)
        for table, each in (("site", self.sites), ("person", self.people)):
            for name, values in each.items():
                yield from ("", f'[{table}."{name}"]', *_pairs(values))
        for row, rows in (("rota", [*self.rotas.values()]), ("override", self.overrides)):
            for values in rows:
                yield from ("", f"[[{row}]]", *_pairs(values))
        yield from ("", "[widen]", *(f'"{name}" = {_value(e)}' for name, e in self.widen.items()))


def night(role: str) -> dict[str, str]:
    return person(f"night {role}")


def stretch(dice: Random, now: datetime) -> tuple[str, str]:
    """A stretch of time as people write it: about now, dated back, or ahead."""
    start = now + timedelta(minutes=dice.choice((0, 0, 2, 10, 25, 90, -1, -30, -60, -300)))
    end = start + timedelta(minutes=dice.choice((1, 20, 60, 240, 720, 1440)))
    return wall(start), wall(end)


def wall(at: datetime) -> str:
    return f"{at.astimezone(LONDON):%Y-%m-%dT%H:%M}"


def _human(each: dict[str, str]) -> Table:
    routes = [{"name": "inbox", "kind": "inbox"}]
    return {"name": each["name"], "role": each["role"], "routes": routes}


def _pairs(values: Table) -> Iterator[str]:
    yield from (f"{key} = {_value(value)}" for key, value in values.items())


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(_pairs(value)) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)
