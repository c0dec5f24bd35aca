"""What a case owes and by when: every obligation of the book, each with its own clocks.

Clocks from onset, suspicion and decision stand as they are; those that restart on a raise never
move to a later instant than an unmet one that they replace (clinical-policy.md 4).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from triage.domain.case import Case, Obligation
from triage.domain.paging import ACKNOWLEDGEMENT, short_tag
from triage.domain.roster.roster import Site
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.policies.schedule_tables import Limit, ObligationClock, ObligationRow, OnlyRule
from triage.workflow.breaches import Key, key_of, with_missed
from triage.workflow.course import Course
from triage.workflow.facts import Facts, Moment, Start
from triage.workflow.terms import due_after, holders

# Met before a raise, these need not be met again: the picture has been taken.
_ONCE = ("mri",)


def obligations(course: Course, case: Case, site: Site) -> tuple[Obligation, ...]:
    """Every obligation that is open, was met, or was missed; in order of due instant."""
    owed = Owed(course, case, site)
    return with_missed(owed.all(), owed.worked_out, course)


class Owed:
    """Builds the obligations of one case at one instant; `site` is where it is received."""

    def __init__(self, course: Course, case: Case, site: Site) -> None:
        self.course, self.case, self.site = course, case, site
        self.facts = Facts(course, case)
        self.tier = case.tier
        self.worked_out: set[Key] = set()  # those too that are not shown

    def all(self) -> tuple[Obligation, ...]:
        """Every obligation that is open, was met, or was missed; in order of due instant."""
        found: list[Obligation] = []
        tiers = {self.tier, *(tier for _, tier in self.course.tiers_stood)}
        tiers |= {ended.run.tier for ended in self.course.ended_runs}
        tiers |= {self.course.run.tier} if self.course.run else set()
        for terms, clock in _limited(self.course.book, frozenset(tiers)):
            found.extend(self._of(terms, clock))
        ran = [each for each in found if _ever_ran(each)]
        return tuple(sorted(ran, key=lambda each: (each.due_at, each.name, each.clock)))

    def _of(self, terms: ObligationRow, clock: ObligationClock) -> Iterable[Obligation]:
        name = terms.name
        if name == ACKNOWLEDGEMENT:
            return self._acknowledgements(terms, clock)
        if name == "re_examination":
            return self._examinations(terms, clock)
        if clock.restarts_on_raise:
            return self._restarting(terms, clock)
        starts = self.facts.starts(terms, clock)
        return self._plain(terms, clock, starts) if starts else ()

    def make(
        self,
        terms: ObligationRow,
        clock: ObligationClock,
        start: datetime,
        *,
        run: str,
        tag: str = "",
        tier: Tier | None = None,
        carried: datetime | None = None,
        met: datetime | None = None,
        closed: datetime | None = None,
    ) -> Obligation | None:
        """One obligation, or None where the tier states words instead of a limit."""
        limits = self._limits(clock, tier or self.tier)
        if not limits:
            return None
        strictest = limits[0]
        if met and closed and closed < met:
            met = None  # it had ended by then
        due = due_after(strictest.within, start, self.site)
        for limit in limits[1:]:
            other = due_after(limit.within, start, self.site)
            if other < due:
                due, strictest = other, limit
        made = Obligation(
            name=terms.name,
            clock=clock.name,
            starts_at=start,
            due_at=min(due, carried) if carried else due,
            nominal=due - start,
            holders=self._holders(terms.name, tier or self.tier),
            kind=strictest.kind,
            source=", ".join(strictest.source),
            run=run,
            run_tag=tag or _run_tag(terms.name, clock.name, start),
            met_at=met,
            closed_at=None if met else closed,
        )
        self.worked_out.add(key_of(made))
        return made

    def _holders(self, name: str, tier: Tier) -> tuple[str, ...]:
        if name != ACKNOWLEDGEMENT:
            return holders(self.course.book, name)
        rungs = self.course.book.ladders.acknowledgement[tier].rungs
        return rungs[0].roles if rungs else holders(self.course.book, name)

    def _limits(self, clock: ObligationClock, tier: Tier) -> tuple[Limit, ...]:
        stated = clock.tier[tier]
        for rule, instead in stated.only_rule.items():
            if self.case.rules == (rule,):
                return _only(instead)
        return stated.limits

    def _acknowledgements(
        self, terms: ObligationRow, clock: ObligationClock
    ) -> Iterator[Obligation]:
        """One for each run: the ladder's own, and those that were answered, replaced or closed."""
        for ended in self.course.ended_runs:
            run = ended.run
            made = self._run(terms, clock, run.started_at, run.name, run.tag, run.tier, run.carried)
            if made:
                yield _ended(made, ended.met_at, ended.ended_at)
        run_now, held = self.course.run, self.course.acknowledgement
        if run_now is None:
            return
        tier = run_now.tier if run_now.after_treatment else self.tier
        carried = tuple(each for each in run_now.carried if each[1].rank <= tier.rank)
        made = self._run(terms, clock, run_now.started_at, run_now.name, run_now.tag, tier, carried)
        if made:
            closed = None if run_now.after_treatment else self.case.treated_at
            yield _ended(made, held.met_at if held else None, closed)

    def _run(
        self,
        terms: ObligationRow,
        clock: ObligationClock,
        start: datetime,
        name: str,
        tag: str,
        tier: Tier,
        carried: tuple[tuple[datetime, Tier], ...],
    ) -> Obligation | None:
        earlier = [
            made.due_at
            for then, tier_then in carried
            if (made := self.make(terms, clock, then, run=name, tag=tag, tier=tier_then))
        ]
        earliest = min(earlier, default=None)
        return self.make(terms, clock, start, run=name, tag=tag, tier=tier, carried=earliest)

    def _restarting(self, terms: ObligationRow, clock: ObligationClock) -> Iterator[Obligation]:
        restarts, unmet = self.course.restarts, list[tuple[Tier, datetime]]()
        if len(restarts) == 1 and not self._limits(clock, self.tier):
            return
        moments = self.facts.met(terms, clock)
        for number, each in enumerate(restarts):
            until = restarts[number + 1].at if number + 1 < len(restarts) else None
            since = each.at if number else None
            met = _first_met(moments, None if terms.name in _ONCE else since, until)
            closed = _first(each.closed_at, until, self.facts.ended(terms.name, since))
            tier = each.tier if until else self.tier
            made = self.make(
                terms, clock, each.at, run=each.event, tier=tier, met=met, closed=closed,
                carried=_kept(unmet, tier),
            )  # fmt: skip
            if met or each.closed_at:
                unmet.clear()
            if made is None:
                continue
            if not (met or each.closed_at):
                unmet.append((tier, made.due_at))
            if until is None or made.breached_at(self.case.as_of) or met:
                yield made

    def _examinations(self, terms: ObligationRow, clock: ObligationClock) -> Iterator[Obligation]:
        """From each receipt, raise or examination to the next examination that occurred later."""
        examined, restarts = self.facts.examined, self.course.restarts
        if not restarts:
            return
        starts = [(each.at, each.event) for each in restarts]
        # The broker may have had a raise before the referral itself: its clock runs from then.
        first = min(each.at for each in restarts)
        starts += [(at, event) for at, event in examined if at > first]
        starts = sorted(dict(sorted(starts)).items())  # what starts at one instant starts once
        unmet: list[tuple[Tier, datetime]] = []
        for number, (start, run) in enumerate(starts):
            until = starts[number + 1][0] if number + 1 < len(starts) else None
            met = next((at for at, _ in examined if at > start), None)
            is_met = met is not None and (until is None or met <= until)
            closing = self._closed_between(start, until)
            tier = self._tier_until(until)
            made = self.make(
                terms, clock, start, run=run, tier=tier, met=met if is_met else None,
                closed=_first(closing, None if is_met else until, self.facts.ended(terms.name)),
                carried=_kept(unmet, tier),
            )  # fmt: skip
            if is_met or closing:
                unmet.clear()
            if made is None:
                continue
            if not (is_met or closing):
                unmet.append((tier, made.due_at))
            if until is None or made.breached_at(self.case.as_of):
                yield made

    def _closed_between(self, start: datetime, until: datetime | None) -> datetime | None:
        """When the case was closed from one start to the next, and has been re-opened since."""
        closings = [each.closed_at for each in self.course.restarts if each.closed_at]
        return next((at for at in closings if start < at and (not until or at <= until)), None)

    def _tier_until(self, end: datetime | None) -> Tier:
        """The tier that stood when the next start ended this one; the present one for the last."""
        stood = [tier for at, tier in self.course.tiers_stood if end is not None and at < end]
        return stood[-1] if stood else self.tier

    def _plain(
        self, terms: ObligationRow, clock: ObligationClock, starts: Sequence[Start]
    ) -> Iterator[Obligation]:
        if not self._limits(clock, self.tier):
            return
        moments = [] if clock.starts == "arose" else self.facts.met(terms, clock)
        if terms.name == "call_back" and self.course.callback_met is not None:
            moments = [Moment(self.course.callback_met, self.course.callback_met)]
        for start in starts:
            made = self.make(
                terms,
                clock,
                start.at,
                run=start.run,
                tag=start.tag,
                met=start.met if start.decides_met else _first_met(moments, None, None),
                closed=self.facts.ended(terms.name),
            )
            if made:
                yield made


@lru_cache(maxsize=256)
def _limited(
    book: PolicyBook, tiers: frozenset[Tier]
) -> tuple[tuple[ObligationRow, ObligationClock], ...]:
    """The clocks that state a limit at one of these tiers; the others only have words."""
    return tuple(
        (row, clock)
        for row in book.deadlines.obligation
        for clock in row.clock
        if any(clock.tier[tier].limits for tier in tiers)
    )


@lru_cache(maxsize=4096)
def _run_tag(name: str, clock: str, start: datetime) -> str:
    """Asked for at every fold of a case; instants are in UTC, so equal ones have one text."""
    return short_tag(name, clock, start.isoformat())


def _ever_ran(obligation: Obligation) -> bool:
    if obligation.name == "review":  # what a closing tells the coordinator starts and ends with it
        return True
    return obligation.closed_at is None or obligation.closed_at > obligation.starts_at


def _only(instead: OnlyRule) -> tuple[Limit, ...]:
    if instead.within is None:
        return ()
    return (Limit(within=instead.within, kind=instead.kind, source=instead.source),)


def _ended(made: Obligation, met: datetime | None, closed: datetime | None) -> Obligation:
    return replace(made, met_at=met, closed_at=None if met else closed)


def _first(*instants: datetime | None) -> datetime | None:
    return min((at for at in instants if at), default=None)


def _kept(unmet: Iterable[tuple[Tier, datetime]], tier: Tier) -> datetime | None:
    """The earliest unmet due instant that still binds: what a higher tier asked for is gone."""
    return min((due for then, due in unmet if then.rank <= tier.rank), default=None)


def _first_met(
    moments: Sequence[Moment], since: datetime | None, until: datetime | None
) -> datetime | None:
    """The first that we heard of from `since` (inclusive) to `until` (exclusive)."""
    for moment in moments:
        if (since is None or moment.received_at >= since) and (
            until is None or moment.received_at < until
        ):
            return moment.at
    return None
