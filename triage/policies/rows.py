"""Where each rule, flag, assumption and reminder finds its rows among the program's bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import Formatter

from triage.domain.tiers import Tier
from triage.policies.tables import Assumption, Flag, FlagRow, Reminder, Rule, When


@dataclass(frozen=True, slots=True)
class Sentence:
    """The row that a sentence belongs to, and the names of what is to be filled in."""

    bit: int
    text: str
    blanks: tuple[str, ...]
    missing: str


@dataclass(frozen=True, slots=True)
class RulePlan:
    """A rule of findings; it hits when a row of `mask` fits."""

    id: str
    tier: Tier
    mask: int
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A row with what it asks for besides findings; what is empty asks for nothing.

    `hit` are the rows of the rules of which one must hit, `flag` flags of which one must be set.
    """

    bit: int
    hit: int
    flag: frozenset[str]
    tier: frozenset[Tier]

    def holds(self, fitting: int, flags: Sequence[str], tier: Tier) -> bool:
        """Everything that it asks for besides findings holds."""
        return bool(
            (not self.hit or fitting & self.hit)
            and (not self.flag or not self.flag.isdisjoint(flags))
            and (not self.tier or tier in self.tier)
        )


@dataclass(frozen=True, slots=True)
class FlagPlan:
    """A flag or reminder: one of its conditions holds.

    `plain` are the rows that ask for nothing but findings: one of them sets it.
    """

    id: str
    plain: int
    conditions: tuple[Condition, ...]

    def is_set(self, fitting: int, flags: Sequence[str], tier: Tier) -> bool:
        """Whether it is set, given the flags above this one and the tier that the rules gave."""
        return any(
            fitting & each.bit and each.holds(fitting, flags, tier) for each in self.conditions
        )

    @property
    def is_plain(self) -> bool:
        """Findings alone decide."""
        return all(each.bit & self.plain for each in self.conditions)


@dataclass(frozen=True, slots=True)
class Layout:
    """All plans and, in bit order, the rows that the program is compiled from.

    `rules` stand in the order in which they are told, flags in the order of the file, assumptions
    by field. `tiers` are the rows that give each tier, the most urgent first; `asking` the flags
    that ask for more than findings.
    """

    rows: tuple[When, ...]
    rules: tuple[RulePlan, ...]
    rules_by_id: tuple[RulePlan, ...]
    tiers: tuple[tuple[Tier, int], ...]
    otherwise: Rule
    flags: tuple[FlagPlan, ...]
    asking: tuple[FlagPlan, ...]
    otherwise_tier: Tier
    otherwise_reasons: tuple[str, ...]
    assumptions: tuple[tuple[int, Assumption], ...]
    reminders: tuple[tuple[Reminder, FlagPlan], ...]


class _Bits:
    """Rows in the order of their bits, and the rows of each rule laid out so far."""

    def __init__(self) -> None:
        self.rows: list[When] = []
        self.rules: dict[str, int] = {}

    def add(self, when: When) -> int:
        self.rows.append(when)
        return 1 << (len(self.rows) - 1)


def lay_out(
    rules: Sequence[Rule],
    flags: Sequence[Flag],
    assumptions: Sequence[Assumption],
    reminders: Sequence[Reminder],
) -> Layout:
    """Give every row its bit."""
    bits = _Bits()
    ordered = sorted(rules, key=lambda rule: rule.telling)
    otherwise = next(rule for rule in rules if rule.otherwise)
    plans = tuple(_rule(rule, rule.tier, bits) for rule in ordered if rule.rows and rule.tier)
    set_by = tuple(_flag(flag.id, flag.rows, bits) for flag in flags)
    return Layout(
        rules=plans,
        rules_by_id=tuple(sorted(plans, key=lambda plan: plan.id)),
        tiers=tuple(
            (tier, sum(plan.mask for plan in plans if plan.tier is tier))
            for tier in sorted({plan.tier for plan in plans}, key=lambda each: -each.rank)
        ),
        otherwise=otherwise,
        otherwise_tier=otherwise.tier or Tier.ROUTINE,
        otherwise_reasons=(f"{otherwise.because} ({otherwise.id}).",),
        flags=set_by,
        asking=tuple(plan for plan in set_by if not plan.is_plain),
        assumptions=tuple(
            (bits.add(each.when), each) for each in sorted(assumptions, key=lambda one: one.field)
        ),
        reminders=tuple((each, _flag(each.id, each.rows, bits)) for each in reminders),
        rows=tuple(bits.rows),
    )


def _rule(rule: Rule, tier: Tier, bits: _Bits) -> RulePlan:
    sentences = tuple(
        Sentence(
            bit=bits.add(row.when),
            text=f"{row.because} ({rule.id}).",
            blanks=blanks(row.because),
            missing=row.missing,
        )
        for row in rule.rows
    )
    mask = bits.rules[rule.id] = sum(sentence.bit for sentence in sentences)
    return RulePlan(rule.id, tier, mask, sentences)


def _flag(name: str, rows: Sequence[FlagRow], bits: _Bits) -> FlagPlan:
    conditions = [
        Condition(
            bit=bits.add(row.when),
            hit=sum(bits.rules[rule] for rule in row.hit),
            flag=frozenset(row.flag),
            tier=frozenset(row.tier),
        )
        for row in rows
    ]
    plain = sum(each.bit for each in conditions if not (each.hit or each.flag or each.tier))
    return FlagPlan(name, plain, tuple(conditions))


def blanks(sentence: str) -> tuple[str, ...]:
    """The names in braces, once each."""
    found = (name for _, name, _, _ in Formatter().parse(sentence) if name is not None)
    return tuple(dict.fromkeys(found))
