"""Where the two models part on the logs of cases that are joined: production's whole house, with
its ledger and sweep, against one walk over each group."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tests.scenarios.house import ROSTER_TEXT, House
from tests.second_opinion.case import PageOf, Said, second_opinion
from tests.second_opinion.case_chart import HOUR, LONG_AGO
from tests.second_opinion.case_compare import Parting, differing, instants, line, sides, summary
from tests.second_opinion.case_join_logs import CASES, JoinMaker
from tests.second_opinion.case_joins import group_of, joins_or_parts, log_of, named, opener_of
from tests.second_opinion.case_production import is_untold, page_of, said_by
from tests.second_opinion.case_sites import Sites, sites_of
from tests.second_opinion.case_walk import once_each
from triage.domain.case import Case
from triage.domain.events import CaseId, Event, EventType
from triage.domain.paging import read_page_id
from triage.domain.roster_file.reading import read_roster
from triage.handle import sweep_cases
from triage.recording.ledger import Folded, Ledger

# What people see of a case for which another one speaks.
OF_A_MEMBER = ("state", "tier", "rules", "is_held", "owner")


@dataclass
class JointProduction:
    """The whole house on a store in memory; what each page was about."""

    sites: Sites = field(default_factory=lambda: sites_of(ROSTER_TEXT))
    untold: list[str] = field(default_factory=list)  # owed to a site, ordered for another one
    house: House = field(default_factory=lambda: House(is_relay_up=False))
    told: dict[str, str] = field(default_factory=dict)
    pages: dict[object, PageOf] = field(default_factory=dict)
    ordered: list[str] = field(default_factory=list)
    seen: set[CaseId] = field(default_factory=set)
    last: datetime = LONG_AGO

    def take(self, event: Event) -> None:
        """One more event, after the timers that ran out by then."""
        self._run_timers(event.received_at)
        self.house.receive([event], event.received_at)
        self.seen |= {row.case_id for row in self.house.rows()}
        self.last = event.received_at

    def at(self, now: datetime) -> dict[CaseId, Folded]:
        """Every case at `now`."""
        self._run_timers(now)
        folded, logs = self._fold(now)
        for each in folded:
            here = (each.held.id, *each.case.joined)
            log = [one for case in here for one in logs.get(case, ())]
            for order in each.plan.orders:
                if order.page not in self.pages:
                    self.pages[order.page] = page_of(order, each.case, log)
                    self.ordered.append(order.page)
                if is_untold(order, self.told):
                    self.untold.append(f"{order.role} {order.obligation} {order.rung} {order.site}")
        return {each.held.id: each for each in folded}

    def _fold(self, now: datetime) -> tuple[list[Folded], dict[CaseId, list[Event]]]:
        """As a sweep would, and write nothing."""
        with self.house.store.begin() as tx:
            ledger = Ledger(tx, self.house.desk, now)
            ledger.load(self.seen)
            ledger.touch(self.seen)
            folded = ledger.fold_all()
            return folded, {each.held.id: list(each.held.events) for each in folded}

    def _run_timers(self, to: datetime) -> None:
        """The sweep, at those instants only at which it writes more than pages."""
        while self.seen:
            folded, _ = self._fold(self.last)
            timers = [
                timer
                for each in folded
                for timer in each.case.timers
                if each.lead in (None, each.held.id)
            ]
            due = max(min((each.due_at for each in timers), default=to + HOUR), self.last)
            if due > to:
                return
            with self.house.store.begin() as tx:
                sweep_cases(tx, sorted(self.seen), self.house.desk, now=due)
            self.last = due


def first_joint_parting(seed: int, make: type[JoinMaker] = JoinMaker) -> Parting | None:
    """Play one log through both; None when they agree at every instant looked at."""
    maker, events = make(seed), list[Event]()
    production = JointProduction(sites=sites_of(maker.roster))
    production.house.desk.roster = read_roster(maker.roster)
    event = maker.first()
    for left in reversed(range(maker.length)):
        production.take(event)
        events.append(event)
        production.at(event.received_at)
        following = maker.next_event(production.ordered)
        for now in instants(event.received_at, following.received_at if left else None):
            found = next(_partings(seed, events, production, now), None)
            if found is not None:
                return found
        event = following
    return None


def _partings(
    seed: int, events: list[Event], production: JointProduction, now: datetime
) -> Iterator[Parting]:
    folded = production.at(now)
    known = once_each(events, now)
    for page in production.untold:
        yield _untold(seed, events, now, page)
    said = {group: _second(group, known, production, now) for group in _groups(known)}
    for case in CASES:
        group = group_of(case, known)
        second = said[group]
        if case not in folded:
            assert second.state == "unopened"
            continue
        each = folded[case]
        if any(_was_called_beside(one, case, group, known) for one in each.held.events):
            continue  # whom the others' parting does not give back an owner who was taken off it
        lead = _lead(group, known)
        if lead is not None and each.lead not in (None, lead):
            yield _parting(seed, events, now, "lead", each.lead, lead, each.case, second)
        if lead is None or (each.case.state.value == "unopened" and second.state == "unopened"):
            continue
        first = said_by(each.case, each.plan.orders)
        for name in differing(first, second):
            if case == lead or name in OF_A_MEMBER:
                ours, theirs = getattr(first, name), getattr(second, name)
                yield _parting(seed, events, now, f"{case} {name}", ours, theirs, each.case, second)


def _was_called_beside(one: Event, case: str, group: frozenset[str], known: list[Event]) -> bool:
    """Everybody was called while it was joined with others than now."""
    before = [each for each in known if each.received_at <= one.received_at]
    return one.type is EventType.SHIFT_ENDED and group_of(case, before) != group


def _groups(known: list[Event]) -> set[frozenset[str]]:
    return {group_of(case, known) for case in CASES}


def _second(
    group: frozenset[str], known: list[Event], production: JointProduction, now: datetime
) -> Said:
    here = group.union(*(named(e) for e in known if joins_or_parts(e) and named(e) & group))

    def read(page: object) -> PageOf | None:
        key = read_page_id(page)
        return production.pages.get(page) if key is not None and key.case in here else None

    return second_opinion(log_of(group, known), now, read, cases=group, sites=production.sites)


def _lead(group: frozenset[str], known: list[Event]) -> str | None:
    """'the first-received id leads'"""
    opened = []
    for case in group:
        opener = opener_of(case, known)
        opened += [(opener.receipt, case)] if opener is not None else []
    return min(opened)[1] if opened else None


def _untold(seed: int, events: list[Event], now: datetime, page: str) -> Parting:
    log = [f"  {CASES.index(each.case)} {line(each, {})}" for each in events]
    return Parting(seed, "untold", page, None, "\n".join([f"seed {seed}, at {now}: {page}", *log]))


def _parting(
    seed: int,
    events: list[Event],
    now: datetime,
    name: str,
    ours: object,
    theirs: object,
    case: Case,
    second: Said,
) -> Parting:
    words = {key: verdict.reason or "" for key, verdict in case.verdicts.items()}
    lines = [f"  {CASES.index(each.case)} {line(each, words)}" for each in events]
    for number, each in enumerate(CASES):
        lines = [text.replace(each, f"case-{number}") for text in lines]
    head = f"seed {seed}, at {now:%d %H:%M:%S}: {name} differs (case-{CASES.index(case.id)})"
    answers = [f"  {part}" for part in sides(ours, theirs)]
    both = [f"  production: {summary(said_by(case, ()))}", f"  model:      {summary(second)}"]
    return Parting(seed, name, ours, theirs, "\n".join([head, *lines, *answers, *both]))
