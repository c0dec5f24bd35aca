"""Every step of a case's ladders as instants: what is owed by now, and when the next is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from triage.domain.case import Case, Obligation
from triage.domain.paging import ACKNOWLEDGEMENT
from triage.domain.roster.roster import Roster, Site
from triage.domain.roster.site_hours import in_hours, next_opening
from triage.policies.book import PolicyBook
from triage.policies.schedule_tables import AcknowledgementLadder, Rung, Share
from triage.workflow.hand_over_steps import handed_over, shift_ends
from triage.workflow.ladder import Step, rounds, rungs, scale
from triage.workflow.owing import Owing
from triage.workflow.terms import due_after

HOLDER = "holder"


class Steps:
    """The ladders of one case, planned back from its obligations' due instants."""

    def __init__(self, case: Case, book: PolicyBook, roster: Roster, site: Site) -> None:
        self.case, self.book, self.roster, self.site = case, book, roster, site
        self.now = case.as_of

    def all(self) -> Iterator[Owing]:
        """Steps past and to come; of what repeats, the last one owed and the next.

        None is before its clock's start: what was overdue when the clock started is owed then.
        """
        for each in self._ladders():
            start = each.obligation.starts_at
            yield (
                each if each.step.at >= start else replace(each, step=replace(each.step, at=start))
            )

    def _ladders(self) -> Iterator[Owing]:
        opened = [each for each in self.case.obligations if each.is_open]
        for obligation in self.case.obligations:
            if obligation.name == ACKNOWLEDGEMENT and self._is_running(obligation):
                if obligation.is_open:
                    yield from self._acknowledgement(obligation)
                else:
                    yield from handed_over(self.case, obligation)
                    yield from shift_ends(self.case, obligation)
        for obligation in _strictest(opened):
            asked = "review" if obligation.name == "review" else "see that it happens"
            for step in self._generic(obligation):
                yield Owing(obligation, step, asked=asked)

    def _held(self, obligation: Obligation, step: Step) -> Step:
        """The step with the holder's roles written out, each role once."""
        if HOLDER not in step.roles:
            return step
        others = tuple(role for role in step.roles if role != HOLDER)
        roles = tuple(dict.fromkeys((*obligation.holders, *others)))
        return Step(at=step.at, roles=roles, rung=step.rung, round=step.round)

    def _generic(self, obligation: Obligation) -> Iterator[Step]:
        """Up to the first step that is still ahead: what comes after it is asked for then."""
        ladder = self.book.ladders.obligations[self.case.tier]
        for step in self._warnings(obligation, ladder.shares):
            yield step
            if step.at > self.now:
                return
        last = len(ladder.shares) + 1
        # Overdue before its clock started, it is a breach at the start, and no mere warning.
        at = max(obligation.due_at, obligation.starts_at)
        yield self._held(obligation, Step(at=at, roles=ladder.due, rung=last))
        if obligation.due_at > self.now:
            return
        again = ladder.repeat
        first = obligation.due_at + again.every
        for step in rounds(first, again.every, again.roles, last, self.now):
            if step.at >= obligation.starts_at:  # a round from before its clock's start is none
                yield self._held(obligation, step)

    def _warnings(self, obligation: Obligation, shares: Sequence[Share]) -> Sequence[Step]:
        """What is told before the due instant; of a review the first at once."""
        start, time = obligation.starts_at, obligation.due_at - obligation.starts_at
        offsets = [(time * share.share / 100, share.roles) for share in shares]
        gap = self.book.ladders.minimum_gap
        steps = rungs(start, offsets, 1.0, gap, due=obligation.due_at)
        if obligation.name == "review":
            steps.insert(0, Step(at=start, roles=(HOLDER,), rung=0))
        return self._skip_empty([self._held(obligation, each) for each in steps], None)

    def _is_running(self, obligation: Obligation) -> bool:
        return self.case.run is not None and self.case.run.tag == obligation.run_tag

    def _acknowledgement(self, obligation: Obligation) -> Iterator[Owing]:
        run = self.case.run
        assert run is not None
        tier = run.tier if run.after_treatment else self.case.tier
        ladder = self.book.ladders.acknowledgement[tier]
        steps = self._rungs(obligation, ladder)
        for step in (*steps, *self._early_rounds(obligation, ladder, steps)):
            yield Owing(obligation, step)
        if run.also_person is not None:
            at_once = Step(at=run.started_at, roles=(run.also_person.role or "owner",), rung=1)
            yield Owing(obligation, at_once, person=run.also_person)
        for step in self._repeats(obligation, ladder, len(steps)):
            yield Owing(obligation, step)

    def _rungs(self, obligation: Obligation, ladder: AcknowledgementLadder) -> list[Step]:
        run = self.case.run
        assert run is not None
        start, factor = obligation.starts_at, self._scale(obligation)
        offsets = [
            (self._offset(rung, obligation), self._roles(rung, number))
            for number, rung in enumerate(ladder.rungs)
        ]
        gap = self.book.ladders.minimum_gap
        steps = rungs(start, offsets, factor, gap, run.declines, obligation.due_at)
        return self._skip_empty(steps, _longest_gap(ladder))

    def _scale(self, obligation: Obligation) -> float:
        return scale(obligation.starts_at, obligation.due_at, obligation.nominal)

    def _roles(self, rung: Rung, number: int) -> tuple[str, ...]:
        run = self.case.run
        assert run is not None
        extra = rung.by_timer if run.by_timer else ()
        also = run.also_roles if number == 0 else ()
        return tuple(dict.fromkeys((*rung.roles, *extra, *also)))

    def _offset(self, rung: Rung, obligation: Obligation) -> timedelta:
        start = obligation.starts_at
        if rung.share is not None:
            return obligation.nominal * rung.share / 100
        if rung.out_of_hours is not None and not in_hours(self.site, start):
            opening = next_opening(self.site, start)
            return min(opening, start + rung.out_of_hours.at_latest) - start
        return rung.after or timedelta()

    def _skip_empty(self, steps: list[Step], longest: timedelta | None) -> list[Step]:
        """A rung that reaches nobody hands its instant to the next one.

        None comes later than `longest` after the one that reached somebody: a decline that brought
        that one forward brings the next one with it.
        """
        pulled: datetime | None = None
        told: datetime | None = None
        result = []
        for step in steps:
            latest = [told + longest] if told is not None and longest is not None else []
            latest += [pulled] if pulled is not None else []
            step = replace(step, at=min([step.at, *latest]))
            result.append(step)
            pulled = None if self._reaches(step, step.at) else step.at
            told = told if pulled is not None else step.at
        return result

    def _early_rounds(
        self, obligation: Obligation, ladder: AcknowledgementLadder, steps: list[Step]
    ) -> Iterator[Step]:
        """Rounds before the due instant, where the rungs were used up early or reach nobody."""
        longest = _longest_gap(ladder)
        if ladder.rounds is None or longest is None or not steps:
            return
        reached = [step.at for step in steps if self._reaches(step, step.at)]
        first = max(reached, default=obligation.starts_at) + longest
        rung = len(steps) + len(ladder.steps) + 1
        safe = obligation.due_at - self.book.ladders.minimum_gap
        for step in rounds(first, longest, ladder.rounds.roles, rung, self.now):
            if step.at < obligation.due_at:
                yield replace(step, at=min(step.at, safe))

    def _reaches(self, step: Step, at: datetime) -> bool:
        return any(self.roster.reaches(self.site.id, role, at) for role in step.roles)

    def _repeats(
        self, obligation: Obligation, ladder: AcknowledgementLadder, last: int
    ) -> Iterator[Step]:
        for number, after in enumerate(ladder.steps, start=1):
            at = obligation.due_at + after.after_due
            yield Step(at=at, roles=after.roles, rung=last + number)
        if ladder.rounds is None:
            return
        every, first = ladder.rounds.every, obligation.due_at
        if every.is_working:
            yield from self._working_rounds(ladder, obligation, last)
            return
        for step in rounds(first, every.length, ladder.rounds.roles, max(last, 1), self.now):
            yield replace(step, roles=self._widened(ladder, obligation, step))

    def _working_rounds(
        self, ladder: AcknowledgementLadder, obligation: Obligation, last: int
    ) -> Iterator[Step]:
        assert ladder.rounds is not None
        at, number = obligation.due_at, 1
        while True:
            following = due_after(ladder.rounds.every, at, self.site)
            if following > self.now:
                yield Step(at=at, roles=ladder.rounds.roles, rung=max(last, 1), round=number)
                yield Step(
                    at=following, roles=ladder.rounds.roles, rung=max(last, 1), round=number + 1
                )
                return
            at, number = following, number + 1

    def _widened(
        self, ladder: AcknowledgementLadder, obligation: Obligation, step: Step
    ) -> tuple[str, ...]:
        turn = ladder.rounds
        assert turn is not None
        if turn.widen_from is None or turn.from_ is None:
            return step.roles
        widens_at = obligation.due_at + (turn.widen_from - turn.from_)
        if step.at < widens_at:
            return step.roles
        return tuple(dict.fromkeys((*step.roles, *self.roster.widen_roles(self.site.id))))


def _longest_gap(ladder: AcknowledgementLadder) -> timedelta | None:
    """Rounds say how long nobody may hear of a case that nobody owns; working time says nothing."""
    rounds = ladder.rounds
    return rounds.every.length if rounds is not None and not rounds.every.is_working else None


def _strictest(opened: list[Obligation]) -> Iterator[Obligation]:
    """Of several clocks on one obligation the one due first has the ladder."""
    first: dict[tuple[str, str], Obligation] = {}
    for each in opened:
        if each.name == ACKNOWLEDGEMENT:
            continue
        own = each.run_tag if each.name in ("review", "rechecked") else ""
        other = first.get((each.name, own))
        if other is None or each.due_at < other.due_at:
            first[(each.name, own)] = each
    yield from first.values()
