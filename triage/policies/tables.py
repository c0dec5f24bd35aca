"""The documents of the policy book as typed tables. An unknown key, kind or unit is refused.

`When` is a conjunction: every variable named must have one of the values listed.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from triage.domain.tiers import Tier
from triage.policies.durations import Span, read_elapsed, read_span

Elapsed = Annotated[timedelta, BeforeValidator(read_elapsed)]
AnySpan = Annotated[Span, BeforeValidator(read_span)]
When = Mapping[str, tuple[str, ...]]
Roles = tuple[str, ...]


class Kind(StrEnum):
    """How firm a value is: `former` is a withdrawn national standard, shown as such."""

    NATIONAL = "national"
    FORMER = "former"
    PROPOSAL = "proposal"
    ANALOGUE = "analogue"


class Table(BaseModel):
    """A row or document that takes exactly the keys it names and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Cited(Table):
    """A row that says where it comes from; every key is one of `sources.toml`."""

    kind: Kind
    source: tuple[str, ...] = Field(min_length=1)


class Signature(Table):
    """Who answers for the book. Draft until every line is filled in."""

    clinical_safety_officer: str
    spine_lead: str
    oncology_lead: str
    signed_on: str


class BookDocument(Table):
    """`book.toml`."""

    title: str
    version: str
    status: str
    signature: Signature
    review_by: Mapping[str, date]


class FieldRow(Table):
    """One finding: `order` from benign to worse, `outside` what stands outside the order."""

    kind: Literal["choice", "whole", "number", "instant", "onset", "items"]
    label: str
    rules: bool
    unknown: str
    order: tuple[str | tuple[str, ...], ...] = ()
    order_when: Mapping[str, Mapping[str, tuple[str, ...]]] = {}
    outside: tuple[str, ...] = ()
    absent: str = "unknown"
    unit: str = ""
    from_: int = Field(0, alias="from")
    to: int = 0

    @property
    def steps(self) -> tuple[tuple[str, ...], ...]:
        """The order, each step with the values of equal weight that it holds."""
        return tuple((step,) if isinstance(step, str) else step for step in self.order)

    @property
    def values(self) -> tuple[str, ...]:
        """Every value that may be sent, without `unknown`."""
        return (*(value for step in self.steps for value in step), *self.outside)


class Band(Table):
    """`from` is the band's lowest number (inclusive); it ends where the next begins."""

    name: str
    from_: int = Field(alias="from")


class Cut(Cited):
    """A number read as bands, lowest first."""

    name: str
    of: str
    unit: str
    bands: tuple[Band, ...] = Field(min_length=2)


class Window(Cited):
    """Time since an onset: exactly `within` is inside, later is over."""

    name: str
    of: str
    within: Elapsed


class GradeDrop(Cited):
    """How old an earlier grade may be (inclusive) for a drop from it to count."""

    within: Elapsed


class Zone(Cited):
    """Vertebral levels that rules name together."""

    name: str
    of: str
    high_cervical: tuple[str, ...]
    below_conus: tuple[str, ...]


class DerivedRow(Table):
    """The value that a derived finding takes when its conditions fit."""

    is_: str = Field(alias="is")
    when: When


class Derived(Cited):
    """A finding that rules read instead of raw ones: the first row that fits gives its value."""

    name: str
    title: str
    otherwise: str
    rows: tuple[DerivedRow, ...] = Field(min_length=1)


class DerivedDocument(Table):
    """`derived.toml`."""

    cut: tuple[Cut, ...]
    window: tuple[Window, ...]
    grade_drop: GradeDrop
    zone: tuple[Zone, ...]
    derived: tuple[Derived, ...]


class RuleRow(Table):
    """One way for a rule to hit, with its sentence. `missing` is what `{missing}` then names."""

    when: When = Field(min_length=1)
    because: str
    missing: str = ""


class Rule(Cited):
    """A tier rule. `applied` names the act or timer of those that findings do not give.

    `class` is its reason for a page: no detail of the patient. Rules with a lower `telling` are
    told first.
    """

    id: str
    class_: str = Field(alias="class")
    tier: Tier | None = None
    telling: int
    rows: tuple[RuleRow, ...] = ()
    otherwise: bool = False
    applied: str = ""
    because: str = ""


class RulesDocument(Table):
    """`tiers.toml`."""

    rule: tuple[Rule, ...]


class FlagRow(Table):
    """One way for a flag to be set; what is named must all hold."""

    when: When = {}
    hit: tuple[str, ...] = ()
    flag: tuple[str, ...] = ()
    tier: tuple[Tier, ...] = ()


class Flag(Cited):
    """A flag: what it means to a reader and when it is set. It never changes the tier."""

    id: str
    means: str
    rows: tuple[FlagRow, ...] = Field(min_length=1)


class FlagsDocument(Table):
    """`flags.toml`."""

    flag: tuple[Flag, ...]


class Assumption(Table):
    """What is assumed while `field` is not assessed; `ask` when it is worth a call-back."""

    field: str
    when: When = Field(min_length=1)
    ask: bool
    assumed: str


class AssumptionsDocument(Table):
    """`assumptions.toml`."""

    assumption: tuple[Assumption, ...]


class SinsItems(Table):
    """Points of each item by its description."""

    location: Mapping[str, int]
    pain: Mapping[str, int]
    lesion: Mapping[str, int]
    alignment: Mapping[str, int]
    collapse: Mapping[str, int]
    posterolateral: Mapping[str, int]


class SinsDocument(Cited):
    """`sins.toml`: `location` gives the levels of each location class."""

    items: SinsItems
    location: Mapping[str, tuple[str, ...]]


class Reminder(Table):
    """Reminder text; the prescriber decides. `caution_with`: more caution beside a flag."""

    id: str
    text: str
    source: tuple[str, ...] = Field(min_length=1)
    rows: tuple[FlagRow, ...] = ()
    always: bool = False
    caution: str = ""
    caution_with: Mapping[str, str] = {}


class RemindersDocument(Table):
    """`reminders.toml`."""

    reminder: tuple[Reminder, ...]
