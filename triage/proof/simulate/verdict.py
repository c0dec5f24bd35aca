"""What a checker says of a run, and the hook for a second model of cases."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from triage.domain.events import CaseId, Event
from triage.domain.roster.roster import Roster
from triage.policies.book import PolicyBook


@dataclass(frozen=True, slots=True)
class Violation:
    """`invariant` is the number in the design's list (section 4)."""

    invariant: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """One case as a run left it, for whoever judges it again from its log.

    `document` is the stored case (contract section 3) as it stood at `folded_at`. `beside` has the
    logs of those that it is joined with; `pages` are the stored orders for it and them, withdrawn
    ones too.
    """

    case: CaseId
    log: Sequence[Event]
    beside: Mapping[CaseId, Sequence[Event]]
    document: Mapping[str, Any]
    pages: Sequence[Mapping[str, Any]]
    folded_at: datetime
    now: datetime
    book: PolicyBook
    roster: Roster


SecondModel = Callable[[CaseView], Iterable[Violation]]


@dataclass(frozen=True, slots=True)
class Down:
    """A time in which nothing could be done: no process alive, or no database."""

    starts: datetime
    ends: datetime


def excused(down: Sequence[Down], starts: datetime, ends: datetime) -> timedelta:
    """How much of a time nothing could be done in; overlapping reasons may count twice."""
    total = timedelta()
    for each in down:
        total += max(min(each.ends, ends) - max(each.starts, starts), timedelta())
    return total
