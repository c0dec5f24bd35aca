"""What this process counts itself; a restart begins at 0. Every combination of labels is there."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from triage.domain.audit import AuditResult
from triage.domain.canary import is_canary
from triage.domain.events import EventType
from triage.handle import Incoming, Outcome
from triage.metrics.catalogue import (
    AUDIT_KINDS,
    AUDIT_STATES,
    CALL_BACK_OUTCOMES,
    CALL_BACKS,
    CALL_BUCKETS,
    CANARY_STAGES,
    CATALOGUE,
    CHANNELS,
    CONSUMERS,
    DOORS,
    EVENT_OUTCOMES,
    OTHER,
    PAGE_OUTCOMES,
    PIN_OUTCOMES,
    STATUS_CLASSES,
    SUPPRESSED,
    TIMED,
    hospital_label,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Instruments:
    """The in-process instruments, in a registry of their own."""

    def __init__(self, *, version: str) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self.registered: frozenset[str] = frozenset()
        self._suppressed = self._counter("triage_pages_suppressed_total")
        _begin(self._suppressed, SUPPRESSED)
        self._pages = self._counter("triage_pages_total")
        self._delivery = self._histogram("triage_page_delivery_seconds")
        self._call_backs = self._counter("triage_provider_callbacks_total")
        self._pins = self._counter("triage_pin_checks_total")
        self._last_processed = self._gauge("triage_event_consumer_last_processed_timestamp_seconds")
        self._pending = self._gauge("triage_event_consumer_pending_events")
        self._events = self._counter("triage_events_total")
        self._unread = self._counter("triage_unread_fields_total")
        self._corrections = self._counter("triage_milestone_corrections_total")
        self._gaps = self._gauge("triage_roster_gap_seconds")
        self._loop_failures = self._counter("triage_loop_failures_total")
        _begin(self._loop_failures, TIMED)
        self._audit_findings = self._counter("triage_audit_findings_total")
        self._audit_repairs = self._counter("triage_audit_repairs_total")
        self._audit_cases = self._gauge("triage_audit_cases")
        self._audit_oldest = self._gauge("triage_audit_oldest_judged_timestamp_seconds")
        self._stale_feeds = self._gauge("triage_roster_stale_feeds")
        self._heard = self._gauge("triage_source_last_event_timestamp_seconds")
        self._silent = self._gauge("triage_source_silent")
        self._canary_age = self._gauge("triage_canary_age_seconds")
        self._canary_broken = self._gauge("triage_canary_broken")
        self._requests = self._counter("triage_http_requests_total")
        self._seconds = self._histogram("triage_http_request_duration_seconds")
        self._refresh_errors = self._counter("triage_exporter_refresh_errors_total")
        Info("triage_build", CATALOGUE["triage_build"].help, registry=self.registry).info(
            {"version": version}
        )
        _begin(self._pages, CHANNELS, PAGE_OUTCOMES)
        _begin(self._canary_broken, CANARY_STAGES)
        _begin(self._call_backs, CALL_BACKS, CALL_BACK_OUTCOMES)
        _begin(self._pins, PIN_OUTCOMES)
        _begin(self._events, DOORS, EVENT_OUTCOMES)
        _begin(self._last_processed, CONSUMERS)
        _begin(self._pending, CONSUMERS)
        _begin(self._unread, (OTHER,))
        _begin(self._audit_findings, AUDIT_KINDS)
        _begin(self._audit_repairs, AUDIT_KINDS)
        _begin(self._audit_cases, AUDIT_STATES)

    def page_attempt(self, channel: str, outcome: str, seconds_since_owed: float) -> None:
        """An attempt to send a page; the seconds count when a provider accepted it."""
        self._pages.labels(channel, outcome).inc()
        if outcome == "accepted":
            self._delivery.observe(max(seconds_since_owed, 0.0))

    def call_back(self, kind: str, outcome: str) -> None:
        """A telephone provider called back: `taken`, `ignored`, or `refused` (not signed)."""
        self._call_backs.labels(kind, outcome).inc()

    def pin_check(self, outcome: str) -> None:
        """A PIN was given: `right`, `wrong`, or `locked`."""
        self._pins.labels(outcome).inc()

    def sources(self, heard: Mapping[str, datetime], silent: Collection[str]) -> None:
        """When each registered hospital was last heard of, and which are silent for too long."""
        for source, at in heard.items():
            self._heard.labels(source).set(at.timestamp())
            self._silent.labels(source).set(source in silent)

    def canary(self, age_seconds: float, broken: str | None) -> None:
        """How long ago a canary last came back, and the stage at which the latest is stuck."""
        self._canary_age.set(max(age_seconds, 0.0))
        for stage in CANARY_STAGES:
            self._canary_broken.labels(stage).set(stage == broken)

    def consumed(self, consumer: str, at_epoch_seconds: float, pending: int) -> None:
        """A consumer stored what it had; `pending` records are left on its topic."""
        self._last_processed.labels(consumer).set(at_epoch_seconds)
        self._pending.labels(consumer).set(pending)

    def events(self, door: str, incoming: Sequence[Incoming], outcomes: Sequence[Outcome]) -> None:
        """What became of events that a door took in, one outcome each."""
        for item, outcome in zip(incoming, outcomes, strict=True):
            if is_canary(item.event.referral):
                continue
            self._events.labels(door, _word(outcome)).inc()
            if outcome.duplicate:
                continue
            if item.event.type is EventType.MILESTONE_CORRECTED and outcome.effect:
                self._corrections.inc()
            if outcome.unread:
                label = hospital_label(item.event.sender.source, self.registered)
                self._unread.labels(label).inc(len(outcome.unread))

    def unreadable(self, door: str, outcome: str, count: int) -> None:
        """Messages that were `refused` with an answer, or `quarantined`."""
        self._events.labels(door, outcome).inc(count)

    def roster(self, seconds: Mapping[str, float], *, stale_feeds: int) -> None:
        """Time without anybody on call in the next 24 hours by role, and stale feeds."""
        for role, without in seconds.items():
            self._gaps.labels(role).set(without)
        self._stale_feeds.set(stale_feeds)

    def expect_routes(self, routes: Iterable[str]) -> None:
        """The route templates that this process serves."""
        _begin(self._requests, tuple(sorted({*routes, OTHER})), STATUS_CLASSES)

    def http_request(self, route: str, status: int, seconds: float) -> None:
        """One HTTP answer."""
        self._requests.labels(route, f"{status // 100}xx").inc()
        self._seconds.observe(seconds)

    def audited(self, result: AuditResult) -> None:
        """One pass of the auditor."""
        for finding in result.found:
            self._audit_findings.labels(finding.kind.value).inc()
        for finding in result.mended:
            self._audit_repairs.labels(finding.kind.value).inc()
        self._audit_cases.labels("seen").set(result.seen)
        self._audit_cases.labels("judged").set(result.seen - result.unjudged)
        oldest = result.oldest_judged_at
        self._audit_oldest.set(oldest.timestamp() if oldest else 0)

    def loop_failed(self, loop: str) -> None:
        """A fault of ours in one of `TIMED`."""
        self._loop_failures.labels(loop).inc()

    def refresh_failed(self) -> None:
        """The figures could not be read; those shown get old."""
        self._refresh_errors.inc()

    def page_suppressed(self, why: str | None) -> None:
        """A page was not sent, because nobody needs it any more."""
        self._suppressed.labels(why if why in SUPPRESSED else OTHER).inc()

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format; reads no database."""
        return generate_latest(self.registry)

    def _counter(self, name: str) -> Counter:
        known = CATALOGUE[name]
        return Counter(name, known.help, known.labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        known = CATALOGUE[name]
        return Gauge(name, known.help, known.labels, registry=self.registry)

    def _histogram(self, name: str) -> Histogram:
        known = CATALOGUE[name]
        return Histogram(
            name, known.help, known.labels, registry=self.registry, buckets=CALL_BUCKETS
        )


def _begin(metric: MetricWrapperBase, *values: tuple[str, ...]) -> None:
    for combination in product(*values):
        metric.labels(*combination)


def _word(outcome: Outcome) -> str:
    if outcome.duplicate:
        return "duplicate"
    return "accepted" if outcome.effect else "no_effect"
