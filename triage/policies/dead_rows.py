"""Rows that no patient can ever meet: they mislead whoever reads the book."""

from collections.abc import Iterator

from triage.domain.tiers import Tier
from triage.policies.cover import Group, Space
from triage.policies.program import Settled
from triage.policies.rows import Condition

# What must fit and what must fail, as masks.
Need = tuple[int, int]


def dead_rows(space: Space) -> Iterator[str]:
    """Derived rows that never decide, rule rows and rules that never matter, flags never set."""
    yield from _derived(space)
    yield from _rules(space)
    yield from _flags(space)
    for bit, row in space.book.compiled.layout.assumptions:
        if not space.exists(bit, 0):
            yield f"assumptions.toml {row.field}: dead: no findings fit it"


def _derived(space: Space) -> Iterator[str]:
    for settled in space.program.derived:
        rows = next(row.rows for row in space.book.derived.derived if row.name == settled.name)
        names = {name for row in rows for name in row.when}
        group = next(group for group in space.groups if names & _names(space, group))
        decided = {_first(settled, failed) for failed in _raw(space, group)}
        for place in range(len(rows)):
            if place not in decided:
                yield f"derived.toml {settled.name} row {place + 1}: dead: it never decides"


def _names(space: Space, group: Group) -> set[str]:
    names = {name for name, _ in group.inputs}
    return names | {zone.name for zone in space.book.derived.zone if zone.of in names}


def _raw(space: Space, group: Group) -> Iterator[int]:
    order = [name for name, _ in group.inputs]
    for combination in group.masks:
        yield space.raw(dict(zip(order, combination, strict=True)))


def _first(settled: Settled, failed: int) -> int | None:
    fits = (place for place, (bit, _, _) in enumerate(settled.rows) if not failed & bit)
    return next(fits, None)


def _rules(space: Space) -> Iterator[str]:
    rules = space.book.compiled.layout.rules
    for rule in rules:
        above = sum(other.mask for other in rules if other.tier.rank > rule.tier.rank)
        for place, sentence in enumerate(rule.sentences, start=1):
            if not space.exists(sentence.bit, 0):
                yield f"tiers.toml {rule.id} row {place}: dead: no findings fit it"
        if not any(space.exists(sentence.bit, above) for sentence in rule.sentences):
            yield f"tiers.toml {rule.id}: dead: it never decides the tier"


def _flags(space: Space) -> Iterator[str]:
    layout, met = space.book.compiled.layout, dict[str, list[Need]]()
    for flag in layout.flags:
        needs = [_needs(space, condition, met) for condition in flag.conditions]
        for place, ways in enumerate(needs, start=1):
            if not any(space.exists(fits, fails) for fits, fails in ways):
                yield f"flags.toml {flag.id} row {place}: dead: it is never set"
        met[flag.id] = [way for ways in needs for way in ways]


def _needs(space: Space, condition: Condition, met: dict[str, list[Need]]) -> list[Need]:
    """Every way to meet a condition: its row, with a rule, a flag above, a tier where it asks."""
    rules = space.book.compiled.layout.rules
    ways: list[Need] = [(condition.bit, 0)]
    if condition.hit:
        rows = [row.bit for rule in rules if rule.mask & condition.hit for row in rule.sentences]
        ways = [(fits | row, fails) for fits, fails in ways for row in rows]
    if condition.flag:
        above = [need for name in condition.flag for need in met[name]]
        ways = [(fits | more, fails | less) for fits, fails in ways for more, less in above]
    if condition.tier:
        tiers = [need for tier in condition.tier for need in _tier(space, tier)]
        ways = [(fits | more, fails | less) for fits, fails in ways for more, less in tiers]
    return ways


def _tier(space: Space, tier: Tier) -> list[Need]:
    """The ways to get a tier from the rules: one row of it, none of a higher one."""
    layout = space.book.compiled.layout
    above = sum(rule.mask for rule in layout.rules if rule.tier.rank > tier.rank)
    rows = [row.bit for rule in layout.rules if rule.tier is tier for row in rule.sentences]
    if tier is layout.otherwise_tier:
        rows.append(0)
        above = sum(rule.mask for rule in layout.rules)
    return [(row, above) for row in rows]
