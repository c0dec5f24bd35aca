"""What a case owes by when, as a template shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triage.web.board_view import NEAR
from triage.web.wall import Countdown, Moment, Wall
from triage.web.words import KINDS, Wording, leg_words, plain, role_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One obligation: `outcome` is `met`, `met late`, `ended`, `late` or `open`."""

    title: str
    clock: str
    holder: str
    kind: str
    source: str
    starts: Moment | None
    due: Moment | None
    left: Countdown | None
    done: Moment | None
    outcome: str
    leg: str
    cause: str


def owed_view(obligation: Mapping[str, Any], wording: Wording, wall: Wall) -> Owed:
    """One entry of a case document's `obligations`."""
    met, ended = obligation.get("met_at"), obligation.get("closed_at")
    done = wall.moment(met or ended)
    left = None if done else wall.countdown(obligation["due_at"], near=NEAR)
    name, clock = obligation["name"], obligation.get("clock")
    return Owed(
        title=wording.obligation(name),
        clock=plain(clock) if clock and clock != name else "",
        holder=", ".join(role_words(each) for each in _holders(obligation)),
        kind=KINDS.get(obligation.get("kind", ""), obligation.get("kind", "")),
        source=obligation.get("source", ""),
        starts=wall.moment(obligation.get("starts_at")),
        due=wall.moment(obligation["due_at"]),
        left=left,
        done=done,
        outcome=_outcome(obligation, left),
        leg=leg_words(obligation.get("leg")),
        cause=plain(obligation["cause"]) if obligation.get("cause") else "",
    )


def _holders(obligation: Mapping[str, Any]) -> Sequence[str]:
    return obligation.get("holders") or [obligation.get("holder") or "coordinator"]


def _outcome(obligation: Mapping[str, Any], left: Countdown | None) -> str:
    if obligation.get("met_at"):
        return "met late" if obligation.get("breached_at") else "met"
    if obligation.get("closed_at"):
        return "ended late" if obligation.get("breached_at") else "ended"
    return "late" if left and left.is_late else "open"


def due_first(owed: Owed) -> str:
    """What is due first comes first."""
    return owed.due.iso if owed.due else ""
