"""The first model: fold and plan over one log, with every timer committed at its own instant."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.properties.case_events import CASE
from tests.scenarios.house import BOOK, ROSTER_TEXT
from tests.second_opinion.case import Duty, Page, PageOf, Said
from tests.second_opinion.case_desk import Change
from tests.second_opinion.case_roster import LONG_AGO
from triage.domain.case import Case, Leaving, Obligation, Run
from triage.domain.events import Event, EventType
from triage.domain.paging import ACKNOWLEDGEMENT, PageOrder, read_page_id, short_tag
from triage.domain.roster.changes import Act, RosterChange, revocation
from triage.domain.roster.roster import IN_PERSON, Roster
from triage.domain.roster_file.reading import read_roster
from triage.policies.book import PolicyBook
from triage.rosters.changing import NoChange, changes_of
from triage.rosters.sources import Kept, put_together
from triage.workflow.fold import fold
from triage.workflow.plan import plan
from triage.workflow.timers import timer_event

Runs = dict[str, PageOf]


@dataclass
class Production:
    """One case's log, and what every page that it has ordered was about."""

    book: PolicyBook = BOOK
    file: str = ROSTER_TEXT
    log: list[Event] = field(default_factory=list)
    pages: dict[object, PageOf] = field(default_factory=dict)
    ordered: list[str] = field(default_factory=list)
    sites: dict[str, str] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)  # owed to a site, ordered for another one
    changes: list[RosterChange] = field(default_factory=list)
    roster: Roster = field(init=False)
    looked: datetime = LONG_AGO  # when the sweep last did

    def __post_init__(self) -> None:
        self.roster = read_roster(self.file)

    def turn(self, change: Change) -> bool:
        """The roster changes; whether that could be done. What has run out by then has done so by
        the one before it."""
        if self.log:
            self.case_at(change.at)
        try:
            self._change(change)
        except (NoChange, ValueError):
            return False
        kept = Kept(changes=self.changes)
        self.roster = put_together(read_roster(self.file), kept, change.at)
        return True

    def _change(self, change: Change) -> None:
        act = Act(id=change.act, by="registrar-a", reason="illness", at=change.at)
        if change.file:
            self.file = change.file
        elif change.asked is not None:
            self.changes += changes_of(change.asked, self.roster, act)
        else:
            self.changes.append(revocation(self.changes, change.revokes, act))

    def take(self, event: Event) -> None:
        """One more event, in order of receipt."""
        if self.log:
            self.case_at(event.received_at, is_next=True)
        self.looked = event.received_at
        self.log.append(event)

    def case_at(self, now: datetime, *, is_next: bool = False) -> Case:
        """The case at `now`, timers that ran out by then raised one after the other.

        With `is_next` an event received at `now` is about to come: it counts after them.
        """
        while True:
            timers = self._fold(self.looked).timers
            due = min((each.due_at for each in timers if each.due_at <= now), default=None)
            if due is None:
                self.looked = now
                return self._fold(now)
            # One that a re-opening brings back is found past due, at that event's receipt.
            self.looked = max(due, self.looked)
            then = self._fold(self.looked)
            last = max(each.received_at for each in self.log)
            before = is_next and last < self.looked == now
            for timer in [each for each in then.timers if each.due_at == due][:1]:
                self.log.append(timer_event(then, timer, self.looked, before=before))

    def _fold(self, now: datetime) -> Case:
        return fold(CASE, self.log, self.book, now, self.roster)

    def at(self, now: datetime) -> tuple[Case, tuple[PageOrder, ...]]:
        """The case, and the pages that are owed; those get known to `pages`."""
        case = self.case_at(now)
        orders = plan(case, self.book, self.roster, now).orders
        for order in orders:
            if order.page not in self.pages:
                self.pages[order.page] = page_of(order, case, self.log)
                self.ordered.append(order.page)
            if is_untold(order, self.sites):
                self.untold.append(f"{order.role} {order.obligation} {order.rung} {order.site}")
        return case, orders


def is_untold(order: PageOrder, sites: dict[str, str]) -> bool:
    """The page is on its way to another site, whoever serves there; `sites`: where each went."""
    in_person = order.chosen_by.startswith(IN_PERSON)
    return sites.setdefault(order.page, order.site) != order.site and not in_person


def page_of(order: PageOrder, case: Case, log: Sequence[Event]) -> PageOf:
    """What a page was about, by the log at the time."""
    key = read_page_id(order.page)
    tag = key.run_tag if key is not None else ""
    started = [each for each in log if short_tag(*each.key) == tag]
    named = bool(started) and started[0].type is not EventType.TIMER_RAISED
    starts = [each.starts_at for each in case.obligations if each.run_tag == tag]
    return PageOf(
        order.obligation, started[0].key if named else None, starts[-1], order.rung, order.role
    )


def said_by(case: Case, orders: tuple[PageOrder, ...]) -> Said:
    """Production's answer in the second model's words."""
    return Said(
        state=case.state.value,
        tier=case.tier.value,
        rules=case.rules,
        flags=case.flags,
        is_held=case.is_held,
        owner=case.owner.role if case.owner else None,
        acknowledgement=_acknowledgement(case),
        pages=frozenset(page for _, page in pages_said(case, orders)),
        open_by=frozenset(_duty(each) for each in case.obligations if _counts(each, case)),
        missed=frozenset(_duty(each) for each in case.obligations if _is_missed(each, case.as_of)),
        leaves=_leaves(case.leaving),
    )


def pages_said(case: Case, orders: tuple[PageOrder, ...]) -> tuple[tuple[PageOrder, Page], ...]:
    """Every order but those for a review, in the second model's words."""
    return tuple((each, _page(each, case.run)) for each in orders if each.obligation != "review")


def _page(order: PageOrder, run: Run | None) -> Page:
    """What was past when the run started is owed at its start."""
    is_ladder = order.obligation == ACKNOWLEDGEMENT and run is not None
    at = max(order.owed_at, run.started_at) if is_ladder and run is not None else order.owed_at
    return Page(order.role, order.obligation, at, order.person, order.chosen_by)


def _leaves(found: Leaving | None) -> tuple[datetime, datetime, str | None] | None:
    if found is None:
        return None
    return found.at, found.lapses_at, found.successor.person if found.successor else None


def _duty(each: Obligation) -> Duty:
    return Duty(each.name, each.due_at)


def _counts(each: Obligation, case: Case) -> bool:
    return each.is_open and each.name not in (ACKNOWLEDGEMENT, "review")


def _is_missed(each: Obligation, now: datetime) -> bool:
    return each.breached_at(now) is not None and each.name not in (ACKNOWLEDGEMENT, "review")


def _acknowledgement(case: Case) -> tuple[datetime, datetime, bool] | None:
    """Start, due instant and whether somebody answered, of the run that stands."""
    found = [
        (each.starts_at, each.due_at, each.met_at is not None)
        for each in case.obligations
        if each.name == ACKNOWLEDGEMENT
        and case.run is not None
        and each.run_tag == case.run.tag
        and each.closed_at is None
    ]
    return max(found, default=None)  # a breach under a higher tier stays beside it
