"""What a case owes and by when: every obligation of the book, each with its own clocks.

Clocks from onset, suspicion and decision stand as they are; those that restart on a raise never
move to a later instant than an unmet one that they replace (clinical-policy.md 4).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from triage.domain.case import Case, Obligation, Run
from triage.domain.paging import ACKNOWLEDGEMENT
from triage.domain.roster.roster import Site
from triage.domain.tiers import Tier
from triage.policies.schedule_tables import ObligationClock, ObligationRow
from triage.workflow.breaches import Key, with_missed
from triage.workflow.course import Course, EndedRun
from triage.workflow.endings import (
    ended_or_met,
    ever_ran,
    first_between,
    first_by,
    first_met,
    first_of,
    is_late,
    still_binding,
)
from triage.workflow.facts import Facts, Moment, Start
from triage.workflow.limits import Due, due_by, limited, limits_of, run_tag
from triage.workflow.terms import holders

# Met before a raise, these need not be met again: the picture has been taken.
_ONCE = ("mri",)


def obligations(course: Course, case: Case, site: Site) -> tuple[Obligation, ...]:
    """Every obligation that is open, was met, or was missed; in order of due instant."""
    owed = Owed(course, case, site)
    return with_missed(owed.all(), owed.worked_out, course)


class Owed:
    """Builds the obligations of one case; `site` is where it is received.

    Nothing here asks what time it is: of the case at an instant only the standing rules depend on
    that, and all else on the course (`Followed.owed` rests on it).
    """

    def __init__(self, course: Course, case: Case, site: Site) -> None:
        self.course, self.case, self.site = course, case, site
        self.facts = Facts(course, case)
        self.tier = case.tier
        self.worked_out: set[Key] = set()  # those too that are not shown
        self._known = course.known.under(site.id, case.rules)

    def all(self) -> tuple[Obligation, ...]:
        """Every obligation that is open, was met, or was missed; in order of due instant."""
        found: list[Obligation] = []
        tiers = {self.tier, *(tier for _, tier in self.course.tiers_stood)}
        tiers |= {ended.run.tier for ended in self.course.ended_runs}
        tiers |= {self.course.run.tier} if self.course.run else set()
        for terms, clock in limited(self.course.book, frozenset(tiers)):
            found += self._of(terms, clock)
        ran = [each for each in found if ever_ran(each)]
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

    def _due(
        self,
        terms: ObligationRow,
        clock: ObligationClock,
        start: datetime,
        tier: Tier,
        carried: datetime | None = None,
    ) -> Due | None:
        """Until when it is owed, or None where the tier states words instead of a limit."""
        key = terms.name, clock.name, start, tier, carried
        dues = self._known.dues
        if key in dues:
            due = dues[key]
        else:
            limits = limits_of(clock, tier, self.case.rules)
            due = dues[key] = due_by(limits, start, tier, self.site, carried)
        if due and self.course.missed:  # who has missed nothing is not asked what was worked out
            self.worked_out.add((terms.name, clock.name, start, due.at))
        return due

    def _made(
        self,
        terms: ObligationRow,
        clock: ObligationClock,
        start: datetime,
        due: Due,
        *,
        run: str,
        tag: str = "",
        met: datetime | None = None,
        closed: datetime | None = None,
    ) -> Obligation:
        """One obligation, which was met or has ended (not both)."""
        key = terms.name, clock.name, start, due.tier, due.at, run, tag, met, closed
        made = self._known.made.get(key)
        if made is None:
            made = self._known.made[key] = Obligation(
                name=terms.name,
                clock=clock.name,
                starts_at=start,
                due_at=due.at,
                nominal=due.nominal,
                holders=self._holders(terms.name, due.tier),
                kind=due.limit.kind,
                source=", ".join(due.limit.source),
                run=run,
                run_tag=tag or run_tag(terms.name, clock.name, start),
                met_at=met,
                closed_at=closed,
            )
        return made

    def _holders(self, name: str, tier: Tier) -> tuple[str, ...]:
        if name != ACKNOWLEDGEMENT:
            return holders(self.course.book, name)
        rungs = self.course.book.ladders.acknowledgement[tier].rungs
        return rungs[0].roles if rungs else holders(self.course.book, name)

    def _acknowledgements(
        self, terms: ObligationRow, clock: ObligationClock
    ) -> Iterator[Obligation]:
        """One for each run: the ladder's own, and those that were answered, replaced or closed."""
        for ended in self.course.ended_runs:
            run = ended.run
            yield from self._run(terms, clock, run, run.tier, run.carried, ended)
        run_now, held = self.course.run, self.course.acknowledgement
        if run_now is None:
            return
        tier = run_now.tier if run_now.after_treatment else self.tier
        carried = tuple(each for each in run_now.carried if each[1].rank <= tier.rank)
        closed = None if run_now.after_treatment else self.case.treated_at
        end = EndedRun(run_now, held.met_at if held else None, closed)
        yield from self._run(terms, clock, run_now, tier, carried, end)

    def _run(
        self,
        terms: ObligationRow,
        clock: ObligationClock,
        run: Run,
        tier: Tier,
        carried: Iterable[tuple[datetime, Tier]],
        end: EndedRun,
    ) -> Iterator[Obligation]:
        """What was met counts as met also where it had ended by then."""
        dues = [self._due(terms, clock, then, tier_then) for then, tier_then in carried]
        earliest = min((due.at for due in dues if due), default=None)
        due = self._due(terms, clock, run.started_at, tier, earliest)
        if due:
            met, closed = end.met_at, None if end.met_at else end.ended_at
            yield self._made(
                terms, clock, run.started_at, due, run=run.name, tag=run.tag, met=met, closed=closed
            )

    def _restarting(self, terms: ObligationRow, clock: ObligationClock) -> Iterator[Obligation]:
        restarts, unmet = self.course.restarts, list[tuple[Tier, datetime]]()
        if len(restarts) == 1 and not limits_of(clock, self.tier, self.case.rules):
            return
        moments = self.facts.met(terms, clock)
        for number, each in enumerate(restarts):
            until = restarts[number + 1].at if number + 1 < len(restarts) else None
            since = each.at if number else None
            done_once = terms.name in _ONCE
            met = first_by(moments, until) if done_once else first_met(moments, since, until)
            closed = first_of(each.closed_at, until, self.facts.ended(terms.name, since))
            tier = each.tier if until else self.tier
            due = self._due(terms, clock, each.at, tier, still_binding(unmet, tier))
            if met or each.closed_at:
                unmet.clear()
            if due is None:
                continue
            if not (met or each.closed_at):
                unmet.append((tier, due.at))
            end = ended_or_met(met, closed)
            if until is None or is_late(due, *end) or met:
                yield self._made(
                    terms, clock, each.at, due, run=each.event, met=end[0], closed=end[1]
                )

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
        instants, closings = [at for at, _ in examined], self._closings()
        unmet, ended = list[tuple[Tier, datetime]](), self.facts.ended(terms.name)
        for number, (start, run) in enumerate(starts, start=1):
            until = starts[number][0] if number < len(starts) else None
            later = bisect_right(instants, start)
            met = instants[later] if later < len(instants) else None
            if met and until and met > until:
                met = None
            closing = first_between(closings, start, until)
            tier = self._tier_until(until)
            due = self._due(terms, clock, start, tier, still_binding(unmet, tier))
            if met or closing:
                unmet.clear()
            elif due is not None:
                unmet.append((tier, due.at))
            if due is None:
                continue
            end = ended_or_met(met, first_of(closing, None if met else until, ended))
            if until is None or is_late(due, *end):
                yield self._made(terms, clock, start, due, run=run, met=end[0], closed=end[1])

    def _closings(self) -> list[datetime]:
        """When the case was closed, and has been re-opened since."""
        return [each.closed_at for each in self.course.restarts if each.closed_at]

    def _tier_until(self, end: datetime | None) -> Tier:
        """The tier that stood when the next start ended this one; the present one for the last."""
        if end is not None:
            for at, tier in reversed(self.course.tiers_stood):
                if at < end:
                    return tier
        return self.tier

    def _plain(
        self, terms: ObligationRow, clock: ObligationClock, starts: Sequence[Start]
    ) -> Iterator[Obligation]:
        if not limits_of(clock, self.tier, self.case.rules):
            return
        moments = [] if clock.starts == "arose" else self.facts.met(terms, clock)
        if terms.name == "call_back" and self.course.callback_met is not None:
            moments = [Moment(self.course.callback_met, self.course.callback_met)]
        first, ended = first_met(moments, None, None), self.facts.ended(terms.name)
        for start in starts:
            due = self._due(terms, clock, start.at, self.tier)
            if due:
                met, closed = ended_or_met(start.met if start.decides_met else first, ended)
                yield self._made(
                    terms,
                    clock,
                    start.at,
                    due,
                    run=start.run,
                    tag=start.tag,
                    met=met,
                    closed=closed,
                )
