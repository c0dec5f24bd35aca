"""One transaction's work on its cases: what was loaded, what is new, what has to be written."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol

import orjson

from triage.domain.authority import refusal
from triage.domain.case import Case, Verdict
from triage.domain.events import CaseId, Event, EventType
from triage.domain.roster.roster import Roster
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.policies.read import read_findings
from triage.recording.courses import Courses
from triage.recording.grouping import as_lead, as_member, carried_cases, groups, received_first
from triage.recording.holding import Held
from triage.store.records import CaseRow, EventKey, SeenEvent, StoredCase
from triage.store.transaction import Transaction
from triage.workflow.fold import Followed, further, seen_at
from triage.workflow.joining import has_effect, named_cases
from triage.workflow.people import hands_over_a_shift
from triage.workflow.plan import Plan, plan
from triage.workflow.timers import timer_event

_END = 2**31 - 1  # behind every link


class PolicyBooks(Protocol):
    """The book for new cases, and the books that open cases are pinned to."""

    @property
    def current(self) -> PolicyBook:
        """The book that a new case is pinned to."""
        ...

    def pinned(self, version: str) -> PolicyBook:
        """The book of that version; the current one when it is not to be had any more."""
        ...


@dataclass(slots=True)
class Desk:
    """What a decision stands on besides the log. `publishes`: there is a bus to write to.

    `roster` is replaced, whole, when it changes; `notices` are what the board says about it.
    """

    books: PolicyBooks
    roster: Roster
    publishes: bool = True
    notices: tuple[str, ...] = ()
    courses: Courses = field(default_factory=Courses)

    def as_it_is(self) -> "Desk":
        """The same, whatever comes in the place of its parts."""
        return Desk(self.books, self.roster, self.publishes, self.notices, self.courses)

    def anew(self) -> "Desk":
        """The same, for whoever must see what is stored as it is: no course is known yet."""
        return replace(self, courses=Courses())


@dataclass(frozen=True, slots=True)
class Folded:
    """A case and its plan, ready to be written; `lead` where another case's fold speaks for it."""

    held: Held
    case: Case
    plan: Plan
    lead: CaseId | None = None


class Ledger:
    """Everything between loading and writing; the lock on its cases is held until the commit."""

    def __init__(self, tx: Transaction, desk: Desk, now: datetime) -> None:
        self.tx, self.now = tx, now
        self.desk = desk.as_it_is()  # one roster for all of it
        self.held: dict[CaseId, Held] = {}
        self.seen: dict[EventKey, SeenEvent] = {}
        self.verdicts: dict[EventKey, Verdict] = {}
        self.tiers: dict[CaseId, Tier | None] = {}

    def load(self, cases: Collection[CaseId], noted: Collection[CaseId] = ()) -> None:
        """Lock and read cases not yet in hand, and those that are joined with them; of cases that
        are only `noted`, the end of the log will do."""
        wanted = sorted(set(cases) - self.held.keys())
        if not wanted:
            return
        whole = partial(_whole, self.tx)  # not of ours: we would hold one another, for a collector
        while wanted:
            self.tx.lock_cases(wanted)
            since = self.desk.courses.known(wanted)
            since |= {case: _END for case in noted if not since.get(case)}
            found = self.tx.load_cases(wanted, since)
            for each in wanted:
                self.held[each] = Held(each, found.get(each), self.desk.courses, whole)
            joined = {case for each in wanted for case in _joined(self.held[each].row)}
            wanted = sorted(joined - self.held.keys())

    def referral_of(self, case: CaseId) -> str | None:
        """The referral that a case id stands for, as far as known."""
        held = self.held.get(case)
        return (held.row.referral if held and held.row else held.referral if held else "") or None

    def claim(self, case: CaseId, referral: str) -> None:
        """This batch uses the id for that referral."""
        self.held[case].referral = referral

    def touch(self, cases: Iterable[CaseId]) -> None:
        """Have these cases evaluated again although nothing new came in."""
        for case in cases:
            if self.held[case].stored is not None:
                self.held[case].is_touched = True

    def take(self, events: Sequence[Event]) -> set[int]:
        """Put the events into their cases' logs; gives the indices that were not seen before."""
        self.seen = self.tx.seen([event.key for event in events])
        firsts: set[int] = set()
        known: set[EventKey] = set(self.seen)
        for index, event in enumerate(events):
            if event.key not in known:
                known.add(event.key)
                firsts.add(index)
                self._append(event)
            elif self._is_earlier(event):
                self._append(event)  # a duplicate keeps its earliest receipt
        self._catch_up_timers()
        return firsts

    def put_back(self, events: Iterable[Event]) -> None:
        """Events that the journal has go into logs that have lost them."""
        for event in events:
            if all(each.key != event.key for each in self.held[event.case].events):
                self._append(event)

    def _is_earlier(self, event: Event) -> bool:
        receipts = [
            each.received_at for each in self.held[event.case].events if each.key == event.key
        ]
        return bool(receipts) and event.received_at < min(receipts)

    def _append(self, event: Event) -> None:
        cases = {event.case}
        if has_effect(event):
            cases |= self._joint(event)
        elif hands_over_a_shift(event) and not refusal(event):
            carried = set(carried_cases(self.tx, event))
            self.load(carried)
            cases |= carried
        for case in sorted(cases, key=lambda each: (each != event.case, each)):
            self.held[case].new.append(event)

    def _joint(self, event: Event) -> set[CaseId]:
        """The cases that a joining or parting names, also where nothing has opened one yet; of a
        parting also those that are joined with them now."""
        named = {*named_cases(event)}
        self.load(named)
        if event.type is EventType.CASES_JOINED:
            return named
        beside = {
            case
            for held in self.held.values()
            for each in held.events
            if each.type is EventType.CASES_JOINED and not named.isdisjoint(named_cases(each))
            for case in (held.id, *named_cases(each))
        }
        return named | (beside & self.held.keys())

    def _catch_up_timers(self) -> None:
        """A timer that ran out before these events came raises first, sweep or no sweep."""
        for held in list(self.held.values()):
            row = held.row
            if row is None or row.next_due_at is None:
                continue
            group = [held, *(self.held[case] for case in _joined(row))]
            new = [event.received_at for each in group for event in each.news]
            if new and row.next_due_at <= min(new):
                before = self._before(group, min(new))
                held.new += [
                    timer_event(before, timer, min(new), before=True)
                    for timer in before.timers
                    if timer.due_at <= min(new)
                ]

    def _before(self, group: Sequence[Held], at: datetime) -> Case:
        """The case, or that of all joined ones, without what is new."""
        lead = group[0]
        if len(group) == 1:
            return lead.case_before(self._book(lead), at, self.desk.roster)
        return seen_at(self._stored_together(lead, group), at)

    def _stored_together(self, lead: Held, group: Sequence[Held]) -> Followed:
        """The course of their stored logs as one."""
        logs = {each.id: each.log for each in group}
        return self.desk.courses.together(lead.id, logs, self._book(lead), self.desk.roster)

    def fold_all(self) -> list[Folded]:
        """Fold and plan every case that something happened to."""
        busy = [held for held in self.held.values() if held.new or held.is_touched]
        busy = [held for held in busy if not held.gets_only_receipts]
        folded: list[Folded] = []
        there = {case: held for case, held in self.held.items() if held.stored or held.new}
        for group in groups(busy, there, _may_be_joined, self._alone):
            folded.extend(self._together(group) if len(group) > 1 else [self._single(group[0])])
        for each in folded:
            self.verdicts.update(each.case.verdicts)
            self.tiers[each.held.id] = each.case.tier
        for each in folded:  # what stands in several logs is answered for the case it was sent to
            own = {event.key for event in each.held.new if event.case == each.held.id}
            self.verdicts |= {key: v for key, v in each.case.verdicts.items() if key in own}
        return folded

    @property
    def noted(self) -> list[Held]:
        """Cases whose log grows by receipts and nothing else."""
        return [held for held in self.held.values() if held.gets_only_receipts]

    def _book(self, held: Held) -> PolicyBook:
        books = self.desk.books
        return books.pinned(held.row.policy) if held.row else books.current

    def _alone(self, held: Held) -> Case:
        return held.case(self._book(held), self.now, self.desk.roster)

    def _single(self, held: Held) -> Folded:
        book = self._book(held)
        while True:
            case = self._alone(held)
            planned = plan(case, book, self.desk.roster, self.now)
            if not planned.raises:
                return Folded(held, case, planned)
            held.new += [timer_event(case, timer, self.now) for timer in planned.raises]

    def _together(self, group: Sequence[Held]) -> Iterator[Folded]:
        """Joined cases are one fold, led by the one received first."""
        alone = {held.id: self._alone(held) for held in group}
        lead = min(group, key=lambda held: received_first(alone[held.id]))
        stored = self._stored_together(lead, group)
        while True:
            followed = further(stored, [event for held in group for event in held.new])
            case = seen_at(followed, self.now)
            planned = plan(case, self._book(lead), self.desk.roster, self.now)
            if not planned.raises:
                break
            lead.new += [timer_event(case, timer, self.now) for timer in planned.raises]
        for held in group:
            if held is not lead:
                silent = Plan(orders=(), raises=(), next_due_at=None)
                own = as_member(alone[held.id], case, group)
                yield Folded(held, own, silent, lead.id)
        yield Folded(lead, as_lead(alone[lead.id], case, group), planned, lead.id)

    def verdict(self, event: Event) -> Verdict:
        """What the event did, or had done when it came first."""
        before = self.seen.get(event.key)
        if event.key in self.verdicts:
            return self.verdicts[event.key]
        if self.held[event.case].gets_only_receipts:
            return Verdict(True)
        return Verdict(before.effect, before.reason) if before else Verdict(False, "not folded")

    def tier(self, case: CaseId) -> Tier | None:
        """The tier that stands after this transaction."""
        row = self.held[case].row
        stored = Tier(row.tier) if row and row.tier else None
        return self.tiers.get(case, stored)

    def unread(self, event: Event) -> tuple[str, ...]:
        """What of this event's findings was not understood."""
        findings = event.data.get("findings")
        if findings is None:
            return ()
        if not isinstance(findings, dict):
            return ("findings",)
        return read_findings(findings, self._book(self.held[event.case])).unread


def _whole(tx: Transaction, case: CaseId) -> StoredCase:
    return tx.load_cases([case])[case]


def _may_be_joined(held: Held) -> bool:
    return any(event.type is EventType.CASES_JOINED for event in held.events)


def _joined(row: CaseRow | None) -> tuple[CaseId, ...]:
    if row is None or row.lead_case_id is None:
        return ()
    return tuple(CaseId(case) for case in orjson.loads(row.document).get("joined", ()))
