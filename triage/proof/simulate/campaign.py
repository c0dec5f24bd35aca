"""Many seeds, one after another: what broke, what was come past, how fast it went."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from triage.proof.simulate.checker import MUST_REACH, check
from triage.proof.simulate.incarnation import Makers
from triage.proof.simulate.make_story import random_story
from triage.proof.simulate.run import PLAIN, Outcome, run_story
from triage.proof.simulate.shrink import shrink
from triage.proof.simulate.story import Story
from triage.proof.simulate.verdict import SecondModel, Violation
from triage.recording.ledger import PolicyBooks

ENOUGH_TO_REACH_ALL = 200  # fewer seeds need not come past everything


@dataclass(slots=True)
class Campaign:
    """`broken` holds the violations of each seed that had any. From `enough` seeds on everything
    in `MUST_REACH` has to have been come past."""

    enough: int = ENOUGH_TO_REACH_ALL
    seeds: int = 0
    deaths: int = 0
    pages: int = 0
    broken: dict[int, list[Violation]] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)

    @property
    def unreached(self) -> frozenset[str]:
        """Marks that it should have come past."""
        return MUST_REACH - self.marks if self.seeds >= self.enough else frozenset()

    @property
    def is_green(self) -> bool:
        """Nothing broke, and everything was come past."""
        return not self.broken and not self.unreached


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """How a story is run and judged; `on_file`: its store is in a file, not in memory."""

    books: PolicyBooks
    makers: Makers = PLAIN
    second_model: SecondModel | None = None
    on_file: bool = False

    def outcome(self, story: Story) -> tuple[Outcome, list[Violation]]:
        """Run it and check it."""
        if not self.on_file:
            return self._outcome(story, None)
        with TemporaryDirectory() as folder:
            return self._outcome(story, Path(folder) / "store.db")

    def _outcome(self, story: Story, file: Path | None) -> tuple[Outcome, list[Violation]]:
        outcome = run_story(story, self.books, self.makers, file=file)
        return outcome, check(outcome, self.second_model)

    def violations(self, story: Story) -> list[Violation]:
        """What the story breaks."""
        return self.outcome(story)[1]

    def fails_alike(self, violation: Violation) -> Callable[[Story], bool]:
        """Whether a story breaks the same invariant."""

        def fails(story: Story) -> bool:
            return any(each.invariant == violation.invariant for each in self.violations(story))

        return fails

    def smallest(self, story: Story, violation: Violation) -> Story:
        """The story made small while it breaks that invariant."""
        return shrink(story, self.fails_alike(violation))


def run_campaign(
    seeds: Iterable[int],
    judge: Judge,
    *,
    enough: int = ENOUGH_TO_REACH_ALL,
    until: Callable[[], bool] = lambda: False,
    tell: Callable[[Campaign], None] = lambda _: None,
) -> Campaign:
    """Run seeds until they end or `until` says so; `tell` hears of each."""
    campaign = Campaign(enough=enough)
    for seed in seeds:
        outcome, found = judge.outcome(random_story(seed))
        campaign.seeds += 1
        campaign.deaths += outcome.deaths
        campaign.pages += len(outcome.world.phones.arrivals)
        campaign.marks |= outcome.world.trace.marks
        if found:
            campaign.broken[seed] = found
        tell(campaign)
        if until():
            break
    return campaign
