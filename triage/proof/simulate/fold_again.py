"""A stored case once more, from its log; from all their logs where it is joined with others."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from triage.domain.case import Case
from triage.domain.events import Event
from triage.proof.simulate.verdict import CaseView
from triage.recording.grouping import as_lead, as_member, received_first
from triage.workflow.fold import Followed, fold, follow, seen_at
from triage.workflow.plan import Plan, plan

_SILENT = Plan(orders=(), raises=(), next_due_at=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """`shown` and `planned` are as of the last fold; `at_the_end` is the fold of `log` at the end
    of the run. Where another case `speaks` for it, nothing is planned for it."""

    log: Sequence[Event]
    shown: Case
    planned: Plan
    at_the_end: Case
    speaks: bool = True


def fold_again(view: CaseView, dice: Random) -> Again:
    """The log comes in any order, as `dice` have it."""
    if view.beside:
        return _joined(view, dice)
    followed = follow(view.case, _shuffled(view.log, dice), view.book, view.roster)
    shown, planned = _then(view, followed)
    return Again(log=view.log, shown=shown, planned=planned, at_the_end=seen_at(followed, view.now))


def _joined(view: CaseView, dice: Random) -> Again:
    logs = {view.case: view.log, **view.beside}
    alone = {
        case: fold(case, _shuffled(log, dice), view.book, view.folded_at, view.roster)
        for case, log in logs.items()
    }
    lead, group = min(alone.values(), key=received_first), list(alone.values())
    log = [event for case in logs for event in logs[case]]
    followed = follow(lead.id, _shuffled(log, dice), view.book, view.roster)
    case, planned = _then(view, followed)
    speaks = lead.id == view.case
    show = as_lead if speaks else as_member
    return Again(
        log=log,
        shown=show(alone[view.case], case, group),
        planned=planned if speaks else _SILENT,
        at_the_end=seen_at(followed, view.now),
        speaks=speaks,
    )


def _then(view: CaseView, followed: Followed) -> tuple[Case, Plan]:
    case = seen_at(followed, view.folded_at)
    return case, plan(case, view.book, view.roster, view.folded_at)


def _shuffled(log: Sequence[Event], dice: Random) -> list[Event]:
    found = list(log)
    dice.shuffle(found)
    return found
