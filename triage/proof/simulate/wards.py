"""The wards: once somebody has taken a case on, its pathway runs and the patient is examined."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from triage.domain.tiers import Tier
from triage.proof.pathways import pathway
from triage.proof.simulate.acts import Acts
from triage.proof.simulate.asked import examination
from triage.proof.simulate.story import dice
from triage.proof.simulate.world import World

_EXAMINER = {"name": "Sample Ward Doctor"}
_IN_GOOD_TIME = (0.35, 0.95)  # of the interval that the book asks for
_COMES = (4.0, 12.0)  # minutes
_DAY_AFTER = timedelta(hours=18)  # an examination from 12 h to 24 h after surgery is the one asked


@dataclass(frozen=True, slots=True)
class _Following:
    tier: Tier
    ends: datetime


@dataclass(slots=True)
class Wards:
    """A case that becomes more urgent, or opens again, starts on its pathway anew."""

    world: World
    acts: Acts
    _followed: dict[str, _Following] = field(default_factory=dict)
    _examined: set[str] = field(default_factory=set)

    def follow(self, case: str, tier: Tier, after: timedelta) -> None:
        """Somebody comes, `after` a while, to a case of this tier."""
        before, now = self._followed.get(case), self.world.clock.now()
        if before is not None and (
            (now < before.ends and before.tier.rank >= tier.rank) or self._is_treated(case)
        ):
            self._attend(case, after)
            return
        name = f"{case}.{len(self._followed)}"
        steps = list(pathway(tier, dice(self.world.story.seed, "pathway", name)))
        ends = now + after + timedelta(minutes=steps[-1].after_minutes)
        following = self._followed[case] = _Following(tier, ends)

        def goes_on() -> bool:
            return self._followed[case] is following

        for number, step in enumerate(steps):
            wait = after + timedelta(seconds=round(step.after_minutes * 60, 3))
            self.acts.plan(wait, case, f"{name}.step-{number}", step.type, step.data, goes_on)
            if step.data.get("milestone") == "surgery_end":
                self.acts.after(wait + _DAY_AFTER, self._examine, case, f"{name}.day-after")
        if case not in self._examined:
            self._examined.add(case)
            self.acts.after(after, self._round, case, 1)

    def _attend(self, case: str, after: timedelta) -> None:
        """Who promised to come to a case that is in hand is at the bedside within the promise."""
        name = f"{case}.attends-{self.world.loop.time():.6f}"
        luck = dice(self.world.story.seed, "attends", name)
        self.acts.after(
            after + luck.uniform(*_COMES) * timedelta(minutes=1), self._examine, case, name
        )

    def _round(self, case: str, number: int) -> None:
        """Until treatment the patient is examined as often as the book asks, mostly in time."""
        document, name = self.acts.document(case), f"{case}.round-{number}"
        if document["state"] == "closed" or self._is_treated(case):
            self._examined.discard(case)
            return
        every = self._interval(Tier(document["tier"]))
        luck = dice(self.world.story.seed, "round", name)
        if number > 1 and luck.random() < self.world.story.temper.rounds:
            self._examine(case, name)
        self.acts.after(every * luck.uniform(*_IN_GOOD_TIME), self._round, case, number + 1)

    def _examine(self, case: str, name: str) -> None:
        luck = dice(self.world.story.seed, "examined", name)
        worsens = self.world.story.temper.worsens
        kind, data = examination(self.acts.document(case)["findings"], _EXAMINER, luck, worsens)
        self.acts.plan(timedelta(), case, name, kind, data)

    def _is_treated(self, case: str) -> bool:
        return bool(self.acts.document(case)["milestones"].keys() & _TREATED)

    def _interval(self, tier: Tier) -> timedelta:
        rows = self.world.desk.books.current.deadlines.obligation
        clock = next(row for row in rows if row.name == "re_examination").clock[0]
        limits = clock.tier[tier].limits
        return limits[0].within.length if limits else timedelta(days=1)


_TREATED = {"knife_to_skin", "radiotherapy_started", "died"}
