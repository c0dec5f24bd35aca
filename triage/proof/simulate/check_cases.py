"""Invariants 4, 5, 6, 11, 12: each stored case is what its log says, and owes what it should."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import orjson

from triage.domain.events import CaseId, Event, EventType, read_event
from triage.domain.paging import ACKNOWLEDGEMENT, PageOrder
from triage.domain.tiers import Tier
from triage.proof.simulate.fold_again import Again, fold_again
from triage.proof.simulate.run import Outcome
from triage.proof.simulate.story import dice
from triage.proof.simulate.verdict import CaseView, SecondModel, Violation
from triage.proof.simulate.world import World
from triage.store.column_types import read_sqlite_instant
from triage.workflow.document import case_document
from triage.workflow.fold import fold, in_receipt_order
from triage.workflow.joining import has_effect
from triage.workflow.plan import plan

_LATE = timedelta(seconds=5)
_MAY_LOWER = ("consultant", "fellow", "second_consultant", "clinical_director")


def check_cases(
    outcome: Outcome,
    second_model: SecondModel | None = None,
    *,
    which: Callable[[int], bool] = lambda _: True,
) -> Iterator[Violation]:
    """Every case of a run that has come to rest; those whose number is `which`, where others see
    to the rest."""
    for view in views(outcome.world, which):
        again = fold_again(view, dice(outcome.world.story.seed, "order", view.case))
        yield from _same_as_log(view, again)
        yield from _tier_falls(view, again.log)
        if again.speaks:
            yield from _owed(outcome.world, view, again)
            yield from _deadlines_stand(outcome.world, view, again)
        if second_model is not None:
            yield from second_model(view)


def views(world: World, which: Callable[[int], bool] = lambda _: True) -> Iterator[CaseView]:
    """The cases that people see, with their logs; those whose number, from 0, is `which`."""
    rows = world.raw.execute(
        "SELECT case_id, document, folded_at FROM cases WHERE state <> 'unopened' ORDER BY case_id"
    ).fetchall()
    for case, document, folded_at in (row for number, row in enumerate(rows) if which(number)):
        shown = orjson.loads(document)
        joined = [CaseId(each) for each in shown["joined"]]
        yield CaseView(
            case=CaseId(case),
            log=_log(world, case),
            beside={each: _log(world, each) for each in joined},
            document=shown,
            pages=[page for each in (case, *joined) for page in _pages(world, each)],
            folded_at=read_sqlite_instant(folded_at),
            now=world.clock.now(),
            book=world.desk.books.current,
            roster=world.roster,
        )


def _log(world: World, case: str) -> list[Event]:
    rows = world.raw.execute(
        "SELECT document FROM case_log WHERE case_id = ? ORDER BY seq", (case,)
    ).fetchall()
    return [read_event(orjson.loads(text)) for (text,) in rows]


def _pages(world: World, case: str) -> list[dict[str, Any]]:
    rows = world.raw.execute(
        "SELECT order_document, withdrawn FROM page WHERE case_id = ?", (case,)
    ).fetchall()
    return [{**orjson.loads(order), "withdrawn": withdrawn} for order, withdrawn in rows]


def _same_as_log(view: CaseView, again: Again) -> Iterator[Violation]:
    """It is what its log says, met in any order, at the instant of the stored one."""
    stored = view.document
    rebuilt: Mapping[str, Any] = orjson.loads(
        orjson.dumps(
            case_document(
                again.shown,
                version=stored["version"],
                head=stored["head"],
                next_due_at=again.planned.next_due_at,
            )
        )
    )
    for name in stored:
        if stored[name] != rebuilt.get(name):
            number = 12 if name in ("rules", "policy", "all_rules") else 4
            what = f"{name} is {stored[name]!r}, its log says {rebuilt.get(name)!r}"
            yield Violation(6 if name == "next_due_at" else number, f"{view.case}: {what}")


def _tier_falls(view: CaseView, log: Sequence[Event]) -> Iterator[Violation]:
    """A tier falls only by a named human."""
    history = view.document["tier_history"]
    for before, after in pairwise(history):
        if Tier(after["tier"]).rank >= Tier(before["tier"]).rank:
            continue
        if not any(_lowers(event) for event in log if event.id == after["event"]):
            what = f"{before['tier']} to {after['tier']} by {after['event']}"
            yield Violation(5, f"{view.case}: tier fell by itself: {what}")


def _lowers(event: Event) -> bool:
    by = event.data.get("by")
    role = by.get("role") if isinstance(by, Mapping) else None
    if event.type is EventType.TIER_SET:
        return role in _MAY_LOWER
    return (
        event.type is EventType.TREATMENT_DECIDED
        and event.data.get("treatment") == "palliative"
        and role == "consultant"
    )


def _owed(world: World, view: CaseView, again: Again) -> Iterator[Violation]:
    """Everything that is owed by now is there, and the next instant is ahead."""
    case = again.at_the_end
    planned = plan(case, view.book, view.roster, view.now)
    yield from _ordered(view, again.planned.orders, planned.orders)
    late = [timer for timer in planned.raises if timer.due_at < view.now - _LATE]
    if late:
        yield Violation(6, f"{view.case}: timer ran out and raised nothing: {late[0].rule}")
    row = world.raw.execute(
        "SELECT next_due_at FROM cases WHERE case_id = ?", (view.case,)
    ).fetchone()
    if row[0] is not None and read_sqlite_instant(row[0]) < view.now - _LATE:
        yield Violation(6, f"{view.case}: due at {row[0]} and not looked at")
    waits = any(each.is_open and each.name == ACKNOWLEDGEMENT for each in case.obligations)
    if row[0] is None and waits and case.tier is Tier.EMERGENT:
        yield Violation(6, f"{view.case}: EMERGENT, nobody owns it, and no next step")


def _ordered(
    view: CaseView, earlier: Sequence[PageOrder], owed: Sequence[PageOrder]
) -> Iterator[Violation]:
    """What was owed at the last fold and what has become due since."""
    there = {page["page"] for page in view.pages}
    late = [each for each in owed if not _was_told_to_another(view, each)]
    for order in {each.page: each for each in (*late, *earlier)}.values():
        if order.page not in there and order.owed_at < view.now - _LATE:
            what = f"owed since {order.owed_at} and not there: {order.page}"
            yield Violation(6, f"{view.case}: {what}")


def _was_told_to_another(view: CaseView, order: PageOrder) -> bool:
    """A step of before the last fold went to whoever served in the role then; who has relieved
    them since hears of the next."""
    if order.owed_at > view.folded_at:
        return False
    served = view.roster.on_call(order.site, order.role, view.folded_at).person
    return (served.id if served else None) != order.person


def _deadlines_stand(world: World, view: CaseView, again: Again) -> Iterator[Violation]:
    """What a run's acknowledgement was due at some way along its log is not later at the end.

    Cases that are joined were not one before the last of them was.
    """
    ordered = in_receipt_order(again.log)
    joined = [at for at, event in enumerate(ordered, start=1) if view.beside and has_effect(event)]
    first = max(joined, default=1)
    if len(ordered) < max(3, first + 1):
        return
    cut = dice(world.story.seed, "cut", view.case).randrange(first, len(ordered))
    at, after = ordered[cut - 1].received_at, again.at_the_end
    before = fold(after.id, ordered[:cut], view.book, at, view.roster)
    dues = {each.run_tag: each.due_at for each in after.obligations if each.name == ACKNOWLEDGEMENT}
    for each in before.obligations:
        if each.name == ACKNOWLEDGEMENT and dues.get(each.run_tag, each.due_at) > each.due_at:
            later = f"from {each.due_at} to {dues[each.run_tag]}"
            yield Violation(11, f"{view.case}: the same run became due later, {later}")
