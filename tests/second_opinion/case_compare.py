"""Where the two models part on one seeded log, as text that a person can follow."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from tests.scenarios.house import BOOK
from tests.second_opinion.case import Said, second_opinion
from tests.second_opinion.case_logs import LogMaker
from tests.second_opinion.case_production import Production, relieved, said_by
from triage.domain.events import Event
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
    maker, events = make(seed), list[Event]()
    production = Production(book, relieved(maker.relief))
    event = maker.first()
    for left in reversed(range(maker.length)):
        production.take(event)
        events.append(event)
        production.at(event.received_at)
        following = maker.next_event(production.ordered)
        for now in instants(event.received_at, following.received_at if left else None):
            found = parting_at(maker, events, production, now)
            if found is not None:
                return found
        event = following
    return None


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


def parting_at(
    maker: LogMaker, events: list[Event], production: Production, now: datetime
) -> Parting | None:
    case, orders = production.at(now)
    seed, first = maker.seed, said_by(case, orders)
    second = second_opinion(events, now, production.pages.get, relief=maker.relief)
    for name in differing(first, second):
        ours, theirs = getattr(first, name), getattr(second, name)
        words = {key: verdict.reason or "" for key, verdict in case.verdicts.items()}
        text = "\n".join(
            [
                f"seed {seed}, at {now:%d %H:%M:%S}: {name} differs",
                *(f"  {line(each, words)}" for each in events),
                *(f"  {part}" for part in sides(ours, theirs)),
                f"  production: {summary(first)}",
                f"  model:      {summary(second)}",
            ]
        )
        return Parting(seed, name, ours, theirs, text)
    return None


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
