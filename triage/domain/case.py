"""The case: everything that the log, a policy book and an instant say about one referral."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple

from triage.domain.events import Actor, CaseId
from triage.domain.tiers import Tier


class CaseState(StrEnum):
    """`unopened` holds what arrived before anything that opens a case; people never see it."""

    UNOPENED = "unopened"
    PROVISIONAL = "provisional"
    OPEN = "open"
    CANCELLATION_ASKED = "cancellation_asked"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one event did: `effect`, why not, and whether the coordinator has to look at it."""

    effect: bool
    reason: str | None = None
    review: str | None = None
    warnings: tuple[str, ...] = ()


class FindingValue(NamedTuple):
    """One merged finding: its value, when it was found and by which event."""

    value: object
    at: datetime
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneEntry:
    """One recording of a milestone. `was` is the instant before a correction, kept visible."""

    name: str
    at: datetime
    event: str
    source: str
    recorded_by: str
    side: str
    received_at: datetime
    is_withdrawn: bool = False
    was: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the acknowledgement ladder, named by the event or timer that started it.

    `carried` are start and tier of unmet runs that it replaced: it is never due later than they
    were. `also` are people paged with the first rung beside the ladder's roles (the owner of a
    case that got worse). `declines` are instants and rungs of pages that were declined, `hushed`
    people who answered and could not stop it, and the rungs of their pages.
    """

    name: str
    tag: str
    started_at: datetime
    tier: Tier
    carried: tuple[tuple[datetime, Tier], ...] = ()
    cause: str
    by_timer: bool = False
    also_roles: tuple[str, ...] = ()
    also_person: Actor | None = None
    declines: tuple[tuple[datetime, int], ...] = ()
    hushed: tuple[tuple[str, int], ...] = ()
    after_treatment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A named person's answer that stops the ladder. At `until` (inclusive) it lapses unless kept.

    `asked` is the person to whom it was handed over and who has not answered yet. `stopped_at` is
    when somebody first stopped this run, where the case has changed hands since.
    """

    by: Actor
    at: datetime
    received_at: datetime
    until: datetime
    event: str
    run: str
    is_kept: bool = False
    asked: Actor | None = None
    stopped_at: datetime | None = None

    @property
    def met_at(self) -> datetime:
        """When the run was answered: a hand-over makes no answer later."""
        return self.stopped_at or self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChange:
    """One step of the tier's history: to which tier, when, by which event and rules."""

    tier: Tier
    at: datetime
    event: str
    rules: tuple[str, ...]
    by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """Something that must have happened by `due_at` (at exactly that instant it is not yet late).

    `nominal` is the policy's full time; a run that starts late has less. `closed_at` says when it
    ended without being met. `cause` is what delayed it, where somebody reported or stated one
    (`triage.domain.causes`); no clock stops for it.
    """

    name: str
    clock: str
    starts_at: datetime
    due_at: datetime
    nominal: timedelta
    holders: tuple[str, ...]
    kind: str
    source: str
    run: str
    run_tag: str
    met_at: datetime | None = None
    closed_at: datetime | None = None
    cause: str | None = None

    def breached_at(self, now: datetime) -> datetime | None:
        """The due instant when it was missed: met strictly later, or unmet strictly after it."""
        end = self.met_at or self.closed_at or now
        return self.due_at if end > self.due_at else None

    @property
    def is_open(self) -> bool:
        """Neither met nor ended."""
        return self.met_at is None and self.closed_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A running timer that raises the tier at `due_at` unless what it waits for comes.

    The one of a shift's end calls everybody instead, unless somebody has taken over.
    """

    rule: str
    started_at: datetime
    due_at: datetime
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """The owner's shift ends `at`, or the case goes to another site then (`is_sent_on`), and nobody
    was asked to take over.

    Told from `warns_at` on; at `lapses_at` everybody is called, unless the case has changed hands.
    `successor` serves the role that is left then; None when nobody does. An owner whom the roster
    does not know (`is_known`) cannot be asked.
    """

    warns_at: datetime
    at: datetime
    lapses_at: datetime
    successor: Actor | None
    chosen_by: str
    is_sent_on: bool = False
    is_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A person's answer on an obligation: no repeats to that person before `until`."""

    obligation: str
    run_tag: str
    person: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case at one instant (`as_of`). See `contract.md` section 3 for the outer form."""

    id: CaseId
    referral: str
    hospital: str
    state: CaseState
    tier: Tier
    is_held: bool
    rules: tuple[str, ...]
    all_rules: tuple[str, ...]
    flags: tuple[str, ...]
    notices: tuple[str, ...]
    unread: tuple[str, ...]
    assumed: tuple[str, ...]
    reasons: tuple[str, ...]
    policy: str
    tier_since: datetime
    tier_event: str
    tier_history: tuple[TierChange, ...]
    opened_at: datetime
    closed_at: datetime | None
    close_reason: str | None
    as_of: datetime
    destinations: tuple[tuple[datetime | None, str], ...]
    callback: str | None
    owner: Actor | None
    acknowledgement: Acknowledgement | None
    run: Run | None
    findings: Mapping[str, FindingValue]
    milestones: Mapping[str, MilestoneEntry]
    milestone_entries: tuple[MilestoneEntry, ...]
    obligations: tuple[Obligation, ...]
    timers: tuple[Timer, ...]
    holds: tuple[Hold, ...]
    decision: str | None
    decision_at: datetime | None
    treated_at: datetime | None
    is_palliative: bool
    joined: tuple[CaseId, ...]
    verdicts: Mapping[tuple[str, str, str], Verdict] = field(default_factory=dict)
    leaving: Leaving | None = None

    @property
    def destination(self) -> str | None:
        """The receiving site that was named last, as it was written.

        Each of `destinations` is there since it was received; without an instant, from the start.
        """
        return self.destinations[-1][1] if self.destinations else None

    def owing(self, obligations: tuple[Obligation, ...], notices: tuple[str, ...]) -> "Case":
        """The same with what it owes. `replace` takes several times as long, and every fold of
        every case comes by here."""
        values = dict(zip(_NAMES, _VALUES(self), strict=True))
        values["obligations"], values["notices"] = obligations, notices
        return Case(**values)


_NAMES = tuple(each.name for each in fields(Case))
_VALUES = attrgetter(*_NAMES)
