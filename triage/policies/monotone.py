"""The property of clinical-policy.md 2: no finding made worse, or unknown, lowers the tier."""

from collections.abc import Iterator, Mapping

from triage.policies.bands import UNKNOWN
from triage.policies.cover import Combination, Group, Space
from triage.policies.rows import RulePlan


class Monotone:
    """Proves it change by change: a rule that a change loses must leave one as urgent behind."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.rules = space.book.compiled.layout.rules
        self.changes = 0
        self._all = sum(rule.mask for rule in self.rules)
        self._as_urgent = {
            rule.id: sum(each.mask for each in self.rules if each.tier.rank >= rule.tier.rank)
            for rule in self.rules
        }
        self._answered: dict[tuple[int, int, int], bool] = {}

    def problems(self) -> Iterator[str]:
        """One complaint for each finding and pair of values that lowers a tier."""
        for group in self.space.groups:
            told: set[str] = set()
            for name, before, after in _changes(self.space, group):
                self.changes += 1
                rule = self._lost(group, group.masks[before], group.masks[after])
                place = group.position(name)
                complaint = f"{name} from {before[place]} to {after[place]} can lose "
                if rule and complaint not in told:
                    told.add(complaint)
                    others = _spoken(group, before, but=name)
                    yield f"tiers.toml {rule.id}: calmer: {complaint}{rule.tier} (with {others})"

    def _lost(self, group: Group, before: int, after: int) -> RulePlan | None:
        """A rule that hits before, with nothing as urgent hitting after, in some combination."""
        lost = after & ~before & self._all
        if not lost:
            return None
        for rule in self.rules:
            for sentence in rule.sentences:
                if lost & sentence.bit and self._is_calmer(group, after, rule, sentence.bit):
                    return rule
        return None

    def _is_calmer(self, group: Group, after: int, rule: RulePlan, row: int) -> bool:
        as_urgent = self._as_urgent[rule.id]
        question = (id(group), after & as_urgent, row)
        if question not in self._answered:
            # The other groups let the lost row hit before; nothing as urgent may hit after.
            self._answered[question] = self.space.exists(row, as_urgent, apart=group, has=after)
        return self._answered[question]


def _changes(space: Space, group: Group) -> Iterator[tuple[str, Combination, Combination]]:
    """Every combination of the group with one finding made worse."""
    for place, (name, values) in enumerate(group.inputs):
        for before in group.masks:
            given = {each: value for (each, _), value in zip(group.inputs, before, strict=True)}
            for worse in _worse(space, name, given):
                if worse in values:
                    yield name, before, (*before[:place], worse, *before[place + 1 :])


def _worse(space: Space, name: str, given: Mapping[str, str]) -> list[str]:
    """The later values of the finding's row, and unknown for its first."""
    steps = _row(space, name, given)
    for place, step in enumerate(steps):
        if given[name] in step:
            later = [value for following in steps[place + 1 :] for value in following]
            return [*later, UNKNOWN] if place == 0 else later
    return []


def _row(space: Space, name: str, given: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    derived, fields = space.book.derived, space.book.findings
    for cut in derived.cut:
        if cut.name == name:
            return tuple((band.name,) for band in cut.bands) if fields[cut.of].rules else ()
    if any(window.name == name for window in derived.window):
        return (("over",), ("within",))
    if name not in fields:
        return ()
    row = fields[name]
    for other, by_value in row.order_when.items():
        if given.get(other) in by_value:
            return tuple((value,) for value in by_value[given[other]])
    return row.steps


def _spoken(group: Group, combination: Combination, but: str) -> str:
    named = zip(group.inputs, combination, strict=True)
    return ", ".join(f"{name} {value}" for (name, _), value in named if name != but) or "any"
