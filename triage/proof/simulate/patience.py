"""When a run is given up: pages about one case grow without end, so that it never comes to rest."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from triage.proof.simulate.story import Story
from triage.proof.simulate.verdict import Violation

_MOST, _MOST_AN_HOUR = 200, 100  # an EMERGENT case that nobody answers is tried 30 times an hour


@dataclass(slots=True)
class Patience:
    """Counts the attempts to page about each case; `ends` is told once, when they are too many."""

    story: Story
    ends: Callable[[Violation], None]
    _tried: Counter[str] = field(default_factory=Counter)

    def note(self, case: str | None) -> None:
        """Another attempt, about a case or about unread records (None)."""
        about = case or "unread records"
        self._tried[about] += 1
        most = round(_MOST + _MOST_AN_HOUR * self.story.hours)
        if self._tried[about] == most:
            what = f"a storm of pages about {about}: {most} attempts in one story"
            self.ends(Violation(7, what))
