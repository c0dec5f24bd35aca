"""Findings merged in clinical order (clinical-policy.md 3 and 3.1).

A later value replaces an earlier one, `unknown` replaces nothing, at one instant the worse stands.
A deficit that gets worse without a new onset leaves its onset unknown; a walking category lost
between examinations at most 24 h apart counts as a worsening trend (D2).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from triage.domain.case import FindingValue
from triage.domain.events import Event
from triage.policies.book import PolicyBook
from triage.policies.classify import Assessment, classify, depends_on_time
from triage.policies.derive import has_sphincter_sign, severity
from triage.policies.read import Findings, Reading, read_findings
from triage.workflow.order import is_worse, rank

DEFICIT_FIELDS = ("ais", "walking", "neuro_symptom")
SPHINCTER_FIELDS = ("bladder", "saddle_sensation", "pvr_ml")
RECHECKS = ("motor_loss", "pain_surge", "fall", "collapse")


@dataclass(frozen=True, slots=True)
class Reported:
    """An event that carries findings or a recheck, with its findings read by the case's book."""

    event: Event
    reading: Reading
    recheck: str | None

    @property
    def carries(self) -> bool:
        """Findings or a recheck, readable or not."""
        sent = isinstance(self.event.data.get("findings"), Mapping)
        return sent or self.recheck is not None or self.reading.review

    @property
    def is_examination(self) -> bool:
        """It holds a grade or a walking category: an examination for D1, D2 and re-examination."""
        return "ais" in self.reading.values or "walking" in self.reading.values


def report(event: Event, book: PolicyBook) -> Reported:
    """Read an event's findings; an event without any gives an empty reading."""
    raw = event.data.get("findings")
    if raw is None or isinstance(raw, Mapping):
        reading = read_findings(raw or {}, book)
    else:
        reading = Reading({}, frozenset(), ("findings",), review=True)
    recheck = event.data.get("recheck")
    word = recheck.strip().casefold() if isinstance(recheck, str) else None
    if word in RECHECKS:
        return Reported(event, reading, word)
    if recheck is not None:  # it asks for something that nobody understands: a human has to look
        reading = replace(reading, unread=(*reading.unread, "recheck"), review=True)
    return Reported(event, reading, None)


@dataclass(frozen=True, slots=True)
class Change:
    """What one report changed: fields now worse than known before, and fields first known now."""

    worse: frozenset[str] = frozenset()
    first: frozenset[str] = frozenset()
    lost_walking: bool = False


@dataclass(frozen=True, slots=True)
class Merged:
    """The findings of some reports, merged; `last` is the last one in clinical order."""

    values: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, FindingValue] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    grades: tuple[tuple[str, datetime], ...] = ()
    walks: tuple[tuple[str, datetime], ...] = ()  # of the last two instants, the worse of each
    last: Event | None = None
    change: Change = Change()
    _assessed: list[tuple[PolicyBook, Assessment]] = field(
        default_factory=list, compare=False, repr=False
    )

    def assess(self, book: PolicyBook, now: datetime) -> Assessment:
        """Classify what is known, against the grades of earlier examinations in the log (D1).

        Once, where nothing of it has an age that goes on.
        """
        for known, assessment in self._assessed:
            if known is book:
                return assessment
        found = self._classified(book, now)
        if not depends_on_time(self.values):
            self._assessed.append((book, found))
        return found

    def _classified(self, book: PolicyBook, now: datetime) -> Assessment:
        present = self.given.get("ais")
        return classify(
            Findings(values=self.values, unknown=self.unknown),
            book,
            now=now,
            ais_at=present.at if present else None,
            earlier_ais=tuple(g for g in self.grades if present and g[1] < present.at),
        )

    def compared(self, name: str, book: PolicyBook) -> Any:
        """What a new value is worse than or not: a cause that is not neurological (`cannot_other`)
        says nothing of the deficit, and hides no walking category known before it."""
        value = self.values.get(name)
        if name == "walking" and self.walks and rank(book, name, value) is None:
            return self.walks[-1][0]
        return value

    def extend(self, report: Reported, book: PolicyBook) -> "Merged":
        """With one more report, which must be the last in clinical order."""
        return _Merge(self, report, book).result()


def merge(reports: Iterable[Reported], book: PolicyBook) -> Merged:
    """All reports, in clinical order whatever order they come in."""
    merged = Merged()
    for report in sorted(reports, key=lambda each: each.event.clinical_order):
        merged = merged.extend(report, book)
    return merged


class _Merge:
    """One extension under work: copies of what `before` holds, changed field by field."""

    def __init__(self, before: Merged, report: Reported, book: PolicyBook) -> None:
        self.before, self.report, self.book = before, report, book
        self.at, self.event = report.event.occurred_at, report.event.id
        self.values = dict(before.values)
        self.given = dict(before.given)

    def result(self) -> Merged:
        sent = self.report.reading.values
        worse = frozenset(name for name, value in sent.items() if self._take(name, value))
        self._forget_stale_pairs(sent)
        lost = self._lost_walking()
        if lost:
            self._put("trend", "worsening")
        self._forget_old_onsets(sent, worse)
        unknown = (self.before.unknown | self.report.reading.unknown) - self.values.keys()
        return Merged(
            values=self.values,
            given=self.given,
            unknown=unknown,
            grades=self._grades(),
            walks=self._walks(),
            last=self.report.event,
            change=Change(worse, self._first_known(sent), lost),
        )

    def _take(self, name: str, value: Any) -> bool:
        """Put the value in unless a worse one stands at this instant; True when it is worse."""
        standing = self.given.get(name)
        if standing is not None and standing.at == self.at:
            is_outside = rank(self.book, name, value) is None
            knows_more = is_outside and rank(self.book, name, standing.value) is not None
            if knows_more or is_worse(self.book, name, value, standing.value):
                return False
        self._put(name, value)
        return is_worse(self.book, name, self.before.compared(name, self.book), value)

    def _first_known(self, sent: Mapping[str, Any]) -> frozenset[str]:
        """What stood outside the orders (`longstanding`) says as little as nothing at all."""
        known = self.before.values
        return frozenset(name for name in sent if rank(self.book, name, known.get(name)) is None)

    def _put(self, name: str, value: Any) -> None:
        self.values[name] = value
        self.given[name] = FindingValue(value, self.at, self.event)

    def _drop(self, name: str) -> None:
        self.values.pop(name, None)
        self.given.pop(name, None)

    def _forget_stale_pairs(self, sent: Mapping[str, Any]) -> None:
        # The age of an earlier grade must not describe the next earlier grade that comes without.
        if "previous_ais" in sent and "previous_ais_at" not in sent:
            self._drop("previous_ais_at")

    def _lost_walking(self) -> bool:
        now = self.report.reading.values.get("walking")
        before = next((each for each in reversed(self.before.walks) if each[1] < self.at), None)
        if now is None or before is None:
            return False
        within = self.at - before[1] <= self.book.derived.grade_drop.within
        return within and is_worse(self.book, "walking", before[0], now)

    def _forget_old_onsets(self, sent: Mapping[str, Any], worse: frozenset[str]) -> None:
        before, after = self.before.values, self.values
        if "deficit_onset_at" in before and "deficit_onset_at" not in sent:
            grew = severity(after, self.book) > severity(before, self.book)
            if grew or not worse.isdisjoint(DEFICIT_FIELDS):
                self._drop("deficit_onset_at")
        if "bladder_onset_at" in before and "bladder_onset_at" not in sent:
            new = has_sphincter_sign(after, self.book) > has_sphincter_sign(before, self.book)
            if new or not worse.isdisjoint(SPHINCTER_FIELDS):
                self._drop("bladder_onset_at")

    def _grades(self) -> tuple[tuple[str, datetime], ...]:
        grade = self.report.reading.values.get("ais")
        return self.before.grades if grade is None else (*self.before.grades, (grade, self.at))

    def _walks(self) -> tuple[tuple[str, datetime], ...]:
        category, walks = self.report.reading.values.get("walking"), self.before.walks
        if category is None or rank(self.book, "walking", category) is None:
            return walks
        if walks and walks[-1][1] == self.at:
            if not is_worse(self.book, "walking", walks[-1][0], category):
                return walks
            walks = walks[:-1]
        return (*walks[-1:], (category, self.at))
