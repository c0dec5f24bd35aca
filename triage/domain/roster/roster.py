"""The roster: sites, people with their routes, rotas, overrides, and who is on call.

Wall-clock times (rotas, hours) are those of the site's own zone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from triage.domain.roster.feeds import Feed
from triage.domain.roster.people import Person as Person
from triage.domain.roster.people import Route as Route
from triage.domain.roster.people import RouteKind as RouteKind
from triage.domain.roster.rotation import Turn, first_handover, turn_at
from triage.domain.roster.telephone import Provider
from triage.domain.wall_time import first_instant, wall_clock

ROLES = (
    "coordinator",
    "registrar",
    "fellow",
    "consultant",
    "second_consultant",
    "clinical_director",
    "oncology",
    "haematology",
    "radiology",
    "anaesthetics",
    "theatre",
    "palliative",
    "rehabilitation",
    "site_manager",
    "referrer",
    "admin",
    "quality",
)
# Who hears of an EMERGENT case that nobody owns (clinical-policy.md 4.1).
DEFAULT_WIDEN = ("oncology", "clinical_director")
# Whom a page means in person, whoever is on call: this is how its rule begins.
OWNER_OF_CASE = "owner of the case"
NAMED_IN_HAND_OVER = "named in the hand-over"
TAKES_OVER = "takes over from the owner"
IN_PERSON = (OWNER_OF_CASE, NAMED_IN_HAND_OVER, TAKES_OVER)
_ANSWERS_KEPT = 4096  # a batch asks the same of one instant again and again
# Where a page shows that its own route did not take: the inbox of the desk.
DESK_INBOX = "desk-inbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A receiving site. Open on `days` (0 = Monday) from `opens` to before `closes`.

    `closes` at 00:00 is midnight at the end of the day. `desk` is its telephone number.
    """

    id: str
    zone: ZoneInfo
    days: frozenset[int] = frozenset(range(5))
    opens: time = time(8)
    closes: time = time(17)
    holidays: frozenset[date] = frozenset()
    desk: str | None = None

    def __post_init__(self) -> None:
        if not self.days:
            raise ValueError(f"site has no working day: {self.id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """People who take turns in a role: each for `every`, from the first hand-over after `since`.

    `handover` is (weekday, time), 0 = Monday. Without `every` the first of `people` always serves.
    """

    site: str
    role: str
    people: tuple[str, ...]
    every: timedelta | None = None
    handover: tuple[int, time] | None = None
    since: date | None = None

    @property
    def first_turn(self) -> datetime | None:
        """The start of the first turn on the wall clock; None when nobody takes turns."""
        if self.every is None or self.handover is None or self.since is None:
            return None
        return first_handover(self.since, *self.handover)

    def turn(self, at: datetime, zone: ZoneInfo) -> Turn | None:
        """The turn that runs at `at`; also before `since`, where it is counted backwards."""
        if self.every is None or self.first_turn is None:
            return None
        return turn_at(at, first=self.first_turn, every=self.every, zone=zone)

    def has_begun(self, at: datetime, zone: ZoneInfo) -> bool:
        """A rota without turns has always begun."""
        return self.first_turn is None or first_instant(self.first_turn, zone) <= at


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person who serves instead of the rota, from `starts` (inclusive) to `ends` (exclusive).

    `kind`: `override` of the roster file; `feed`, an event of the calendar that `reason` names;
    else what somebody did at the desk, as `change` at `made_at`.
    """

    site: str
    role: str
    person: str
    starts: datetime
    ends: datetime
    reason: str
    kind: str = "override"
    change: str | None = None
    made_at: datetime | None = None

    @property
    def precedence(self) -> tuple[int, datetime]:
        """A feed goes before a rota only, the file before a feed, an act at the desk before all."""
        if self.made_at is not None:
            return 2, self.made_at
        return 0 if self.kind == "feed" else 1, self.starts

    def chosen_by(self, zone: ZoneInfo) -> str:
        """The rule as a page shows it; why an act was done stays with the act."""
        until = f"until {wall_clock(self.ends, zone):%Y-%m-%d %H:%M}"
        if self.change is not None:
            return f"{self.kind} {self.change} {until}"
        return f"{self.kind} ({self.reason}) {until}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """Who serves and why it is that person; `person` None when nobody does."""

    person: Person | None
    chosen_by: str
    site: str


class _Post(Protocol):
    @property
    def site(self) -> str: ...
    @property
    def role(self) -> str: ...


_P = TypeVar("_P", bound=_Post)


def _by_post(entries: Iterable[_P]) -> dict[tuple[str, str], list[_P]]:
    posts: dict[tuple[str, str], list[_P]] = {}
    for entry in entries:
        posts.setdefault((entry.site, entry.role), []).append(entry)
    return posts


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A sound roster: every name in it leads somewhere (`read_roster` refuses any other)."""

    sites: Mapping[str, Site]
    people: Mapping[str, Person]
    rotas: tuple[Rota, ...]
    overrides: tuple[Override, ...]
    widen: Mapping[str, tuple[str, ...]]
    default_site: str
    version: str
    feeds: tuple[Feed, ...] = ()
    providers: Mapping[str, Provider] = field(default_factory=dict)
    _rotas: dict[tuple[str, str], list[Rota]] = field(init=False, repr=False, compare=False)
    _overrides: dict[tuple[str, str], list[Override]] = field(init=False, repr=False, compare=False)
    _routeless: frozenset[str] = field(init=False, repr=False, compare=False)
    _answers: dict[tuple[str, str, datetime], OnCall] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rotas", _by_post(self.rotas))
        object.__setattr__(self, "_overrides", _by_post(self.overrides))
        routeless = frozenset(each.id for each in self.people.values() if not each.routes)
        object.__setattr__(self, "_routeless", routeless)

    @property
    def posts(self) -> tuple[tuple[str, str], ...]:
        """The (site, role) pairs that somebody serves at some time, sorted."""
        return tuple(sorted({*self._rotas, *self._overrides}))

    def on_call(self, site: str, role: str, at: datetime) -> OnCall:
        """Who serves in a role at a site at an instant.

        An override goes before the rota; of several that run, the one made last at the desk, then
        the one of the file that began last (the later in the file), then a feed's. Of several rotas
        the first in the file serves that has begun; when none has begun yet, the first. A hand-over
        belongs to the person who takes over.
        """
        asked = (site, role, at)
        answer = self._answers.get(asked)  # one look-up: another thread may clear them meanwhile
        if answer is None:
            answer = self._on_call(*asked)
            if len(self._answers) >= _ANSWERS_KEPT:
                self._answers.clear()
            self._answers[asked] = answer
        return answer

    def _on_call(self, site: str, role: str, at: datetime) -> OnCall:
        override = self._override(site, role, at)
        if override is not None:
            chosen_by = override.chosen_by(self.sites[site].zone)
            return OnCall(person=self.people[override.person], chosen_by=chosen_by, site=site)
        rotas = self._rotas.get((site, role))
        if not rotas:
            return OnCall(
                person=None, chosen_by=f"nobody on the rota for {role} at {site}", site=site
            )
        return self._on_rota(rotas, at)

    def reaches(self, site: str, role: str, at: datetime) -> bool:
        """Whether `on_call` finds anybody, and that person has a route."""
        if not self._routeless:
            return bool(self._rotas.get((site, role))) or bool(self._override(site, role, at))
        person = self.on_call(site, role, at).person
        return person is not None and person.id not in self._routeless

    def _override(self, site: str, role: str, at: datetime) -> Override | None:
        running = [
            (override.precedence, place, override)
            for place, override in enumerate(self._overrides.get((site, role), ()))
            if override.starts <= at < override.ends
        ]
        return max(running)[2] if running else None

    def _on_rota(self, rotas: list[Rota], at: datetime) -> OnCall:
        zone = self.sites[rotas[0].site].zone
        rota = next((each for each in rotas if each.has_begun(at, zone)), rotas[0])
        turn = rota.turn(at, zone)
        holder = rota.people[turn.number % len(rota.people) if turn else 0]
        chosen_by = f"rota {rota.role} at {rota.site}"
        if turn:
            chosen_by += f", turn of {turn.starts:%Y-%m-%d}"
        return OnCall(person=self.people[holder], chosen_by=chosen_by, site=rota.site)

    def site_for(self, destination: str | None) -> tuple[str, str | None]:
        """The receiving site that is meant, and a notice for the coordinator when it was a guess.

        Letter case and blanks around the id do not matter. No or an unknown destination goes to
        the default desk, as `destination_missing` (where there are several sites) or
        `destination_unknown`.
        """
        meant = (destination or "").strip().casefold()
        if not meant:
            notice = "destination_missing" if len(self.sites) > 1 else None
            return self.default_site, notice
        for site in self.sites:
            if site.casefold() == meant:
                return site, None
        return self.default_site, "destination_unknown"

    def widen_roles(self, site: str) -> tuple[str, ...]:
        """The roles that join the circle when nobody takes an EMERGENT case of the site."""
        return self.widen.get(site, DEFAULT_WIDEN)


def default_roster() -> Roster:
    """What serves where no roster file is set: one site, nobody on call, pages to its inbox."""
    site = Site(id="centre:LOCAL", zone=ZoneInfo("UTC"))
    return Roster(
        sites={site.id: site},
        people={},
        rotas=(),
        overrides=(),
        widen={},
        default_site=site.id,
        version="none",
    )
