"""What was worked out for one case before, and is asked for again at its next event."""

from dataclasses import dataclass, field
from datetime import datetime

from triage.domain.case import Obligation
from triage.domain.tiers import Tier
from triage.workflow.limits import Due

_MOST_KEPT, _MOST_RULES = 1_000, 4
DueKey = tuple[str, str, datetime, Tier, datetime | None]
MadeKey = tuple[str, str, datetime, Tier, datetime, str, str, datetime | None, datetime | None]


@dataclass(slots=True)
class Worked:
    """Each by all that it depends on, the book, the site and the standing rules apart."""

    dues: dict[DueKey, Due | None] = field(default_factory=dict)
    made: dict[MadeKey, Obligation] = field(default_factory=dict)


@dataclass(slots=True)
class Workings:
    """Of one case under one book and one roster. From one event to the next nearly all of it stays
    as it was."""

    _worked: dict[tuple[str, tuple[str, ...]], Worked] = field(default_factory=dict)

    def under(self, site: str, rules: tuple[str, ...]) -> Worked:
        """What is known at this site while these rules stand. A log without end does not fill the
        memory: it begins anew."""
        worked = self._worked.get((site, rules))
        if worked is None or len(worked.dues) + len(worked.made) > _MOST_KEPT:
            kept = self._worked if len(self._worked) < _MOST_RULES else {}
            worked = Worked()
            self._worked = {**kept, (site, rules): worked}
        return worked
