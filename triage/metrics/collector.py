"""The figures from the database for Prometheus. A scrape shows the last snapshot, never a query."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import product

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from triage.metrics.catalogue import (
    AUDIT_KINDS,
    CATALOGUE,
    CURRENT_LEGS,
    LOOPS,
    OTHER,
    PATHWAY_LEGS,
    TIERS,
    TIMED_LEGS,
    WAIT_BUCKETS,
    hospital_label,
)
from triage.metrics.snapshot import Snapshot

Labels = tuple[str, ...]


class SnapshotCollector(Collector):
    """`steps` are the obligations of the policy book whose version it shows."""

    def __init__(self, *, steps: Iterable[str], policy: str) -> None:
        self._steps = tuple(sorted(set(steps)))
        self._policy = policy
        self._snapshot: Snapshot | None = None
        self._seen_late: set[Labels] = set()

    def show(self, snapshot: Snapshot) -> None:
        """From now on scrapes show this snapshot."""
        self._snapshot = snapshot

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are fixed by the catalogue, and registering must not collect."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The families of the last snapshot; before the first one only the policy."""
        yield self._policy_info()
        snapshot = self._snapshot
        if snapshot is None:
            return
        yield from self._open_cases(snapshot)
        yield from self._deadlines(snapshot)
        yield _instants(
            "triage_unacknowledged_oldest_start_timestamp_seconds",
            _earliest(
                ((each.tier or OTHER, self._hospital(each.hospital)), each.oldest_at)
                for each in snapshot.unacknowledged
            ),
        )
        yield from self._durations(snapshot)
        yield from _queues(snapshot)

    def _hospital(self, hospital: str) -> str:
        registered = self._snapshot.registered if self._snapshot else frozenset[str]()
        return hospital_label(hospital, registered)

    def _policy_info(self) -> Metric:
        _, _, content = self._policy.partition("+")
        info = {"version": self._policy, "hash": content.removesuffix("-draft")}
        return InfoMetricFamily("triage_policy", CATALOGUE["triage_policy"].help, value=info)

    def _open_cases(self, snapshot: Snapshot) -> Iterator[Metric]:
        counts: dict[Labels, float] = dict.fromkeys(product(TIERS, CURRENT_LEGS), 0)
        oldest: list[tuple[Labels, datetime | None]] = []
        for each in snapshot.open_cases:
            labels = (each.tier or OTHER, each.leg or OTHER)
            counts[labels] = counts.get(labels, 0) + each.count
            oldest.append((labels, each.oldest_at))
        yield _gauge("triage_open_cases", counts)
        yield _instants("triage_open_case_oldest_start_timestamp_seconds", _earliest(oldest))

    def _deadlines(self, snapshot: Snapshot) -> Iterator[Metric]:
        late: dict[Labels, float] = {
            (tier, step, OTHER): 0 for tier, step in product(TIERS, self._steps)
        } | dict.fromkeys(self._seen_late, 0)
        upcoming: list[tuple[Labels, datetime | None]] = []
        for each in snapshot.deadlines:
            tier = each.tier or OTHER
            labels = (tier, each.step, self._hospital(each.hospital))
            late[labels] = late.get(labels, 0) + each.past
            upcoming.append(((tier, each.step), each.next_due_at))
        self._seen_late = set(late)
        yield _instants("triage_next_deadline_timestamp_seconds", _earliest(upcoming))
        yield _gauge("triage_open_cases_past_deadline", late)

    def _durations(self, snapshot: Snapshot) -> Iterator[Metric]:
        legs: dict[Labels, list[float]] = {labels: [] for labels in product(TIMED_LEGS, TIERS)}
        hospitals = sorted({*snapshot.registered, OTHER})
        pathway: dict[Labels, list[float]] = {
            labels: [] for labels in product(hospitals, PATHWAY_LEGS)
        }
        for each in snapshot.durations:
            legs.setdefault((each.leg, each.tier), []).append(each.seconds)
            if each.leg in PATHWAY_LEGS:
                pathway[self._hospital(each.hospital), each.leg].append(each.seconds)
        yield _histogram("triage_leg_duration_seconds", legs)
        yield _histogram("triage_pathway_duration_seconds", pathway)


def _queues(snapshot: Snapshot) -> Iterator[Metric]:
    counts = snapshot.counts
    yield _gauge("triage_quarantined_messages", {(): float(counts.quarantine_unread)})
    found: dict[Labels, float] = {
        (kind,): float(snapshot.open_findings.get(kind, 0)) for kind in AUDIT_KINDS
    }
    yield _gauge("triage_audit_open_findings", found)
    for name, at in (
        ("triage_outbox_oldest_timestamp_seconds", counts.outbox_oldest_at),
        ("triage_page_owed_oldest_timestamp_seconds", counts.page_owed_oldest_at),
        ("triage_last_sweep_timestamp_seconds", snapshot.progress.get("sweep")),
        ("triage_last_audit_timestamp_seconds", snapshot.progress.get("audit")),
        ("triage_exporter_last_refresh_timestamp_seconds", snapshot.at),
    ):
        yield _instants(name, {(): at} if at else {})
    turns: dict[Labels, datetime] = {
        (loop,): at for loop, at in snapshot.progress.items() if loop in LOOPS
    }
    yield _instants("triage_loop_last_turn_timestamp_seconds", turns)


def _earliest(found: Iterable[tuple[Labels, datetime | None]]) -> dict[Labels, datetime]:
    earliest: dict[Labels, datetime] = {}
    for labels, at in found:
        if at is not None:
            earliest[labels] = min(at, earliest.get(labels, at))
    return earliest


def _instants(name: str, found: Mapping[Labels, datetime]) -> Metric:
    return _gauge(name, {labels: at.timestamp() for labels, at in found.items()})


def _gauge(name: str, found: Mapping[Labels, float]) -> Metric:
    known = CATALOGUE[name]
    family = GaugeMetricFamily(name, known.help, labels=known.labels)
    for labels, value in found.items():
        family.add_metric(labels, value)
    return family


def _histogram(name: str, found: Mapping[Labels, list[float]]) -> Metric:
    known = CATALOGUE[name]
    family = HistogramMetricFamily(name, known.help, labels=known.labels)
    for labels, seconds in found.items():
        family.add_metric(labels, _buckets(seconds), sum(seconds))
    return family


def _buckets(seconds: Iterable[float]) -> list[tuple[str, float]]:
    """Cumulative counts; a value that equals an edge is inside it."""
    counted: dict[int, int] = defaultdict(int)
    for value in seconds:
        counted[bisect_left(WAIT_BUCKETS, value)] += 1
    total, buckets = 0, []
    for index, edge in enumerate((*map(str, map(float, WAIT_BUCKETS)), "+Inf")):
        total += counted[index]
        buckets.append((edge, float(total)))
    return buckets
