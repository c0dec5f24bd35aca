"""The course of a case under work: what the fold has learnt so far, in order of receipt."""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from operator import attrgetter

from triage.domain.case import (
    Acknowledgement,
    Hold,
    MilestoneEntry,
    Obligation,
    Run,
    TierChange,
    Verdict,
)
from triage.domain.events import Actor, CaseId, Event
from triage.domain.paging import short_tag
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.workflow.merge import Merged, Reported
from triage.workflow.milestone_entries import standing
from triage.workflow.workings import Workings


@dataclass(frozen=True, slots=True)
class Closing:
    """A closing that stands, or (`declined`) one that waits for the hospital to accept the plan."""

    reason: str
    occurred_at: datetime
    received_at: datetime
    event: str
    by: str | None
    known: Merged


@dataclass(slots=True)
class Lowering:
    """A named human's lower tier, and the best value of each field received since."""

    event: Event
    best: dict[str, object]
    is_counting: bool = False


@dataclass(frozen=True, slots=True)
class Recheck:
    """A `recheck` that asks for a re-examination."""

    kind: str
    event: str
    occurred_at: datetime
    received_at: datetime
    source: str
    raises: bool = True  # a lowering or closing ends the timer; what was asked for stands


@dataclass(frozen=True, slots=True)
class Review:
    """Something that the coordinator must look at: why, asked when, by which event."""

    why: str
    asked_at: datetime
    event: str
    tag: str
    field: str | None = None


@dataclass(slots=True)
class Restart:
    """Where the clocks start that a raise restarts. `tier` is the one that stood at its end.

    `closed_at` is when the case was closed before the next start: the obligations ended there.
    """

    at: datetime
    tier: Tier
    event: str
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that was answered (`met_at`) or replaced or closed (`ended_at`)."""

    run: Run
    met_at: datetime | None
    ended_at: datetime | None


@dataclass(slots=True)
class Course:
    """Mutable only inside one fold; everything else sees the frozen `Case` made from it."""

    case: CaseId
    book: PolicyBook
    reports: list[Reported] = field(default_factory=list)
    merged: Merged = field(default_factory=Merged)
    tier: Tier | None = None
    history: list[TierChange] = field(default_factory=list)
    given_rules: set[str] = field(default_factory=set)
    emergent_rules: set[str] = field(default_factory=set)
    # What reports gave after a treatment, which raises nothing unless the treatment is withdrawn.
    unraised: list[tuple[Tier, frozenset[str]]] = field(default_factory=list)
    is_lowered: bool = False
    ever_emergent: bool = False
    lowering: Lowering | None = None
    palliative: TierChange | None = None
    palliative_by: Actor | None = None
    timer60_since: tuple[datetime, str] | None = None
    callback_since: tuple[datetime, str] | None = None
    callback_met: datetime | None = None
    rechecks: list[Recheck] = field(default_factory=list)
    # When each last ran out: two sources may number their messages alike.
    fired: dict[tuple[str, str], datetime] = field(default_factory=dict)
    opened_by: Event | None = None
    received_at: datetime | None = None
    is_submitted: bool = False
    cancellation: Event | None = None
    declined: Closing | None = None
    closing: Closing | None = None
    run: Run | None = None
    ended_runs: list[EndedRun] = field(default_factory=list)
    restarts: list[Restart] = field(default_factory=list)
    tiers_stood: list[tuple[datetime, Tier]] = field(default_factory=list)
    acknowledgement: Acknowledgement | None = None
    first_acknowledged: tuple[datetime, str, str] | None = None
    holds: list[Hold] = field(default_factory=list)
    entries: list[MilestoneEntry] = field(default_factory=list)
    corrections: list[Event] = field(default_factory=list)
    decisions: list[Event] = field(default_factory=list)
    tiers_set: list[Event] = field(default_factory=list)
    turns: list[Event] = field(default_factory=list)
    missed: tuple[Obligation, ...] = ()  # breached at the last turn
    acts: list[Event] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    reviewed: dict[str, datetime] = field(default_factory=dict)
    notices: set[str] = field(default_factory=set)
    destinations: list[tuple[datetime | None, str]] = field(default_factory=list)
    callback: str | None = None
    stated_causes: dict[str, str] = field(default_factory=dict)
    members: dict[CaseId, bool] = field(default_factory=dict)
    verdicts: dict[tuple[str, str, str], Verdict] = field(default_factory=dict)
    known: Workings = field(default_factory=Workings, compare=False)  # shared by all copies

    def copy(self) -> "Course":
        """The same course, to be carried on apart from this one."""
        other = Course(
            *[each.copy() if type(each) in (list, set, dict) else each for each in _VALUES(self)]
        )
        other.restarts = [
            Restart(each.at, each.tier, each.event, each.closed_at) for each in self.restarts
        ]
        other.lowering = self.lowering and replace(self.lowering, best=dict(self.lowering.best))
        return other

    @property
    def standing_tier(self) -> Tier:
        """The tier that people see: a palliative decision stands over what findings gave."""
        if self.palliative is not None:
            return Tier.PALLIATIVE_MDT
        return self.tier or Tier.URGENT

    @property
    def is_closed(self) -> bool:
        """Closed, and not re-opened since."""
        return self.closing is not None

    @property
    def closed_since(self) -> datetime:
        """When the standing closing occurred; only for a closed case."""
        assert self.closing is not None
        return self.closing.occurred_at

    def effective(self, name: str) -> MilestoneEntry | None:
        """The standing entry of a milestone, corrections and withdrawals applied."""
        recorded = [entry for entry in self.entries if entry.name == name]
        return standing(recorded, self.corrections).get(name) if recorded else None

    @property
    def final_decisions(self) -> list[Event]:
        """Those for a treatment or against one, as they came: not those that ask for more."""
        return [each for each in self.decisions if each.data["treatment"] != "more_info"]

    @property
    def treated_at(self) -> datetime | None:
        """From here the obligations of the waiting case have ended (clinical-policy.md 3.2).

        A treatment of before the referral was for something else, and ends nothing.
        """
        since, names = self.received_at, ("surgery_end", "radiotherapy_started")
        found = [each.at for each in map(self.effective, names) if each]
        return min((at for at in found if since and at >= since), default=None)

    def start_run(
        self,
        *,
        name: str,
        tag_parts: tuple[str, ...],
        at: datetime,
        cause: str,
        by_timer: bool = False,
        page_owner: bool = False,
        after_treatment: bool = False,
    ) -> None:
        """Begin a new run of the acknowledgement ladder; nobody owns the case any more.

        With `page_owner` whoever owned it is paged, and the consultant at once.
        """
        if self.opened_by is None:
            return  # an act that came before its referral pages nobody yet
        tag = short_tag(*tag_parts)
        owner = self.acknowledgement.by if self.acknowledgement else None
        # After treatment every run is an EMERGENT one: the waiting case's ladder has ended.
        after_treatment = after_treatment or self.treated_at is not None
        begins_anew = after_treatment and not (self.run and self.run.after_treatment)
        carried = () if begins_anew else self._unmet_predecessors()
        if self.run is not None and self.run.tag == tag:
            # The same event has started one already, which nobody saw.
            owner, carried = self.run.also_person, self.run.carried
        elif self.run is not None:
            met = self.acknowledgement.met_at if self.acknowledgement else None
            treated = None if self.run.after_treatment else self.treated_at
            self.ended_runs.append(EndedRun(self.run, met, min(at, treated or at)))
        self.run = Run(
            name=name,
            tag=tag,
            started_at=at,
            tier=Tier.EMERGENT if after_treatment else self.standing_tier,
            cause=cause,
            by_timer=by_timer,
            also_roles=("consultant",) if after_treatment or (page_owner and owner) else (),
            also_person=owner,
            after_treatment=after_treatment,
            carried=carried,
        )
        self.acknowledgement = None

    def _unmet_predecessors(self) -> tuple[tuple[datetime, Tier], ...]:
        """Starts whose due instants the next run may not postpone."""
        if self.run is None or self.acknowledgement is not None:
            return ()
        return (*self.run.carried, (self.run.started_at, self.run.tier))

    def lapses(self, to: datetime) -> bool:
        """Whether a promise or hand-over has ended at or before `to` unkept."""
        held = self.acknowledgement
        if held is None or self.run is None or self.is_closed or held.is_kept or held.until > to:
            return False
        treated = self.treated_at
        if treated is None or self.run.after_treatment:
            return True
        return held.asked is not None and held.received_at > treated  # asked since, and no answer

    def advance(self, to: datetime) -> None:
        """Let promises and hand-overs that ended at or before `to` lapse: each starts a new run."""
        held = self.acknowledgement
        if held is None or not self.lapses(to):
            return
        self.start_run(
            name=f"lapse:{held.event}",
            tag_parts=("lapse", held.event, held.until.isoformat()),
            at=held.until,
            cause="hand-over not answered" if held.asked else "promise not kept",
        )

    def restart(self, at: datetime, event: str) -> None:
        """A raise or re-opening: the clocks that a raise restarts count from here."""
        if self.opened_by is None:
            return
        last = self.restarts[-1] if self.restarts else None
        if last is not None and last.at == at and last.closed_at is None:
            last.event = event  # what starts at one instant starts once
        else:
            self.restarts.append(Restart(at, self.standing_tier, event))

    def note_tier(self, at: datetime) -> None:
        """What is owed from here on is owed at the tier that stands since `at`."""
        tier = self.standing_tier
        if self.restarts:
            self.restarts[-1].tier = tier
        if self.run is not None and not self.run.after_treatment and tier is not self.run.tier:
            self.run = replace(self.run, tier=tier, also_roles=())
        if not self.tiers_stood or self.tiers_stood[-1][1] is not tier:
            self.tiers_stood.append((at, tier))

    def keep_promise(self, event: Event) -> None:
        """A centre's milestone, examination or decision shows that the owner is at work."""
        held = self.acknowledgement
        if held and not (held.is_kept or held.asked) and event.received_at > held.received_at:
            self.acknowledgement = replace(held, is_kept=True)

    def ask_review(self, why: str, event: Event, field: str | None = None) -> None:
        """Give the coordinator a review page (contract: «shown to the coordinator»)."""
        tag = short_tag("review", *event.key, why)
        self.reviews.append(Review(why, event.receipt, event.id, tag, field))


_VALUES = attrgetter(*(each.name for each in fields(Course)))
