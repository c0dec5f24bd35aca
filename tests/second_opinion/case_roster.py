"""Who serves in which role at which moment, by docs/rosters.md alone: from the text of the roster's
file, and from what was asked for at the desk."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from tests.second_opinion.case_hours import LONDON
from triage.domain.events import Actor

SITE = "centre:NEURO"
LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
TWO_MONTHS = timedelta(days=62)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Human:
    """Somebody who can be paged; without a route their pages show at the desk only."""

    id: str
    name: str
    role: str
    has_route: bool

    def is_meant(self, actor: Actor) -> bool:
        """By the roster's id where the act names one, else by role and name."""
        if actor.person:
            return actor.person == self.id
        return (actor.role, actor.name) == (self.role, self.name)


@dataclass(frozen=True)
class Serving:
    """Who serves, and what a page says of the rule that chose them."""

    human: Human | None
    rule: str


@dataclass(frozen=True)
class Rota:
    """People who take turns from `first` on (on the wall clock), or the one who always serves."""

    role: str
    people: tuple[str, ...]
    every: timedelta | None = None
    first: datetime | None = None


@dataclass(frozen=True)
class Stint:
    """Somebody serves whatever the rota says: by an `[[override]]`, or by an act at the desk."""

    role: str
    person: str
    start: datetime
    end: datetime
    what: str
    act: str = ""
    made: datetime = LONG_AGO
    revoked: datetime | None = None

    def stood(self, at: datetime) -> bool:
        """'Each ... counts in every process within seconds; a revocation is a row too.'"""
        return self.made <= at and (self.revoked is None or at < self.revoked)

    def counts_until(self, known: datetime) -> datetime:
        """'A change at the desk counts from when it is made until it is revoked' (decision 12)."""
        if self.revoked is None or self.revoked > known:
            return self.end
        return min(self.end, self.revoked)


@dataclass(frozen=True)
class File:
    """A roster file."""

    humans: Mapping[str, Human]
    rotas: tuple[Rota, ...]
    stints: tuple[Stint, ...]
    widen: tuple[str, ...]
    site: str = SITE


@dataclass
class Rosters:
    """Every roster file with the moment from which it was in force, and every act at the desk."""

    files: list[tuple[datetime, File]]
    desk: list[Stint] = field(default_factory=list)
    changed: list[datetime] = field(default_factory=list)  # whenever any of that changed
    told: dict[tuple[str, datetime, datetime], Serving] = field(default_factory=dict)

    def file(self, known: datetime) -> File:
        return max((each for each in self.files if each[0] <= known), key=lambda each: each[0])[1]

    def serving(self, role: str, at: datetime, known: datetime) -> Serving:
        """What was told is kept until the roster changes."""
        key = role, at, known
        if key not in self.told:
            self.told[key] = self._serving(*key)
        return self.told[key]

    def _serving(self, role: str, at: datetime, known: datetime) -> Serving:
        """By the file in force when we look (`known`). Of acts at the desk those that stood at
        `at`, or where that is still to come those that stand now: 'The first of these that has
        somebody for the post decides'."""
        file = self.file(known)
        desk = [
            each
            for each in self.desk
            if each.role == role and each.stood(min(at, known)) and each.person in file.humans
        ]
        for found, latest in ((desk, "made"), (file.stints, "start")):
            running = [e for e in found if e.role == role and e.start <= at < e.end]
            if running:
                chosen = max(running, key=lambda each: getattr(each, latest))
                until = f"until {chosen.counts_until(known).astimezone(LONDON):%Y-%m-%d %H:%M}"
                return Serving(file.humans[chosen.person], f"{chosen.what} {until}")
        for rota in file.rotas:
            if rota.role == role and begins(rota) <= at:
                return self._on_rota(file, rota, at)
        return Serving(None, f"nobody on the rota for {role} at {file.site}")

    def _on_rota(self, file: File, rota: Rota, at: datetime) -> Serving:
        rule = f"rota {rota.role} at {file.site}"
        if rota.every is None:
            return Serving(file.humans[rota.people[0]], rule)
        number = turn_of(rota, at)
        assert rota.first is not None
        rule += f", turn of {rota.first + number * rota.every:%Y-%m-%d}"
        return Serving(file.humans[rota.people[number % len(rota.people)]], rule)

    def roles_of(self, person: str, at: datetime, known: datetime) -> list[str]:
        """Every role in which somebody serves."""
        file = self.file(known)
        roles = {each.role for each in (*file.rotas, *file.stints, *self.desk)}
        serving = {role: self.serving(role, at, known).human for role in roles}
        return sorted(role for role, who in serving.items() if who and who.id == person)

    def end_of_duty(self, person: str, start: datetime, known: datetime) -> datetime | None:
        """'the first instant at which the owner serves in no role of the receiving site'"""
        for at in self.edges(start, start + TWO_MONTHS, known):
            if at > start and not self.roles_of(person, at, known):
                return at
        return None

    def edges(
        self, start: datetime, end: datetime, known: datetime, role: str | None = None
    ) -> list[datetime]:
        """When another may serve, in a role or in any."""
        file, found = self.file(known), set[datetime]()
        for stint in (*file.stints, *self.desk):
            if role in (None, stint.role):
                found |= {stint.start, stint.end, stint.made}
                found |= {stint.revoked} if stint.revoked and stint.revoked <= known else set()
        for rota in file.rotas:
            if role in (None, rota.role):
                found |= {begins(rota), *turns(rota, start, end)}
        return sorted(at for at in found if start < at < end)

    def shifts(
        self, role: str, start: datetime, end: datetime, known: datetime
    ) -> list[tuple[datetime, datetime, Serving]]:
        """Stretches in which one person serves by one rule."""
        found: list[tuple[datetime, datetime, Serving]] = []
        edges = [start, *self.edges(start, end, known, role), end]
        for begin, until in pairwise(edges):
            who = self.serving(role, begin, known)
            if found and found[-1][2] == who:
                begin, _, _ = found.pop()
            found.append((begin, until, who))
        return found

    def shift_at(
        self, role: str, at: datetime, known: datetime
    ) -> tuple[datetime, datetime] | None:
        """The whole shift that runs at an instant; None where there is no end to it."""
        first, last = at - TWO_MONTHS, at + TWO_MONTHS
        for start, end, who in self.shifts(role, first, last, known):
            if start <= at < end and who.human is not None and start > first and end < last:
                return start, end
        return None


def begins(rota: Rota) -> datetime:
    """'a rota whose time has begun'; one without turns always has."""
    return instant_of(rota.first) if rota.first is not None else LONG_AGO


def turn_of(rota: Rota, at: datetime) -> int:
    """'Hand-over is when the clock on the wall first shows its time.'"""
    assert rota.first is not None
    assert rota.every is not None
    passed = at.astimezone(LONDON).replace(tzinfo=None) - rota.first
    number = max(passed // rota.every - 2, 0)
    while instant_of(rota.first + (number + 1) * rota.every) <= at:
        number += 1
    return number


def turns(rota: Rota, start: datetime, end: datetime) -> Iterator[datetime]:
    if rota.first is not None and rota.every is not None:
        number = turn_of(rota, max(start, begins(rota)))
        while (at := instant_of(rota.first + number * rota.every)) < end:
            yield at
            number += 1


def instant_of(wall: datetime) -> datetime:
    """A time on the wall of the site."""
    return wall.replace(tzinfo=LONDON).astimezone(UTC)


def rosters_of(text: str, site: str = SITE) -> Rosters:
    return Rosters([(LONG_AGO, file_of(text, site))])


def file_of(text: str, site: str = SITE) -> File:
    """A roster file as it is written (docs/configuration.md, the roster), as one site reads it."""
    found: dict[str, Any] = tomllib.loads(text)
    humans = {
        name: Human(name, each["name"], each["role"], bool(each.get("routes")))
        for name, each in found["person"].items()
    }
    rotas = tuple(_rota(each) for each in found.get("rota", []) if each["site"] == site)
    stints = tuple(
        Stint(
            each["role"],
            each["person"],
            instant_of(datetime.fromisoformat(each["from"])),
            instant_of(datetime.fromisoformat(each["to"])),
            f"override ({each['reason']})",
        )
        for each in found.get("override", [])
        if each["site"] == site
    )
    return File(humans, rotas, stints, tuple(found["widen"][site]), site)


def _rota(each: Mapping[str, Any]) -> Rota:
    plain = Rota(each["role"], tuple(each["people"]))
    if "every" not in each:
        return plain
    number, unit = each["every"].split()
    day, at = each["handover"].split()
    since = date.fromisoformat(each["since"])
    since += timedelta(days=(_DAYS.index(day) - since.weekday()) % 7)
    first = datetime.combine(since, time.fromisoformat(at))
    return replace(plain, every=timedelta(**{unit: int(number)}), first=first)
