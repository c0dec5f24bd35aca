"""Everything that a run must not show, and everything that a campaign must have come past."""

from collections.abc import Iterable

from triage.proof.simulate.check_cases import check_cases
from triage.proof.simulate.check_intake import check_intake
from triage.proof.simulate.check_pages import check_pages
from triage.proof.simulate.crash_points import AWAIT
from triage.proof.simulate.run import Outcome
from triage.proof.simulate.verdict import SecondModel, Violation

MUST_REACH = frozenset(
    {
        "a page was looked at",
        "a sender had to try again",
        "a page rang twice",
        "a page stood at the desk",
        "a case was closed",
        "a case was EMERGENT",
        "a tier was raised",
        "unread records were paged",
        "an owner was found",
        "cases were joined",
        "joined cases were parted",
        "a page was withdrawn",
        *(
            f"died at {role}.{place}"
            for role in ("door", "sweep", "relay")
            for place in ("begin", "commit", "committed")
        ),
        f"died at {AWAIT}",
        "died at provider.send",
        "died at provider.sent",
        "died at web.committed",
    }
)


def check(outcome: Outcome, second_model: SecondModel | None = None) -> list[Violation]:
    """Every violation of the invariants that this run shows, in the order of their numbers."""
    _mark(outcome)
    if outcome.world.gave_up is not None:
        return [outcome.world.gave_up]  # nothing else is meant to hold on the way
    found = [
        *check_intake(outcome),
        *check_cases(outcome, second_model),
        *check_pages(outcome),
    ]
    return in_order(found)


def in_order(found: Iterable[Violation]) -> list[Violation]:
    """By number, then by what they say."""
    return sorted(found, key=lambda each: (each.invariant, each.what))


_MARKS = {
    "a case was closed": "SELECT 1 FROM cases WHERE state = 'closed'",
    "a case was EMERGENT": "SELECT 1 FROM cases WHERE tier = 'EMERGENT'",
    "an owner was found": "SELECT 1 FROM cases WHERE owner IS NOT NULL",
    "cases were joined": "SELECT 1 FROM cases WHERE document ->> '$.joined' <> '[]'",
    "joined cases were parted": (
        "SELECT 1 FROM journal AS parted JOIN journal AS joined USING (case_id)"
        " WHERE parted.type = 'cases.parted.v1' AND parted.effect"
        " AND joined.type = 'cases.joined.v1' AND joined.effect"
        " AND joined.received_at < parted.received_at"
    ),
    "a page was withdrawn": "SELECT 1 FROM page WHERE withdrawn IS NOT NULL",
    "unread records were paged": "SELECT 1 FROM page WHERE item IS NOT NULL",
    "a page stood at the desk": "SELECT 1 FROM page_attempt WHERE route = 'desk-inbox'",
    "a tier was raised": (
        "SELECT 1 FROM cases WHERE json_array_length(document, '$.tier_history') > 1"
    ),
}


def _mark(outcome: Outcome) -> None:
    world = outcome.world
    for mark, sql in _MARKS.items():
        if world.raw.execute(f"{sql} LIMIT 1").fetchone() is not None:
            world.trace.reached(mark)
    if any(each.document["possibly_doubled"] for each in world.phones.arrivals):
        world.trace.reached("a page rang twice")
