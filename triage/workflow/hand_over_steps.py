"""Whom an owned case pages: the person to whom it was handed, and people at a shift's end."""

from collections.abc import Iterator
from dataclasses import replace

from triage.domain.case import Case, Leaving, Obligation
from triage.domain.roster.roster import NAMED_IN_HAND_OVER
from triage.workflow.ladder import Step
from triage.workflow.owing import HAND_OVER_RUNG, SHIFT_END_RUNG, Owing

COORDINATOR = "coordinator"


def handed_over(case: Case, obligation: Obligation) -> Iterator[Owing]:
    """The person to whom an owned case was handed is asked once."""
    held = case.acknowledgement
    if held is not None and held.asked is not None:
        role = held.asked.role or "registrar"
        step = Step(at=held.received_at, roles=(role,), rung=HAND_OVER_RUNG)
        yield Owing(
            obligation,
            step,
            person=held.asked,
            asked="accept the hand-over",
            chosen_by=NAMED_IN_HAND_OVER,
        )


def shift_ends(case: Case, obligation: Obligation) -> Iterator[Owing]:
    """Owner and successor before the shift's end and at it; at it the coordinator too.

    Whoever answered after the warning knows that the shift ends, and is not told again.
    """
    leaving, held = case.leaving, case.acknowledgement
    if leaving is None or held is None:
        return
    owed = replace(obligation, due_at=leaving.lapses_at)
    steps = _steps(leaving, held.by.role or "registrar", case)
    if leaving.is_known and held.received_at < leaving.warns_at:
        for step in steps:
            yield Owing(owed, step, person=held.by, asked="offer the hand-over")
    next_one = leaving.successor
    if next_one is not None:
        for step in steps:
            told = replace(step, roles=(next_one.role or "registrar",))
            yield Owing(
                owed,
                told,
                person=next_one,
                asked="accept the hand-over",
                chosen_by=leaving.chosen_by,
            )
    for step in steps if next_one is None else steps[1:]:
        told = replace(step, roles=(COORDINATOR,))
        yield Owing(owed, told, asked="see that the case is handed over")


def _steps(leaving: Leaving, role: str, case: Case) -> tuple[Step, Step]:
    """The warning and the end, neither before the answer that made the owner."""
    held = case.acknowledgement
    assert held is not None
    warned, ended = (max(at, held.received_at) for at in (leaving.warns_at, leaving.at))
    return (
        Step(at=warned, roles=(role,), rung=SHIFT_END_RUNG),
        Step(at=ended, roles=(role,), rung=SHIFT_END_RUNG, round=1),
    )
