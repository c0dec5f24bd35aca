"""What a case's reports say together: merged in clinical order (policy 3 and 3.1)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from tests.second_opinion.case_orders import Value, is_worse, place, value_of
from tests.second_opinion.classify import evaluate
from tests.second_opinion.derived import has_sphincter_sign, severity
from tests.second_opinion.reading import Seen, read
from triage.domain.events import Event

DAY = timedelta(hours=24)
DEFICIT = ("ais", "walking", "neuro_symptom")
SPHINCTER = ("bladder", "saddle_sensation", "pvr_ml")


@dataclass
class Report:
    """An event's findings as sent, and as read."""

    event: Event
    raw: dict[str, object]
    seen: Seen

    @property
    def occurred(self) -> datetime:
        return self.event.occurred_at

    @property
    def is_examination(self) -> bool:
        """'any event with `ais` or `walking` ... (it is an examination for D1 and D2 too)'"""
        return "ais" in self.seen.text or "walking" in self.seen.text


def report_of(event: Event) -> Report:
    """The findings of an event; none at all when `findings` is no object, and a human looks."""
    found = event.data.get("findings")
    raw = dict(found) if isinstance(found, dict) else {}
    report = Report(event, raw, read(raw))
    report.seen.review |= not (found is None or isinstance(found, dict)) or has_odd_recheck(event)
    return report


def has_odd_recheck(event: Event) -> bool:
    """'A value still outside its list: ... the coordinator gets a review page'"""
    word = event.data.get("recheck")
    known = ("motor_loss", "pain_surge", "fall", "collapse")
    return word is not None and not (isinstance(word, str) and word.strip().casefold() in known)


@dataclass
class Merged:
    """Raw value and instant of every field that is known; and what was only sent as unknown."""

    raw: dict[str, object] = field(default_factory=dict)
    at: dict[str, datetime] = field(default_factory=dict)
    sent_unknown: set[str] = field(default_factory=set)
    loses: bool = False  # the last report lost a walking category
    drops: bool = False  # the present grade is a grade drop
    category: Value = None  # the last of walking; `cannot_other` is none of its categories

    @property
    def seen(self) -> Seen:
        unknown = {name: None for name in self.sent_unknown if name not in self.raw}
        return read({**unknown, **self.raw})

    def value(self, name: str) -> Value:
        return value_of(self.seen, name)

    def compared(self, name: str) -> Value:
        """What a new value is worse than: 'walking category lost (unaided -> aided -> cannot)',
        whatever other cause was told between."""
        value = self.value(name)
        return self.category if name == "walking" and place(name, value) is None else value


def merge(reports: Iterable[Report]) -> Merged:
    """'Clinical order of the events of a case: (occurred, source, id, content hash); never by
    receipt.'"""
    merged = Merged()
    earlier: list[Report] = []
    for report in sorted(reports, key=lambda each: each.event.clinical_order):
        merged.loses = has_lost_walking(report, earlier)
        forget_onsets(merged, report)
        for name in report.seen.sent:
            take_field(merged, report, name)
        if merged.loses:
            # 'a category lost between two examinations <= 24 h apart counts as `trend` worsening'
            merged.raw["trend"], merged.at["trend"] = "worsening", report.occurred
        earlier.append(report)
        merged.category, _ = last_category(earlier)
    merged.drops = has_dropped(merged, earlier)
    return merged


def take_field(merged: Merged, report: Report, name: str) -> None:
    """'A later value of a field replaces an earlier one; `unknown` replaces nothing; at one and
    the same occurred instant the worse value stands.' What stands outside the orders is no worse
    than what is in them."""
    if not is_known(report, name):
        merged.sent_unknown.add(name)
        return
    if name == "sins_items":
        take_items(merged, report)
        return
    if merged.at.get(name) == report.occurred:
        before, value = merged.value(name), value_of(report.seen, name)
        hides = place(name, value) is None and place(name, before) is not None
        if hides or is_worse(name, before, value):
            return
    merged.raw[name], merged.at[name] = report.raw[name], report.occurred


def take_items(merged: Merged, report: Report) -> None:
    """Each of the six is a value of its own: what a later message leaves out it does not unsay."""
    before = merged.seen.items
    points = dict(before)
    for item, now in report.seen.items.items():
        at = f"sins_items.{item}"
        is_same = merged.at.get(at) == report.occurred
        points[item] = max(before[item], now) if is_same else now
        merged.at[at] = report.occurred
    merged.raw["sins_items"] = points


def has_lost_walking(report: Report, earlier: list[Report]) -> bool:
    """'walking category lost (unaided -> aided -> cannot)', between an examination and the one
    before it, at most 24 h apart."""
    before, at = last_category([each for each in earlier if each.occurred < report.occurred])
    if at is None or report.occurred - at > DAY:
        return False
    return is_worse("walking", value_of(report.seen, "walking"), before)


def last_category(reports: list[Report]) -> tuple[Value, datetime | None]:
    """And when; 'at one and the same occurred instant the worse value stands'."""
    found = []
    for each in reports:
        value = value_of(each.seen, "walking")
        worse = place("walking", value)
        if worse is not None:
            found.append((each.occurred, worse, value))
    at, _, value = max(found, default=(None, None, None))
    return value, at


def forget_onsets(merged: Merged, report: Report) -> None:
    """'When a later event makes the deficit worse without a new `deficit_onset_at`, the old onset
    no longer describes it: onset is unknown until stated in that event or a later one. The same
    for the sphincter fields and `bladder_onset_at`.'"""
    after = with_report(merged, report)
    if makes_worse(merged, report, DEFICIT) or severity(after) > severity(merged.seen):
        forget(merged, report, "deficit_onset_at")
    new_sign = has_sphincter_sign(after) and not has_sphincter_sign(merged.seen)
    if makes_worse(merged, report, SPHINCTER) or new_sign:
        forget(merged, report, "bladder_onset_at")


def makes_worse(merged: Merged, report: Report, names: tuple[str, ...]) -> bool:
    return any(is_worse(n, value_of(report.seen, n), merged.compared(n)) for n in names)


def forget(merged: Merged, report: Report, onset: str) -> None:
    if onset not in report.seen.instant:
        merged.raw.pop(onset, None)
        merged.at.pop(onset, None)


def with_report(merged: Merged, report: Report) -> Seen:
    """What would be seen with the report's fields in place."""
    raw = {n: report.raw[n] for n in report.seen.sent if n in report.raw and is_known(report, n)}
    return read({**merged.raw, **raw})


def is_known(report: Report, name: str) -> bool:
    if name == "sins_items":
        return bool(report.seen.items)
    return value_of(report.seen, name) is not None


def has_dropped(merged: Merged, reports: list[Report]) -> bool:
    """D1: 'AIS worse by >= 1 within 24 h, against `previous_ais` or any earlier examination in the
    log'. 'Age = from `previous_ais_at` to the time of the present grade'."""
    grade, at = merged.value("ais"), merged.at.get("ais")
    if grade is None or at is None:
        return False
    for other in reports:
        is_recent = timedelta(0) < at - other.occurred <= DAY
        if is_recent and is_worse("ais", grade, value_of(other.seen, "ais")):
            return True
    if not is_worse("ais", grade, merged.seen.text.get("previous_ais")):
        return False
    since = merged.value("previous_ais_at")
    return since is None or seconds(at) - Fraction(since) <= 24 * 3600


def seconds(at: datetime) -> Fraction:
    """Seconds since 1970, exact."""
    past = at - datetime(1970, 1, 1, tzinfo=UTC)
    return Fraction(past // timedelta(microseconds=1), 1_000_000)


@dataclass
class Reading:
    """One classification."""

    tier: str
    rules: list[str]
    flags: list[str]
    all_rules: list[str]

    @property
    def is_neuro_unknown(self) -> bool:
        return "U6" in self.all_rules


def classify(reports: Iterable[Report], now: datetime) -> Reading:
    """The findings of the reports, merged, at an instant."""
    merged = merge(reports)
    findings: dict[str, object] = dict.fromkeys(merged.sent_unknown)
    findings |= merged.raw
    findings.pop("previous_ais", None)
    findings.pop("previous_ais_at", None)
    if merged.drops:
        findings["previous_ais"] = "E"  # of unknown time: counts as within 24 h
    answer = evaluate({"now": now.isoformat(), "findings": findings})
    return Reading(
        tier=str(answer["tier"]),
        rules=list(answer["rules"]),  # type: ignore[call-overload]
        flags=list(answer["flags"]),  # type: ignore[call-overload]
        all_rules=list(answer["all_rules"]),  # type: ignore[call-overload]
    )
