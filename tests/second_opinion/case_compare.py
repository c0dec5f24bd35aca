"""Where the two models part on one seeded log, as text that a person can follow."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

from tests.scenarios.house import BOOK
from tests.second_opinion.case import Page, Said, second_opinion
from tests.second_opinion.case_desk import Change, apply
from tests.second_opinion.case_ladders import late_page
from tests.second_opinion.case_logs import LogMaker
from tests.second_opinion.case_production import Production, pages_said, said_by
from tests.second_opinion.case_roster import Rosters, rosters_of
from tests.second_opinion.case_sites import Sites, sites_of
from triage.domain.events import Event
from triage.domain.paging import PageOrder
from triage.notify.resolve import resolve_order
from triage.policies.book import PolicyBook

AFTER_THE_LAST = (timedelta(minutes=18), timedelta(hours=2), timedelta(hours=30))


@dataclass(frozen=True)
class Parting:
    """The first instant at which one field differs; `text` shows log and answers."""

    seed: int
    field: str
    production: object
    model: object
    text: str


def first_parting(
    seed: int, book: PolicyBook = BOOK, make: type[LogMaker] = LogMaker
) -> Parting | None:
    """Play one log through both models; None when they agree at every instant looked at."""
    maker = make(seed)
    play = Play(maker, Production(book, maker.roster), rosters_of(maker.roster))
    if len(play.production.roster.sites) > 1:
        play.sites = sites_of(maker.roster)
    event = maker.first()
    for left in reversed(range(maker.length)):
        play.production.take(event)
        play.events.append(event)
        play.production.at(event.received_at)
        following = maker.next_event(play.production.ordered)
        found = play.until(event.received_at, following.received_at if left else None)
        if found is not None:
            return found
        event = following
    return None


@dataclass
class Play:
    """One log, as far as it has been played, before both models."""

    maker: LogMaker
    production: Production
    rosters: Rosters
    events: list[Event] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    owed: tuple[tuple[PageOrder, Page], ...] = ()  # at the last look, as production says it
    meant: frozenset[Page] = frozenset()  # and the model
    sites: Sites | None = None  # where there are several

    def until(self, start: datetime, end: datetime | None) -> Parting | None:
        """Look from one event to the next, and whenever the roster changes."""
        looks = list(instants(start, end))
        changes = {each.at: each for each in self.maker.changes(start, end or looks[-1])}
        for now in sorted({*looks, *changes}):
            found = self.turn(changes[now]) if now in changes else None
            found = found or self.look(now)
            if found is not None:
                return found
        return None

    def turn(self, change: Change) -> Parting | None:
        """Whether it can be done is for both to say."""
        self.changes.append(change)
        ours, theirs = self.production.turn(change), apply(self.rosters, change)
        if ours != theirs:
            return self.parting("change", ours, theirs, change.at)
        sent = self.sent_now(change.at)
        meant = frozenset(late_page(each, self.rosters, change.at) for each in self.meant)
        return None if sent == meant else self.parting("sent", sent, meant, change.at)

    def sent_now(self, now: datetime) -> frozenset[Page]:
        """What was owed before, given to the relay now."""
        found = set()
        for order, page in self.owed:
            sent = resolve_order(order, self.production.roster, now)
            found.add(replace(page, person=sent.person, rule=sent.chosen_by))
        return frozenset(found)

    def look(self, now: datetime) -> Parting | None:
        case, orders = self.production.at(now)
        first = said_by(case, orders)
        second = self.second(now)
        self.owed, self.meant = pages_said(case, orders), second.pages
        if twice := doubled(orders):
            return self.parting("doubled", twice, "nobody is told the same twice (H7)", now)
        if untold := self.production.untold:
            return self.parting("untold", untold, "whom the case is sent on to is told", now)
        for name in differing(first, second):
            ours, theirs = getattr(first, name), getattr(second, name)
            words = {key: verdict.reason or "" for key, verdict in case.verdicts.items()}
            ends = [f"  production: {summary(first)}", f"  model:      {summary(second)}"]
            return self.parting(name, ours, theirs, now, words, ends)
        return None

    def second(self, now: datetime) -> Said:
        pages, sites = self.production.pages.get, self.sites
        return second_opinion(self.events, now, pages, rosters=self.rosters, sites=sites)

    def parting(
        self,
        name: str,
        ours: object,
        theirs: object,
        now: datetime,
        words: dict[tuple[str, str, str], str] | None = None,
        ends: Sequence[str] = (),
    ) -> Parting:
        """Log and answers as text."""
        log = [(each.received_at, line(each, words or {})) for each in self.events]
        log += [(each.at, change_line(each)) for each in self.changes]
        text = "\n".join(
            [
                f"seed {self.maker.seed}, at {now:%d %H:%M:%S}: {name} differs",
                *(f"  {each}" for _, each in sorted(log, key=lambda pair: pair[0])),
                *(f"  {part}" for part in sides(ours, theirs)),
                *ends,
            ]
        )
        return Parting(self.maker.seed, name, ours, theirs, text)


def doubled(orders: Iterable[PageOrder]) -> list[tuple[object, ...]]:
    """Whom more than one page of a step reaches in one role by one route."""
    keys = Counter(
        (each.obligation, each.run, each.owed_at, each.role, each.person, each.route)
        for each in orders
        if each.person is not None and each.obligation != "review"
    )
    return [key for key, number in keys.items() if number > 1]


def instants(start: datetime, end: datetime | None) -> Iterator[datetime]:
    """The receipt itself and, before the next one, two between; after the last some hours."""
    yield start
    if end is None:
        yield from (start + after for after in AFTER_THE_LAST)
        return
    for third in (1, 2):
        between = (start + (end - start) * third / 3).replace(microsecond=0)
        if between > start:
            yield between


def differing(first: Said, second: Said) -> list[str]:
    """The names of the fields in which two answers differ."""
    if first.state == second.state == "unopened":
        return []
    return [
        each.name
        for each in fields(Said)
        if getattr(first, each.name) != getattr(second, each.name)
    ]


def line(event: Event, words: dict[tuple[str, str, str], str]) -> str:
    """One event of the timeline, with production's reason where it had no effect."""
    occurred = (
        "" if event.occurred_at == event.received_at else f" of {event.occurred_at:%d %H:%M:%S}"
    )
    sent = f" sent {event.sent_at:%H:%M:%S}" if event.sent_at else ""
    data = json.dumps(event.data, sort_keys=True, default=str)
    answer = words.get(event.key, "")
    return (
        f"{event.received_at:%d %H:%M:%S}{occurred}{sent} {event.source} {event.type.value} {data}"
        + (f" -> {answer}" if answer else "")
    )


def change_line(change: Change) -> str:
    """One change of the roster."""
    what = change.revokes and f"{change.revokes} revoked"
    what = (
        what or (change.file and f"file: {change.note}") or json.dumps(change.asked, sort_keys=True)
    )
    return f"{change.at:%d %H:%M:%S} roster {change.act} {what}".replace("  ", " ")


def sides(ours: object, theirs: object) -> list[str]:
    """Both values; of two sets only what they do not share."""
    if isinstance(ours, frozenset) and isinstance(theirs, frozenset):
        return [
            f"only production: {_sorted(ours - theirs)}",
            f"only the model:  {_sorted(theirs - ours)}",
        ]
    return [f"production: {_plain(ours)}", f"the model:  {_plain(theirs)}"]


def summary(said: Said) -> str:
    return (
        f"{said.state}, {said.tier}, {'+'.join(said.rules)}{' held' if said.is_held else ''}, "
        f"owner {said.owner or 'nobody'}, acknowledgement {_plain(said.acknowledgement)}"
    )


def _sorted(values: frozenset[Any]) -> str:
    return ", ".join(sorted(_plain(each) for each in values)) or "nothing"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%d %H:%M:%S}"
    if isinstance(value, tuple):
        return "(" + ", ".join(_plain(each) for each in value) + ")"
    return str(value)
