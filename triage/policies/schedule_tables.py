"""The documents of the policy book that tell time and people: timers, deadlines, ladders, roles."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from triage.domain.tiers import Tier
from triage.policies.durations import read_elapsed
from triage.policies.tables import AnySpan, Cited, Elapsed, Kind, Roles, Table

AS_DEADLINE = "as the deadline"


def _elapsed_or_deadline(value: object) -> object:
    return None if value == AS_DEADLINE else read_elapsed(value)


# None stands for «as the deadline»: the limit needs the site's hours to be counted.
DueSpan = Annotated[timedelta | None, BeforeValidator(_elapsed_or_deadline)]
ClockStart = Literal[
    "receipt",
    "first_hit",
    "examination",
    "suspected",
    "onset",
    "imaging",
    "report",
    "decision",
    "accepted",
    "received",
    "surgery_end",
    "requested",
    "arose",
]


class Timer(Cited):
    """A timer; `raises_to` with `rule` when it runs out, otherwise its ladder only."""

    id: str
    starts: str
    after: Elapsed
    ends_when: str
    recheck: tuple[str, ...] = ()
    raises_to: Tier | None = None
    rule: str = ""


class TimersDocument(Table):
    """`timers.toml`."""

    timer: tuple[Timer, ...]


class Limit(Cited):
    """A limit of a clock: due exactly `within` after its start counts as in time."""

    within: AnySpan


class OnlyRule(Table):
    """The limit (or words instead) when this is the only rule at the winning tier."""

    within: AnySpan | None = None
    words: str = ""
    kind: Kind = Kind.PROPOSAL
    source: tuple[str, ...] = ()


class TierLimit(Table):
    """What a clock asks at one tier: the earliest of `limits`, or `words` where there is none."""

    limits: tuple[Limit, ...] = ()
    words: str = ""
    note: str = ""
    only_rule: Mapping[str, OnlyRule] = {}


class ObligationClock(Table):
    """One clock of an obligation. `met_by` only where it differs from the obligation's."""

    name: str
    starts: ClockStart
    restarts_on_raise: bool = False
    met_by: tuple[str, ...] = ()
    tier: Mapping[Tier, TierLimit]


class ObligationRow(Table):
    """Something that must have happened by an instant, on one or several clocks."""

    name: str
    title: str
    opens: str
    met_by: tuple[str, ...] = Field(min_length=1)
    ends_by: tuple[str, ...] = Field(min_length=1)
    rests: str = ""
    show: str = ""
    clock: tuple[ObligationClock, ...] = Field(min_length=1)


class DeadlinesDocument(Table):
    """`deadlines.toml`."""

    obligation: tuple[ObligationRow, ...]


class OutOfHours(Table):
    """When a rung waits for the site: its next opening, but never longer than `at_latest`."""

    site_opens: bool
    at_latest: Elapsed


class Rung(Table):
    """Due `after` the start, or at `share` percent of the time to the due instant."""

    roles: Roles = Field(min_length=1)
    after: Elapsed | None = None
    share: int | None = Field(None, ge=0, le=100)
    by_timer: Roles = ()
    out_of_hours: OutOfHours | None = None


class Rounds(Table):
    """Repeats for ever, the first `from` after the start; from `widen_from` also to `widen`."""

    from_: DueSpan = Field(alias="from")
    every: AnySpan
    roles: Roles = Field(min_length=1)
    widen_from: Elapsed | None = None
    widen: Roles = ()


class AfterDue(Table):
    """One page, once, this long after the due instant."""

    after_due: Elapsed
    roles: Roles = Field(min_length=1)


class AcknowledgementLadder(Table):
    """The ladder while nobody owns the case. `due` None: as the deadline of the obligation."""

    due: DueSpan
    rungs: tuple[Rung, ...]
    rounds: Rounds | None = None
    steps: tuple[AfterDue, ...] = ()


class Repeat(Table):
    """What is repeated after a breach."""

    every: Elapsed
    roles: Roles = Field(min_length=1)


class Share(Table):
    """Percent of the time from start to due. The role `holder` is the obligation's holder."""

    share: int = Field(gt=0, lt=100)
    roles: Roles = Field(min_length=1)


class ObligationLadder(Table):
    """The ladder of every obligation but the acknowledgement."""

    shares: tuple[Share, ...]
    due: Roles = Field(min_length=1)
    repeat: Repeat


class Holder(Table):
    """Who holds an obligation; `also_told` see the reminder."""

    roles: Roles = Field(min_length=1)
    also_told: Roles = ()


class QuarantineLadder(Table):
    """Who is paged for unread records, which have no case."""

    rungs: tuple[Rung, ...] = Field(min_length=1)
    repeat: Repeat


class ByUrgency(Table):
    """A length for EMERGENT and one for every tier below it."""

    emergent: Elapsed = Field(alias="EMERGENT")
    below: Elapsed


class Promise(Table):
    """How long `coming` holds without minutes, its cap, and how long a hand-over waits.

    `shift_end_warning` is how long before the end of an EMERGENT case's owner's shift people are
    asked to hand it over.
    """

    default: ByUrgency
    cap: Elapsed
    hand_over_wait: ByUrgency
    shift_end_warning: Elapsed


class LaddersDocument(Cited):
    """`ladders.toml`."""

    minimum_gap: Elapsed
    acknowledgement: Mapping[Tier, AcknowledgementLadder]
    obligations: Mapping[Tier, ObligationLadder]
    holder: Mapping[str, Holder]
    quarantine: QuarantineLadder
    promise: Promise


class May(Table):
    """Roles that may do each act, always by name."""

    raise_tier: Roles
    lower_tier: Roles
    stop_emergent_ladder: Roles
    close_emergent: Roles
    decline_emergent: Roles
    close_cancelled: Roles
    decide_palliative: Roles
    give_senior_opinion: Roles
    give_oncology_opinion: Roles


class PalliativeRow(Table):
    """Reason codes with which a palliative decision counts."""

    reason_codes: tuple[str, ...] = Field(min_length=1)


class ClosingRow(Table):
    """Reasons for which an EMERGENT case is closed without a plan."""

    without_plan: tuple[str, ...]


class AuthorityDocument(Cited):
    """`authority.toml`."""

    may: May
    palliative: PalliativeRow
    closing: ClosingRow
