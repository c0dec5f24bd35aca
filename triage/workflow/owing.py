"""What somebody is owed a page for: a step of an obligation's ladder, to a role or to a person."""

from dataclasses import dataclass

from triage.domain.case import Obligation
from triage.domain.events import Actor
from triage.domain.roster.roster import OWNER_OF_CASE
from triage.workflow.ladder import Step

# No rungs of the ladder: pages to the person who was asked to take over, and at a shift's end.
HAND_OVER_RUNG = 99
SHIFT_END_RUNG = 98


@dataclass(frozen=True, slots=True)
class Owing:
    """A step of one obligation's ladder; `person` where somebody is meant rather than a role.

    `chosen_by` is the rule that found that person.
    """

    obligation: Obligation
    step: Step
    person: Actor | None = None
    asked: str = "acknowledge"
    chosen_by: str = OWNER_OF_CASE
