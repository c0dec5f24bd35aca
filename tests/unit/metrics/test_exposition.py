"""What /metrics says, read back with the parsers that Prometheus' own client has."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import parser
from prometheus_client.metrics_core import Metric

from tests.web_house import CASE, HOSPITAL, NOW, House, build_house, event
from triage.metrics.catalogue import CATALOGUE, TIERS, WAIT_BUCKETS, WATCHMAN, Kind, hospital_label
from triage.metrics.collector import SnapshotCollector
from triage.metrics.exporter import Exporter
from triage.policies.load import load_policy_book
from triage.policies.shipped import shipped_texts

BOOK = load_policy_book(shipped_texts())
STEPS = tuple(row.name for row in BOOK.deadlines.obligation)
Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path)
    yield built
    built.store.dispose()


@pytest.fixture
def exporter(house: House) -> Exporter:
    return exporter_of(house)


def exporter_of(house: House) -> Exporter:
    collector = SnapshotCollector(steps=STEPS, policy=BOOK.version)
    return Exporter(
        store=house.store, collector=collector, instruments=house.instruments, clock=house.clock
    )


def families(house: House) -> list[Metric]:
    text = house.instruments.exposition().decode()
    return list(parser.text_string_to_metric_families(text))


def samples(house: House) -> dict[Sample, float]:
    found: dict[Sample, float] = {}
    for family in families(house):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"twice: {key}"
            found[key] = sample.value
    return found


def value(house: House, name: str, **labels: str) -> float | None:
    return samples(house).get((name, frozenset(labels.items())))


def exposed_name(family: Metric) -> str:
    suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
    return family.name if family.name.endswith(suffix) else family.name + suffix


def test_exactly_the_catalogue_is_exposed(house: House, exporter: Exporter) -> None:
    exporter.refresh()
    exposed = {name for family in families(house) if not (name := family.name).endswith("_created")}
    assert exposed == {
        name.removesuffix("_total")
        if known.kind is Kind.COUNTER
        else f"{name}_info"
        if known.kind is Kind.INFO
        else name
        for name, known in CATALOGUE.items()
        if known not in WATCHMAN
    }


def test_names_follow_the_rules_of_promtool(house: House, exporter: Exporter) -> None:
    exporter.refresh()
    for family in families(house):
        assert re.fullmatch(r"triage_[a-z0-9_]+", family.name), family.name
        assert family.documentation, family.name
        assert not re.search(r"_(hours|minutes|days|milliseconds|ms)\b", family.name)
        for sample in family.samples:
            assert not {"case", "id", "event", "patient", "page"} & sample.labels.keys()
    for name, known in CATALOGUE.items():
        assert name.endswith("_total") == (known.kind is Kind.COUNTER), name


def test_every_combination_is_there_before_anything_happened(
    house: House, exporter: Exporter
) -> None:
    exporter.refresh()
    for tier in TIERS:
        assert value(house, "triage_open_cases", tier=tier, leg="to_acknowledgement") == 0
        for step in STEPS:
            labels = {"tier": tier, "step": step, "hospital": "other"}
            assert value(house, "triage_open_cases_past_deadline", **labels) == 0
    assert value(house, "triage_pages_total", channel="webhook", outcome="failed") == 0
    assert value(house, "triage_events_total", door="http", outcome="accepted") == 0
    assert value(house, "triage_event_consumer_pending_events", consumer="kafka") == 0
    labels = {"leg": "received_to_decompression", "tier": "EMERGENT"}
    assert value(house, "triage_leg_duration_seconds_count", **labels) == 0


def test_buckets_hold_what_equals_their_edge_and_only_rise(
    house: House, exporter: Exporter
) -> None:
    deliver(house, minutes=15)
    exporter.refresh()
    labels = {"leg": "received_to_acknowledged", "tier": "EMERGENT"}
    name = "triage_leg_duration_seconds_bucket"
    assert value(house, name, **labels, le="600.0") == 0
    assert value(house, name, **labels, le="900.0") == 1
    counts = [value(house, name, **labels, le=str(float(edge))) for edge in WAIT_BUCKETS]
    counts.append(value(house, name, **labels, le="+Inf"))
    assert None not in counts
    assert counts == sorted(counts, key=lambda count: count or 0)
    assert value(house, "triage_leg_duration_seconds_count", **labels) == counts[-1]
    assert value(house, "triage_leg_duration_seconds_sum", **labels) == 900


def test_every_target_of_the_policy_is_an_edge() -> None:
    for obligation in BOOK.deadlines.obligation:
        for clock in obligation.clock:
            for tier in clock.tier.values():
                for limit in tier.limits:
                    if not limit.within.is_working:
                        seconds = limit.within.length.total_seconds()
                        assert seconds in WAIT_BUCKETS, (obligation.name, seconds)


def deliver(house: House, *, minutes: float) -> None:
    """A referral that a registrar answers after so many minutes."""
    client = house.client()
    house.refer(client)
    page = house.ladder_page()
    house.clock.at = NOW + timedelta(minutes=minutes)
    client.post(
        f"/api/pages/{page}/acknowledge", json={"answer": "coming"}, headers=house.as_("reg-a")
    )


def test_open_cases_deadlines_and_waits(house: House, exporter: Exporter) -> None:
    house.refer(house.client())
    house.clock.advance(minutes=15)
    house.sweep()
    exporter.refresh()

    assert value(house, "triage_open_cases", tier="EMERGENT", leg="to_acknowledgement") == 1
    oldest = "triage_unacknowledged_oldest_start_timestamp_seconds"
    assert value(house, oldest, tier="EMERGENT", hospital=HOSPITAL) == NOW.timestamp()
    deadline = "triage_next_deadline_timestamp_seconds"
    due = (NOW + timedelta(minutes=15)).timestamp()
    assert value(house, deadline, tier="EMERGENT", step="acknowledgement") == due
    late = {"tier": "EMERGENT", "step": "acknowledgement", "hospital": HOSPITAL}
    assert value(house, "triage_open_cases_past_deadline", **late) == 0  # due now is not late

    house.clock.advance(seconds=1)
    exporter.refresh()
    assert value(house, "triage_open_cases_past_deadline", **late) == 1

    deliver(house, minutes=20)
    exporter.refresh()
    assert value(house, oldest, tier="EMERGENT", hospital=HOSPITAL) is None
    assert value(house, "triage_open_cases_past_deadline", **late) == 0


def test_from_referral_to_decompression_reaches_the_figure(
    house: House, exporter: Exporter
) -> None:
    deliver(house, minutes=5)
    client = house.client()
    for hours, act in (
        (1, {"type": "treatment.decided.v1", "data": {"treatment": "surgery"}}),
        (4, {"type": "milestone.reached.v1", "data": {"milestone": "knife_to_skin"}}),
        (6, {"type": "milestone.reached.v1", "data": {"milestone": "decompression_complete"}}),
    ):
        house.clock.at = NOW + timedelta(hours=hours)
        client.post(f"/api/cases/{CASE}/events", json=act, headers=house.as_("con-a"))
    exporter.refresh()

    labels = {"leg": "received_to_decompression", "tier": "EMERGENT"}
    assert value(house, "triage_leg_duration_seconds_sum", **labels) == 6 * 3600
    for leg, hours in (
        ("received_to_decision", 1),
        ("received_to_knife", 4),
        ("received_to_decompression", 6),
    ):
        labels = {"hospital": HOSPITAL, "leg": leg}
        assert value(house, "triage_pathway_duration_seconds_sum", **labels) == hours * 3600


def test_no_counter_falls_when_a_case_is_corrected_and_replayed(
    house: House, exporter: Exporter
) -> None:
    deliver(house, minutes=5)
    exporter.refresh()
    before = samples(house)
    house.refer(house.client())  # the same again
    deliver(house, minutes=6)
    exporter.refresh()
    after = samples(house)
    for (name, labels), count in before.items():
        if name.endswith(("_total", "_bucket", "_count", "_sum")):
            assert after[name, labels] >= count, name


def test_hospitals_that_are_not_registered_are_other(house: House, exporter: Exporter) -> None:
    house.refer(house.client())
    with house.store.begin() as tx:
        assert tx.revoke_token(tx.list_tokens()[0].id, house.clock.now())
    exporter.refresh()
    oldest = "triage_unacknowledged_oldest_start_timestamp_seconds"
    assert value(house, oldest, tier="EMERGENT", hospital="other") == NOW.timestamp()
    assert HOSPITAL not in house.instruments.exposition().decode()
    assert hospital_label("hospital:RX1", frozenset()) == "other"


def test_a_scrape_asks_no_database(house: House, exporter: Exporter) -> None:
    house.refer(house.client())
    exporter.refresh()
    before = samples(house)
    house.store.dispose()
    house.file.unlink()
    assert house.client().get("/metrics").status_code == 200
    name = ("triage_open_cases", frozenset({("tier", "EMERGENT"), ("leg", "to_acknowledgement")}))
    assert samples(house)[name] == before[name] == 1


def test_old_figures_say_how_old_they_are(house: House, exporter: Exporter) -> None:
    assert value(house, "triage_exporter_last_refresh_timestamp_seconds") is None
    exporter.refresh()
    house.clock.advance(minutes=10)
    stamp = value(house, "triage_exporter_last_refresh_timestamp_seconds")
    assert stamp == NOW.timestamp()


def test_the_number_of_series_stays_within_its_budget(house: House, exporter: Exporter) -> None:
    for number in range(60):
        house.token(f"hospital:R{number:02d}")
    client = house.client()
    for number in range(60):
        source = f"hospital:R{number:02d}"
        house.refer(client, whom=source, id=f"e-{number}")
    house.clock.advance(hours=30)
    exporter.refresh()
    assert len(samples(house)) < 6000


def test_requests_are_counted_by_route_never_by_path(house: House) -> None:
    client = house.client()
    house.refer(client)
    client.get(f"/api/cases/{CASE}", headers=house.as_(HOSPITAL))
    client.get("/no/such/Sampleton")
    exposed = house.instruments.exposition().decode()
    assert value(house, "triage_http_requests_total", route="/api/cases/{case}", status="2xx") == 1
    assert value(house, "triage_http_requests_total", route="other", status="4xx") == 1
    assert CASE not in exposed
    assert "Sampleton" not in exposed


def test_what_became_of_events_is_counted(house: House) -> None:
    client = house.client()
    house.refer(client)
    house.refer(client)
    client.post("/events", content=b"{", headers=house.as_(HOSPITAL))
    client.post("/events", content=b"[" + event(id="e-9") + b", 7]", headers=house.as_(HOSPITAL))
    counted = {
        outcome: value(house, "triage_events_total", door="http", outcome=outcome)
        for outcome in ("accepted", "duplicate", "no_effect", "refused", "quarantined")
    }
    assert counted == {
        "accepted": 2,
        "duplicate": 1,
        "no_effect": 0,
        "refused": 1,
        "quarantined": 1,
    }
