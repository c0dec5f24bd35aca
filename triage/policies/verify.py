"""`check`: is the book total, free of dead rows, monotone, cited, in date, and are its times sane?

Exhaustive over all combinations of banded findings (see `cover`), not a sample.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.policies.cover import Space
from triage.policies.dead_rows import dead_rows
from triage.policies.monotone import Monotone
from triage.policies.schedule_check import schedule_problems


@dataclass(frozen=True, slots=True)
class CheckReport:
    """`problems` must keep a book from going live; `warnings` need a human's eye.

    `counted` says what was enumerated, in sentences.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    counted: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """No problem was found."""
        return not self.problems


def check(book: PolicyBook, *, today: date) -> CheckReport:
    """Prove what can be proved of the book's content; `today` is for its review dates.

    What it holds together at all (names, values, citations, ladders for every tier) was proved when
    it was loaded.
    """
    space = Space(book)
    monotone = Monotone(space)
    problems = [*_total(space), *dead_rows(space), *monotone.problems(), *schedule_problems(book)]
    return CheckReport(
        problems=tuple(problems),
        warnings=tuple(_warnings(book, today)),
        counted=tuple(_counted(space, monotone)),
    )


def _total(space: Space) -> Iterator[str]:
    layout = space.book.compiled.layout
    if not space.exists(0, sum(rule.mask for rule in layout.rules)):
        yield f"tiers.toml {layout.otherwise.id}: dead: some other rule always hits"
    given = {rule.tier for rule in layout.rules} | {layout.otherwise_tier}
    for tier in sorted(set(Tier) - given - {Tier.PALLIATIVE_MDT}):
        yield f"tiers.toml: no rule gives {tier}"


def _warnings(book: PolicyBook, today: date) -> Iterator[str]:
    if book.is_draft:
        yield "book.toml signature: draft, unsigned"
    for name, day in sorted(book.documents.book.review_by.items()):
        if day < today:
            yield f"{name}.toml: to be reviewed by {day}, which is past"


def _counted(space: Space, monotone: Monotone) -> Iterator[str]:
    layout = space.book.compiled.layout
    enumerated = sum(group.size for group in space.groups)
    yield (
        f"{space.size} combinations of banded findings in {len(space.groups)} groups; "
        f"{enumerated} combinations within groups enumerated, joined exactly between them"
    )
    yield (
        f"{len(layout.rules)} rules, {len(layout.flags)} flags, {len(layout.assumptions)} "
        f"assumptions, {len(layout.rows)} rows: each proved to fit some combination"
    )
    yield (
        f"{monotone.changes} single changes for the worse within groups, each with every "
        "combination of all other findings"
    )
