"""The policy book: all tables at one version, and what is compiled from them once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from triage.policies.bands import Bands
from triage.policies.outcome import Outcome
from triage.policies.program import Program
from triage.policies.read import Vocabulary
from triage.policies.rows import Layout
from triage.policies.schedule_tables import (
    AuthorityDocument,
    DeadlinesDocument,
    LaddersDocument,
    TimersDocument,
)
from triage.policies.tables import (
    AssumptionsDocument,
    BookDocument,
    DerivedDocument,
    FieldRow,
    Flag,
    FlagsDocument,
    RemindersDocument,
    Rule,
    RulesDocument,
    SinsDocument,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """The files of the book, typed; each attribute is named after its file."""

    book: BookDocument
    findings: Mapping[str, FieldRow]
    derived: DerivedDocument
    tiers: RulesDocument
    flags: FlagsDocument
    assumptions: AssumptionsDocument
    timers: TimersDocument
    deadlines: DeadlinesDocument
    ladders: LaddersDocument
    authority: AuthorityDocument
    sins: SinsDocument
    reminders: RemindersDocument
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What classification runs on, made from the documents once."""

    vocabulary: Vocabulary
    layout: Layout
    program: Program
    bands: Bands
    outcome: Callable[[int], Outcome]
    rules: Mapping[str, Rule]
    flags: Mapping[str, Flag]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolicyBook:
    """One version of the policy. `version` is `<version>+<content hash>`, `-draft` while unsigned.

    The tables that tell time and people are read from here by name: `book.ladders.promise.cap`.
    """

    version: str
    is_draft: bool
    documents: Documents
    compiled: Compiled

    @property
    def title(self) -> str:
        """What the book is about."""
        return self.documents.book.title

    @property
    def vocabulary(self) -> Vocabulary:
        """The fields, compiled for reading."""
        return self.compiled.vocabulary

    @property
    def findings(self) -> Mapping[str, FieldRow]:
        """The fields with their orders."""
        return self.documents.findings

    @property
    def derived(self) -> DerivedDocument:
        """Derived findings, bands and windows."""
        return self.documents.derived

    @property
    def timers(self) -> TimersDocument:
        """Timers that raise a tier or ask for something."""
        return self.documents.timers

    @property
    def deadlines(self) -> DeadlinesDocument:
        """Obligations with their clocks."""
        return self.documents.deadlines

    @property
    def ladders(self) -> LaddersDocument:
        """Who is paged when."""
        return self.documents.ladders

    @property
    def authority(self) -> AuthorityDocument:
        """Which roles may do what."""
        return self.documents.authority

    @property
    def sources(self) -> Mapping[str, str]:
        """What each source key cites."""
        return self.documents.sources

    def because(self, rule: str) -> str:
        """The sentence of a rule that an act or timer gives; of others their class: it holds also
        where the findings that it once hit on, whichever row that was, are others by now."""
        row = self.compiled.rules[rule]
        words = row.because or row.class_ or row.rows[0].because
        return words[:1].upper() + words[1:]

    def rule_class(self, rule: str) -> str:
        """A rule's reason in a few words that carry no detail of a patient, for pages."""
        return self.compiled.rules[rule].class_
