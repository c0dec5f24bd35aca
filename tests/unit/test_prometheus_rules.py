"""infra/prometheus: every alert says who acts and how, and rests on a metric that we expose."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from triage.metrics.catalogue import CATALOGUE

FOLDER = Path(__file__).parents[2] / "infra" / "prometheus"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]


def test_the_rule_file_is_the_one_that_prometheus_loads() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    assert config["rule_files"] == ["alerts.yml"]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda a: a["alert"])
def test_an_alert_says_how_loud_it_is_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("page", "ticket", "heartbeat")
    assert alert["annotations"]["summary"]
    assert alert["annotations"].get("action") or alert["labels"]["severity"] == "heartbeat"


def test_every_metric_in_a_rule_is_one_that_we_expose() -> None:
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    used = {
        name for rule in RULES for name in re.findall(r"\btriage_[a-z_]+", rule["expr"])
    } - recorded
    assert used
    assert used <= CATALOGUE.keys()


def test_each_alert_that_must_never_be_missing_is_there() -> None:
    names = {alert["alert"] for alert in ALERTS}
    assert names >= {
        "EmergentUnacknowledged",
        "DeadlinePassed",
        "EventConsumerStalled",
        "OutboxStuck",
        "SweepLate",
        "AuditFinding",
        "AuditLate",
        "RelayLate",
        "WatchmanAbsent",
        "QuarantineNotEmpty",
        "SnapshotStale",
        "MetricsAbsent",
        "Watchdog",
    }
