"""What a seeded log of a changing roster has come past, as production says it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.second_opinion.case_compare import instants
from tests.second_opinion.case_production import Production
from tests.second_opinion.case_roster_logs import RosterMaker
from triage.domain.case import Case
from triage.domain.paging import ACKNOWLEDGEMENT, PageOrder
from triage.domain.roster.shifts import posts_of
from triage.workflow.people import SHIFT_RUN

WANTED = frozenset({
    "a role emptied", "a role filled again", "a rung handed on", "nobody has a route",
    "an override of the file", "an override at the desk", "a swap", "cover", "a change refused",
    "a change revoked", "an owner taken off", "everybody called", "no one to take over",
    "another to take over", "one person by two roles", "an owner who has left",
    "asked to take over and off duty",
})  # fmt: skip
_RULES = {
    "override (": "an override of the file",
    "override 0": "an override at the desk",
    "swap 0": "a swap",
    "cover 0": "cover",
}


@dataclass
class Marks:
    """One log, played through production alone; `seen` is what it came past."""

    seed: int
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.maker = RosterMaker(self.seed)
        self.production = Production(file=self.maker.roster)
        self.empty, self.successors = set[str](), dict[str, set[str | None]]()

    def play(self) -> set[str]:
        event = self.maker.first()
        for left in reversed(range(self.maker.length)):
            self.production.take(event)
            self._look(event.received_at)
            following = self.maker.next_event(self.production.ordered)
            looks = list(instants(event.received_at, following.received_at if left else None))
            end = following.received_at if left else looks[-1]
            changes = {each.at: each for each in self.maker.changes(event.received_at, end)}
            for now in sorted({*looks, *changes}):
                if now in changes:
                    change = changes[now]
                    if not self.production.turn(change):
                        self.seen.add("a change refused")
                    elif change.revokes:
                        self.seen.add("a change revoked")
                self._look(now)
            event = following
        return self.seen

    def _look(self, now: datetime) -> None:
        case, orders = self.production.at(now)
        ladder = [each for each in orders if each.obligation == ACKNOWLEDGEMENT]
        self.seen |= {*self._told(ladder), *self._of_owner(case, now)}

    def _told(self, ladder: Sequence[PageOrder]) -> Iterator[str]:
        people = self.production.roster.people
        for each in ladder:
            yield from (mark for rule, mark in _RULES.items() if each.chosen_by.startswith(rule))
            if each.person is None:
                yield "a role emptied"
                yield from self._handed_on(each, ladder)
                self.empty.add(each.role)
            elif each.role in self.empty:
                yield "a role filled again"
            if each.person in people and not people[each.person].routes:
                yield "nobody has a route"
        by_role = Counter(who for who, _ in {(e.person, e.role) for e in ladder if e.person})
        if by_role and max(by_role.values()) > 1:
            yield "one person by two roles"

    def _handed_on(self, empty: PageOrder, ladder: Sequence[PageOrder]) -> Iterator[str]:
        """The next rung in the same moment."""
        if any(e.rung > empty.rung and e.owed_at == empty.owed_at and e.round == 0 for e in ladder):
            yield "a rung handed on"

    def _of_owner(self, case: Case, now: datetime) -> Iterator[str]:
        held, leaving = case.acknowledgement, case.leaving
        if case.run is not None and case.run.name.startswith(SHIFT_RUN):
            yield "everybody called"
        if held is not None and held.by.person not in (None, *self.production.roster.people):
            yield "an owner who has left"
        if held is not None and held.asked is not None and held.asked.person is not None:
            site = self.production.roster.default_site
            if not posts_of(self.production.roster, site, held.asked.person, now):
                yield "asked to take over and off duty"
        if leaving is None or held is None:
            return
        if leaving.at in {each.made_at for each in self.production.changes}:
            yield "an owner taken off"
        next_one = leaving.successor.person if leaving.successor else None
        if next_one is None:
            yield "no one to take over"
        known = self.successors.setdefault(held.event, set())
        known.add(next_one)
        if len(known) > 1:
            yield "another to take over"
