"""Everything that one hospital will send about one invented patient, with its usual troubles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from triage.consumers.topics import REFERRALS
from triage.proof import presentations
from triage.proof.messages import Kind, TimedMessage, as_record, envelope
from triage.proof.people_and_places import CENTRE, Hospital, patient, referrer

# How often, per case or per message: proposals for demonstrations, no measured rates.
_DETERIORATES = 0.08
_EXAMINED_AGAIN = 0.3
_CORRECTS = 0.08
_CANCELS = 0.02
_MISSPELLS = 0.03
_NAMES_NO_DESTINATION = 0.15
_SENT_TWICE = 0.03
_SENT_LATE = 0.03
_OVERTAKEN = 0.02
_ID_USED_AGAIN = 0.004

_ODD_VALUES: tuple[dict[str, Any], ...] = (
    {"ais": "D/E?"},
    {"walking": "with one stick"},
    {"bladder": "?"},
    {"escc": "grade 2"},
    {"bladdr": "altered"},
    {"sins": "about nine"},
)


@dataclass(slots=True)
class HospitalCase:
    """One referral from its first message on. `pace` divides the waits between its messages."""

    hospital: Hospital
    number: int
    opens_at: datetime
    dice: Random
    pace: float = 1.0
    _sent: int = field(default=0, init=False)

    @property
    def subject(self) -> str:
        """The referral's id in the hospital's own numbering."""
        return f"{self.opens_at.year}-{self.number:06d}"

    @property
    def referral(self) -> str:
        """`<source>/<subject>`."""
        return f"{self.hospital.source}/{self.subject}"

    def messages(self) -> Iterator[TimedMessage]:
        """All of them, in no particular order: late and overtaken ones are among them."""
        for at, kind, data in self._story():
            yield from self._records(at, kind, data)

    def _story(self) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
        dice, opened = self.dice, self.opens_at
        presentation = presentations.choose(dice)
        findings = presentation.findings(dice, opened)
        yield opened, "referral.submitted.v1", self._submission(presentation.note, findings)
        yield from self._milestones(findings)
        if findings.get("mri") in ("none", "requested") and dice.random() < 0.7:
            report = {"findings": presentations.scan_report(dice), "reported_by": _radiologist()}
            yield self._later(2, 8), "imaging.reported.v1", report
        if dice.random() < _DETERIORATES:
            yield self._later(1, 6), "neuro.examined.v1", _examination(presentations.worse(dice))
        elif dice.random() < _EXAMINED_AGAIN:
            same = presentations.unchanged(findings)
            yield self._later(1, 4), "neuro.examined.v1", _examination(same)
        yield from self._second_thoughts()

    def _submission(self, note: str, findings: Mapping[str, Any]) -> dict[str, Any]:
        dice = self.dice
        odd = dice.choice(_ODD_VALUES) if dice.random() < _MISSPELLS else {}
        data: dict[str, Any] = {
            "referrer": referrer(dice, self.hospital),
            "patient": patient(dice, self.hospital),
            "findings": {**findings, **odd},
            "done_already": {"precautions": dice.random() < 0.5, "images_sent": True},
            "note": note,
        }
        if dice.random() >= _NAMES_NO_DESTINATION:
            data["destination"] = CENTRE
        return data

    def _milestones(
        self, findings: Mapping[str, Any]
    ) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
        if self.dice.random() < 0.4:
            yield self._later(0.1, 1), "milestone.reached.v1", {"milestone": "steroid_given"}
        if findings.get("mri") == "requested":
            yield self._later(1, 2), "milestone.reached.v1", {"milestone": "mri_done"}

    def _second_thoughts(self) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
        dice = self.dice
        if dice.random() < _CORRECTS:
            found = {"findings": {"histology": dice.choice(("breast", "prostate", "unknown"))}}
            yield self._later(0.5, 3), "referral.updated.v1", found
        if dice.random() < _CANCELS:
            by = {"name": "Sample Referrer", "role": "referrer"}
            data = {"reason": "entered twice", "by": by}
            yield self._later(0.2, 2), "referral.cancelled.v1", data

    def _later(self, at_least: float, at_most: float) -> datetime:
        """An instant that many hours after opening, at this case's pace; whole milliseconds."""
        hours = self.dice.uniform(at_least, at_most) / self.pace
        return self.opens_at + timedelta(milliseconds=round(hours * 3_600_000))

    def _records(self, at: datetime, kind: str, data: dict[str, Any]) -> Iterator[TimedMessage]:
        dice, sent_at = self.dice, at
        self._sent += 1
        event = envelope(
            source=self.hospital.source,
            event_id=f"{self.subject}-{self._sent}",
            event_type=kind,
            time=at,
            data=data,
            subject=self.subject,
        )
        if dice.random() < _SENT_LATE:
            sent_at += timedelta(minutes=dice.uniform(20, 300) / self.pace)
        elif kind == "referral.submitted.v1" and dice.random() < _OVERTAKEN:
            sent_at += timedelta(hours=2 / self.pace)
        record = self._record(sent_at, event, Kind.EVENT)
        yield record
        yield from self._again(record, event)

    def _again(self, record: TimedMessage, event: dict[str, Any]) -> Iterator[TimedMessage]:
        dice = self.dice
        if dice.random() < _SENT_TWICE:
            later = record.at + timedelta(minutes=dice.uniform(0.05, 90) / self.pace)
            yield TimedMessage(
                at=later,
                topic=record.topic,
                key=record.key,
                headers=record.headers,
                value=record.value,
                kind=Kind.REPEAT,
            )
        if dice.random() < _ID_USED_AGAIN:
            later = record.at + timedelta(minutes=10 / self.pace)
            yield self._record(
                later, {**event, "data": {**event["data"], "note": "Amended."}}, Kind.CONFLICT
            )

    def _record(self, at: datetime, event: Mapping[str, Any], kind: Kind) -> TimedMessage:
        headers, value = as_record(event, self.dice)
        key = self.referral.encode()
        return TimedMessage(
            at=at, topic=REFERRALS, key=key, headers=headers, value=value, kind=kind
        )


def _examination(findings: Mapping[str, Any]) -> dict[str, Any]:
    return {"findings": findings, "examiner": {"name": "Sample Referrer", "grade": "registrar"}}


def _radiologist() -> dict[str, str]:
    return {"name": "Sample Radiologist", "role": "radiology"}
