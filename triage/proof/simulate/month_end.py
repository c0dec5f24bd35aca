"""The end of a month: its figures, and whether an invariant was broken on the way."""

from triage.proof.simulate.check_cases import check_cases
from triage.proof.simulate.check_intake import check_intake
from triage.proof.simulate.check_pages import check_pages
from triage.proof.simulate.checker import in_order
from triage.proof.simulate.month_figures import MonthFigures, figures
from triage.proof.simulate.run import Outcome
from triage.proof.simulate.side_by_side import side_by_side
from triage.proof.simulate.verdict import Violation

# All but the cases takes about as long as a third of them: the other process has the most.
_SHARES = 4


def figures_and_check(
    outcome: Outcome, title: str, days: int
) -> tuple[MonthFigures, list[Violation]]:
    """As `figures` and `check`, by two processes: every case takes as long as some of its events
    took."""
    if outcome.world.gave_up is not None:
        return figures(outcome.world, title, days), [outcome.world.gave_up]

    def ours() -> tuple[MonthFigures, list[Violation]]:
        found = [*check_intake(outcome), *check_pages(outcome)]
        found += check_cases(outcome, which=lambda number: number % _SHARES == 0)
        return figures(outcome.world, title, days), found

    def others() -> list[Violation]:
        return list(check_cases(outcome, which=lambda number: number % _SHARES != 0))

    (shown, some), more = side_by_side(ours, others)
    return shown, in_order([*some, *more])
