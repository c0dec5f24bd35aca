"""The chart of one case: everything that its log has said so far, as plain lists."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.second_opinion.case_orders import Value
from tests.second_opinion.case_reports import Report
from tests.second_opinion.case_roster import LONG_AGO, SITE, Human, Rosters, Serving
from triage.domain.events import Actor, Event

RANK = ["ROUTINE", "PRIORITY", "URGENT", "EMERGENT"]


def is_higher(tier: str, other: str | None) -> bool:
    """EMERGENT > URGENT > PRIORITY > ROUTINE; any of them above none at all."""
    return other not in RANK or RANK.index(tier) > RANK.index(other)


def rank(tier: str) -> int:
    """PALLIATIVE-MDT below all."""
    return RANK.index(tier) if tier in RANK else -1


@dataclass
class Milestone:
    """One recording of a milestone; corrected ones get a new `at`, withdrawn ones None."""

    event: Event
    name: str
    at: datetime | None


@dataclass
class Answer:
    """Who owns a run, from when, and how long it holds."""

    owner: Actor
    received: datetime
    at: datetime
    until: datetime
    asked: Actor | None = None  # handed over to, and not answered yet
    is_kept: bool = False


@dataclass
class Run:
    """'A run is named by the event or timer that started it.'"""

    start: datetime
    starter: Event | None
    carried: list[tuple[datetime, str]]  # unmet due instants that it replaces, and their tiers
    also: set[str] = field(default_factory=set)  # roles paged at once, beside the first rung
    also_person: Actor | None = None  # the owner until then
    is_by_timer: bool = False
    is_shift_end: bool = False  # its owner's shift had ended
    is_deterioration: bool = False  # after treatment: 'as an EMERGENT run'
    answer: Answer | None = None
    first_answer: Answer | None = None
    tier: str | None = None  # which stands while it runs
    due: datetime | None = None  # by that tier, from its own start
    quiet: list[Actor] = field(default_factory=list)
    declined: list[tuple[datetime, int]] = field(default_factory=list)
    ended: datetime | None = None
    is_treated: bool = False  # treatment has ended it

    @property
    def is_unmet(self) -> bool:
        return self.answer is None and self.ended is None


@dataclass
class Lowering:
    """A valid lowering, and what counts as worse since."""

    event: Event
    tier: str
    best: dict[str, Value]
    is_over: bool = False  # 'the rules count again'


@dataclass
class Recheck:
    """D7 or D9: a re-examination asked for."""

    event: Event
    is_motor_loss: bool
    is_timer_ended: bool = False


@dataclass
class Start:
    """'receipt of what opened, raised or re-opened'; `tier` is the one that stood at its end."""

    at: datetime
    tier: str
    closed: datetime | None = None  # before the next start


@dataclass
class Closing:
    """The case was closed."""

    event: Event
    reason: str
    reports: list[Report]


@dataclass
class Chart:
    """`tier` is the one under a palliative decision, too."""

    rosters: Rosters
    site: str = SITE
    sent_on: datetime | None = None  # since when it is at another site than where it began
    known: datetime = LONG_AGO  # the roster that is in force is the one of this moment
    opener: Event | None = None
    heard: datetime = LONG_AGO  # receipt of the last event
    has_referral: bool = False
    reports: list[Report] = field(default_factory=list)
    tier: str | None = None
    gave: list[str] = field(default_factory=list)  # rules of the event that gave the tier
    stands: set[str] = field(default_factory=set)  # E6, TIMER_60, D7 since the last lowering
    rules_seen: set[str] = field(default_factory=set)
    was_emergent: bool = False
    lowering: Lowering | None = None
    is_lowered: bool = False  # nothing has raised it since
    timer: datetime | None = None
    palliative: Event | None = None
    rechecks: list[Recheck] = field(default_factory=list)
    call_back: datetime | None = None
    call_back_met: datetime | None = None
    milestones: list[Milestone] = field(default_factory=list)
    corrections: list[Event] = field(default_factory=list)
    unraised: list[tuple[str, set[str]]] = field(default_factory=list)  # given while treated
    decisions: list[Event] = field(default_factory=list)
    opinions: list[Event] = field(default_factory=list)
    tier_acts: list[Event] = field(default_factory=list)
    restarts: list[Start] = field(default_factory=list)
    tiers: list[tuple[datetime, str]] = field(default_factory=list)  # as they came to stand
    closing: Closing | None = None
    declining: Event | None = None
    is_cancel_asked: bool = False
    is_cancelled_early: bool = False  # before anything opened the case
    runs: list[Run] = field(default_factory=list)
    reviews: list[tuple[Event, datetime]] = field(default_factory=list)
    review_answers: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    holds: list[tuple[str, datetime, datetime, Actor]] = field(default_factory=list)
    breaches: list[tuple[str, datetime, datetime]] = field(
        default_factory=list
    )  # at each turn, so far
    has_conflict: bool = False
    rows: list[tuple[datetime, str]] = field(default_factory=list)  # timers that have raised
    committed: list[tuple[datetime, str]] = field(default_factory=list)  # of cases joined later
    speaks: bool = True  # its cases are joined, and with no others

    @property
    def shown_tier(self) -> str | None:
        return "PALLIATIVE-MDT" if self.palliative else self.tier

    @property
    def run(self) -> Run | None:
        return self.runs[-1] if self.runs else None

    @property
    def state(self) -> str:
        if self.opener is None:
            return "unopened"
        if self.closing is not None:
            return "closed"
        if self.is_cancel_asked:
            return "cancellation_asked"
        return "open" if self.has_referral else "provisional"

    def serving(self, role: str, at: datetime) -> Serving:
        return self.rosters.serving(role, at, self.known)

    def human(self, actor: Actor) -> Human | None:
        """Somebody of the roster, by id, else by the only one of that name."""
        humans = self.rosters.file(self.known).humans
        if actor.person:
            return humans.get(actor.person)
        named = [each for each in humans.values() if each.name == actor.name]
        return named[0] if len(named) == 1 else None

    def standing(self, name: str) -> datetime | None:
        """'the earliest stands for the first-time milestones ..., the latest for the others'"""
        times = [each.at for each in self.milestones if each.name == name and each.at is not None]
        if not times:
            return None
        return min(times) if name in FIRST_TIME else max(times)

    @property
    def treated_at(self) -> datetime | None:
        """'From `surgery_end` (or radiotherapy_started)'; what was done before the referral was
        done for something else, and the patient waits."""
        if self.opener is None:
            return None
        times = [self.standing(name) for name in ("surgery_end", "radiotherapy_started")]
        since = self.opener.receipt
        return min((each for each in times if each is not None and each >= since), default=None)


# Policy 3.1: "deficit_onset to referral_received, mri_*, departed, arrived, knife_to_skin,
# decompression_complete".
FIRST_TIME = (
    "deficit_onset last_walked first_presentation suspected referral_sent mri_requested "
    "mri_started mri_done mri_reported departed arrived knife_to_skin decompression_complete"
).split()
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)


def restart(chart: Chart, at: datetime) -> None:
    """'receipt of what opened, raised or re-opened': what starts at one instant starts once."""
    last = chart.restarts[-1] if chart.restarts else None
    if last is None or last.at != at or last.closed is not None:
        chart.restarts.append(Start(at, chart.shown_tier or ""))
