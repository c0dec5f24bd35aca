"""Who is at the door. What the payload says of its sender counts only as the door lets it.

Which type may have an effect is decided later, from the side that is established here
(`triage.domain.authority`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from triage.domain.events import Actor, Sender, Side, read_actor
from triage.intake.registry import NOBODY, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """`name` goes into the journal. `admits`: what a sender is here at most, or who it is.

    `hospital`: a hospital, whatever the payload says. `centre`: the receiving centre for a
    registered centre source, nobody for others. A Sender: exactly that one (its credential says).
    """

    name: str
    admits: Literal["hospital", "centre"] | Sender
    registry: Registry = NOBODY

    def sender(self, source: str) -> Sender | None:
        """Who sends under this source; None where the credential is another's."""
        if isinstance(self.admits, Sender):
            return self.admits if source == self.admits.source else None
        if self.admits == "hospital":
            known = source in self.registry.hospitals
            return Sender(side=Side.HOSPITAL, source=source, is_registered=known)
        known = source in self.registry.centres
        side = Side.CENTRE if known else Side.UNREGISTERED
        return Sender(side=side, source=source, is_registered=known)

    def contradicts(self, data: Mapping[str, object]) -> bool:
        """Whether `by` names another person than the credential at this door belongs to."""
        holder = self.admits.actor if isinstance(self.admits, Sender) else None
        named = read_actor(data.get("by"))
        return holder is not None and named is not None and _differ(holder, named)


def _differ(holder: Actor, named: Actor) -> bool:
    pairs = (
        (holder.person, named.person),
        (_folded(holder.name), _folded(named.name)),
        (_folded(holder.role), named.role),
        (holder.site, named.site),
    )
    return any(ours and theirs and ours != theirs for ours, theirs in pairs)


def _folded(text: str | None) -> str | None:
    return " ".join(text.split()).casefold() if text else None
