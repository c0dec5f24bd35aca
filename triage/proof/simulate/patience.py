"""When a run is given up: pages about one case grow without end, so that it never comes to rest."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from triage.proof.simulate.story import Story
from triage.proof.simulate.verdict import Violation

_MOST, _MOST_AN_HOUR = 200, 100  # an EMERGENT case that nobody answers has 40 pages an hour


@dataclass(slots=True)
class Patience:
    """Counts the pages about each case; `ends` is told when they are too many.

    A page that is tried again and again while no provider takes it is one page.
    """

    story: Story
    ends: Callable[[Violation], None]
    _tried: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def note(self, page: str, case: str | None) -> None:
        """A page is tried, about a case or about unread records (None)."""
        about = case or "unread records"
        self._tried[about].add(page)
        most = round(_MOST + _MOST_AN_HOUR * self.story.hours)
        if len(self._tried[about]) > most:
            what = f"a storm of pages about {about}: more than {most} in one story"
            self.ends(Violation(7, what))
