"""Who is on call in a scenario, and what is done to the roster while it runs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.scenarios.house import ROSTER
from tests.scenarios.script import person
from tests.scenarios.words import read_instant
from triage.domain.roster.changes import Act, RosterChange, revocation
from triage.domain.roster.roster import Override, Person, Roster, Rota, Site
from triage.rosters.changing import changes_of
from triage.rosters.sources import Kept, put_together

SOUTH = "centre:SOUTH"


def roster_of(scenario: Mapping[str, Any], start: datetime) -> Roster:
    """The roster in force at a scenario's start."""
    site = ROSTER.sites[ROSTER.default_site]
    if scenario.get("hours") == "always":
        always = replace(site, days=frozenset(range(7)), opens=time(), closes=time())
        site = replace(always, holidays=frozenset())
    overrides = tuple(
        relief(site.id, role, read_instant(at, start))
        for role, at in scenario.get("relieved", {}).items()
    )
    nights = [each.role for each in overrides] + scenario.get("nights", [])
    people = {**ROSTER.people, **{(night := night_person(role)).id: night for role in nights}}
    roster = replace(ROSTER, sites={site.id: site}, overrides=overrides, people=people)
    roster = without(roster, scenario.get("without", []))
    return with_south(roster) if scenario.get("sites") == 2 else roster


def with_south(roster: Roster) -> Roster:
    """A second receiving site, an hour ahead, with somebody of its own in each role."""
    site = Site(id=SOUTH, zone=ZoneInfo("Europe/Berlin"))
    people = {each.id: each for each in map(_of_south, ROSTER.people.values())}
    rotas = tuple(Rota(site=SOUTH, role=each.role, people=(each.id,)) for each in people.values())
    return replace(
        roster,
        sites={**roster.sites, SOUTH: site},
        people={**roster.people, **people},
        rotas=(*roster.rotas, *rotas),
    )


def _of_south(day: Person) -> Person:
    return replace(day, id=day.id[:-1] + "s", name=day.name.replace("Sample", "Sample South"))


def without(roster: Roster, roles: list[str]) -> Roster:
    """The roster in which nobody serves in these roles by the file."""
    absent = {role.replace(" ", "_") for role in roles}
    return replace(roster, rotas=tuple(each for each in ROSTER.rotas if each.role not in absent))


def relief(site: str, role: str, at: datetime) -> Override:
    """For twelve hours from `at` the night's person serves in a role."""
    return Override(
        site=site,
        role=role,
        person=night_person(role).id,
        starts=at,
        ends=at + timedelta(hours=12),
        reason="night",
    )


def night_person(role: str) -> Person:
    """Who relieves the person on call in a role."""
    day = ROSTER.people[f"{role.replace('_', '-')}-a"]
    return replace(day, id=day.id[:-1] + "b", name=day.name.replace("Sample", "Sample Night"))


class RosterDesk:
    """The file, and what people change at the desk; `roster` is what is in force."""

    def __init__(self, file: Roster, start: datetime) -> None:
        self.file, self.start = file, start
        self.roster = file
        self.made: list[RosterChange] = []

    def change(self, asked: Mapping[str, Any], at: datetime) -> Roster:
        """`kind` and its fields as over HTTP, people by role; or `revoke`, an act's number."""
        number = len({each.together for each in self.made}) + 1
        act = Act(id=f"{number:08}", by="consultant-a", reason="illness", at=at)
        if "revoke" in asked:
            self.made.append(revocation(self.made, f"{asked['revoke']:08}", act))
        else:
            self.made += changes_of(self._read(asked), self.roster, act)
        return self._in_force(at)

    def edit(self, roles: list[str], at: datetime) -> Roster:
        """The file is edited: nobody serves in these roles, somebody in all others."""
        self.file = without(self.file, roles)
        return self._in_force(at)

    def _in_force(self, at: datetime) -> Roster:
        self.roster = put_together(self.file, Kept(changes=self.made), at)
        return self.roster

    def _read(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        times = {"from", "to", "first", "second"} & asked.keys()
        people = {"person", "absent"} & asked.keys()
        return {
            **asked,
            **{name: read_instant(asked[name], self.start).isoformat() for name in times},
            **{name: person(asked[name])["person"] for name in people},
        }
