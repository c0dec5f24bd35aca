"""The instants of a case's course that its obligations start from, are met by and end at."""

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from triage.domain.case import Case
from triage.domain.events import Event, EventType, read_actor
from triage.policies.derive import has_sphincter_sign, severity
from triage.policies.schedule_tables import ObligationClock, ObligationRow
from triage.workflow.course import Course
from triage.workflow.senior_opinion import set_by_seniors

_SURGICAL = ("surgery", "stabilise")
_WITHOUT_TRANSFER = ("watch", "palliative")
_IN_HAND = ("done", "reported")
_OF_DECIDING = ("decision", "rechecked", "information_requested", "transfer", "re_examination")
_OF_WAITING = (  # what treatment ends
    *("call_back", "senior_opinion", "oncology_contacted", "mri", "mri_report"),
    *_OF_DECIDING,
)


class Moment(NamedTuple):
    """Something that happened: when, and when we heard of it."""

    at: datetime
    received_at: datetime


class Start(NamedTuple):
    """Where a clock starts, in whose name; `met` where this start decides it by itself."""

    at: datetime
    run: str
    tag: str = ""
    met: datetime | None = None
    decides_met: bool = False


class Facts:
    """Read-only answers about one course."""

    def __init__(self, course: Course, case: Case) -> None:
        self.course, self.case = course, case
        self._ended: dict[tuple[str, datetime | None], datetime | None] = {}
        self._recorded: dict[str, list[Moment]] = {}
        # Examinations (a grade or walking category) in clinical order.
        self.examined: list[tuple[datetime, str]] = []
        self.imaged = self.moment("mri_done")  # however we heard of it
        self.reported = self.moment("mri_reported")
        self._starts: dict[str, datetime | None] = {}
        self._read_entries()
        self._read_reports()

    def _read_entries(self) -> None:
        for each in self.case.milestone_entries:
            if not each.is_withdrawn:
                moment = Moment(each.at, each.received_at)
                self._recorded.setdefault(each.name, []).append(moment)
        for moments in self._recorded.values():
            moments.sort()

    def _read_reports(self) -> None:
        examinations = []
        for each in self.course.reports:
            event, mri = each.event, each.reading.values.get("mri")
            if each.is_examination:
                examinations.append(event)
            if mri in _IN_HAND:
                self.imaged.append(Moment(event.occurred_at, event.received_at))
            if mri == "reported" or event.type is EventType.IMAGING_REPORTED:
                self.reported.append(Moment(event.occurred_at, event.received_at))
        examinations.sort(key=lambda event: event.clinical_order)
        self.examined += [(event.occurred_at, event.id) for event in examinations]
        self.imaged.sort(key=lambda moment: moment.at)
        self.reported.sort(key=lambda moment: moment.at)

    def at(self, milestone: str) -> datetime | None:
        """The standing instant of a milestone."""
        entry = self.case.milestones.get(milestone)
        return entry.at if entry else None

    def moment(self, milestone: str) -> list[Moment]:
        """The standing milestone as a moment, if it is there."""
        entry = self.case.milestones.get(milestone)
        return [Moment(entry.at, entry.received_at)] if entry else []

    def recorded(self, milestone: str) -> list[Moment]:
        """Every recording of a milestone that is not withdrawn, earliest first.

        Whichever of them stands, what was done in time was done in time.
        """
        return self._recorded.get(milestone, [])

    @cached_property
    def suspected(self) -> datetime | None:
        """When compression was first suspected, or the earliest instant that stands in for it."""
        stated = self.at("suspected")
        if stated is not None:
            return stated
        instead = ("first_presentation", "referral_sent", "referral_received")
        return min((at for name in instead if (at := self.at(name))), default=None)

    @cached_property
    def onset(self) -> datetime | None:
        """The earliest stated onset of the deficit or last walk."""
        finding = self.course.merged.values.get("deficit_onset_at")
        found = [self.at("deficit_onset"), self.at("last_walked")]
        found.append(finding if isinstance(finding, datetime) else None)
        return min((at for at in found if at), default=None)

    @cached_property
    def decided(self) -> list[Moment]:
        """Final treatment decisions, earliest first."""
        return sorted(map(_moment, self.course.final_decisions))

    @cached_property
    def senior(self) -> list[Moment]:
        """What counts as a senior opinion: a review, a tier or a treatment set by a senior."""
        acts = map(_moment, set_by_seniors(self.course))
        return sorted([*self.recorded("senior_reviewed"), *acts], key=lambda moment: moment.at)

    @cached_property
    def oncology(self) -> list[Moment]:
        """Oncology or haematology contacted, or heard."""
        roles = self.course.book.authority.may.give_oncology_opinion
        opinions = [
            _moment(event)
            for event in self.course.acts
            if event.type is EventType.OPINION_GIVEN
            and (_is_by(event, roles) or event.data.get("specialty") in roles)
        ]
        return sorted(
            [*self.recorded("oncology_contacted"), *opinions], key=lambda moment: moment.at
        )

    @property
    def closed_at(self) -> datetime | None:
        """When the case was closed."""
        return self.course.closing.received_at if self.course.closing else None

    def met(self, row: ObligationRow, clock: ObligationClock) -> list[Moment]:
        """Everything that meets this obligation on this clock, earliest first."""
        if row.name in ("transfer", "after_surgery"):
            return self._met_by_clock(clock)
        match row.name:
            case "senior_opinion":
                return self.senior
            case "oncology_contacted":
                return self.oncology
            case "mri":
                return self.imaged
            case "mri_report":
                return self.reported
            case "decision":
                return self.decided
            case "theatre":
                return self._operated()
            case "radiotherapy":
                return self._since("radiotherapy_started", self.case.decision_at)
            case "information_requested":
                return self._since("info_completed", self.at("info_requested"))
        return []

    def _since(self, milestone: str, instant: datetime | None) -> list[Moment]:
        """What was done before it was done for something else."""
        return [each for each in self.recorded(milestone) if instant and each.at >= instant]

    def _operated(self) -> list[Moment]:
        """An operation that was under way when it was decided is the one that was decided."""
        decided, ends = self.case.decision_at, [each.at for each in self.recorded("surgery_end")]
        under_way = [
            each
            for each in self.recorded("knife_to_skin")
            if decided and min((end for end in ends if end >= each.at), default=each.at) >= decided
        ]
        return sorted({*under_way, *self._since("knife_to_skin", decided)})

    def _met_by_clock(self, clock: ObligationClock) -> list[Moment]:
        match clock.name:
            case "departed":
                return [*self.moment("departed"), *self.moment("arrived")]
            case "arrived":
                return self.moment("arrived")
            case "recovery_examination":
                return self._since("postop_neuro_exam", self.at("surgery_end"))
        return self._examined_after_a_day(clock)

    def _examined_after_a_day(self, clock: ObligationClock) -> list[Moment]:
        """An examination in the second half of the clock's time counts as the one at its end."""
        end = self.at("surgery_end")
        limits = clock.tier[self.case.tier].limits
        if end is None or not limits:
            return []
        half = end + limits[0].within.length / 2
        return [Moment(at, at) for at, _ in self.examined if at >= half]

    def ended(self, name: str, since: datetime | None = None) -> datetime | None:
        """When an obligation ended without being met: closing, treatment, another decision.

        A decision that we heard of before `since` does not end what a raise started then.
        """
        key = name, since
        if key not in self._ended:
            ends = [end for end in self._ends_of(name, since) if end]
            self._ended[key] = min(ends) if ends else None
        return self._ended[key]

    def _ends_of(self, name: str, since: datetime | None) -> Iterator[datetime | None]:
        if name == "after_surgery":
            yield self.at("died")
            return
        yield self.closed_at
        if name in _OF_WAITING:
            yield self.case.treated_at
        if name == "re_examination":
            yield from (each.at for each in self._since("knife_to_skin", self.course.received_at))
        if name == "transfer" and self.case.decision in _WITHOUT_TRANSFER:
            yield self.case.decision_at
        if name == "senior_opinion":
            heard = (each for each in self.decided if since is None or each.received_at >= since)
            yield from (each.at for each in heard)

    def starts(self, row: ObligationRow, clock: ObligationClock) -> list[Start]:
        """Every start of a clock that a raise does not restart."""
        if clock.starts == "arose":
            return [
                Start(review.asked_at, review.event, review.tag, self._reviewed(review.tag), True)
                for review in self.course.reviews
            ]
        if row.name == "rechecked":
            return self._rechecks()
        instant = self._start(row, clock)
        opener = self.course.opened_by.id if self.course.opened_by else ""
        return [Start(instant, opener)] if instant is not None else []

    def _reviewed(self, tag: str) -> datetime | None:
        return self.course.reviewed.get(tag)

    def _rechecks(self) -> list[Start]:
        return [
            Start(
                recheck.received_at,
                recheck.event,
                met=next((at for at, _ in self.examined if at > recheck.occurred_at), None),
                decides_met=True,
            )
            for recheck in self.course.rechecks
        ]

    def _awaits_radiotherapy(self) -> bool:
        """Decided so, or palliative with a neurological symptom or sign."""
        if self.case.is_palliative:
            values, book = self.course.merged.values, self.course.book
            return severity(values, book) > 0 or has_sphincter_sign(values, book)
        return self.case.decision == "radiotherapy"

    def _start(self, row: ObligationRow, clock: ObligationClock) -> datetime | None:
        if row.name == "theatre" and self.case.decision not in _SURGICAL:
            return None
        if row.name == "radiotherapy" and not self._awaits_radiotherapy():
            return None
        if clock.starts not in self._starts:
            self._starts[clock.starts] = self._instant(clock.starts)
        return self._starts[clock.starts]

    def _instant(self, of: str) -> datetime | None:
        match of:
            case "first_hit":
                return self.course.callback_since[0] if self.course.callback_since else None
            case "suspected":
                return self.suspected
            case "onset":
                return self.onset
            case "imaging":
                return self.imaged[0].at if self.imaged else None
            case "report":
                return self.reported[0].at if self.reported else None
            case "decision":
                return self.case.decision_at
            case "received":
                return self.at("referral_received")
            case "requested":
                return self.at("info_requested")
        return self.at(of)  # accepted, surgery_end


def _moment(event: Event) -> Moment:
    return Moment(event.occurred_at, event.received_at)


def _is_by(event: Event, roles: tuple[str, ...]) -> bool:
    by = read_actor(event.data.get("by"))
    return by is not None and by.role in roles
