"""From a referral on Kafka to a paged team, a closed case and a figure: as users run it.

The story is in `main_path.toml`; it is played on real Kafka and PostgreSQL with every role in one
process, and again with a process for each role.
"""

import json
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.process.installation import Installation, Running, eventually
from tests.process.path import Player
from tests.process.receiving import Desk, is_signed, write_roster
from tests.process.topics import everything
from triage.consumers.topics import CASES, PAGES

pytestmark = [pytest.mark.kafka_real, pytest.mark.postgres_real, pytest.mark.timeout(240)]

ROLES = ("web", "consume", "escalate", "notify", "export")
SHAPES: dict[str, list[tuple[str, ...]]] = {
    "one process": [()],
    "a process for each role": [(role,) for role in ROLES],
}
# What tells who the patient of the story is.
PERSONAL = ("9990000018", "M004711", "nventedfamily", "nventedgiven", "1951-02-03", "Willow Ward")


@pytest.fixture
def installation(kafka_fresh: str, fresh_postgres: str, desk: Desk, tmp_path: Path) -> Installation:
    roster = write_roster(tmp_path, desk, with_inbox=True)
    made = Installation(
        home=tmp_path,
        database=fresh_postgres,
        kafka=kafka_fresh,
        roster=roster,
        more=desk.environment,
    )
    made.triage("migrate")
    made.triage("topics", "create", "--replication", "1")
    made.bearer(source="hospital:RX1")  # so it is registered
    return made


@pytest.mark.parametrize("shape", SHAPES)
def test_from_the_referral_to_the_figure(
    shape: str, installation: Installation, desk: Desk
) -> None:
    who = ("--person", "registrar-a", "--role", "registrar", "--site", "centre:NEURO")
    token = installation.triage("token", "create", *who).strip()
    with ExitStack() as stack:
        started = [stack.enter_context(installation.running(*each)) for each in SHAPES[shape]]
        for each in started:
            each.wait_until_ready()
        player = Player(installation=installation, desk=desk, url=started[0].url, token=token)
        player.play()
        assert all(map(is_signed, desk.received))
        assert inbox_and_desk_have_the_same_pages(installation, desk, player.case)
        figures_are_there(player.document(), started[-1])
        topics_name_no_patient(installation, player.case)
        no_place_names_the_patient(installation, desk, started)
        assert [each.stop()[0] for each in started] == [0] * len(started)


def inbox_and_desk_have_the_same_pages(installation: Installation, desk: Desk, case: str) -> bool:
    def asked(pages: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
        return {
            (page["obligation"], page["role"], page["rung"], page["round"], page["run"])
            for page in pages
            if page["case"] == case
        }

    assert asked(desk.pages())
    return eventually("the inbox", lambda: asked(installation.inbox()) == asked(desk.pages()))


def figures_are_there(document: dict[str, Any], exporter: Running) -> None:
    """One decompression, as long as the case's own milestones say."""
    reached = document["milestones"]
    ends = [reached[name]["at"] for name in ("referral_received", "decompression_complete")]
    seconds = _between(*ends)
    leg = {"leg": "received_to_decompression"}
    metrics = eventually(
        "the figure", lambda: _metrics(exporter, "triage_leg_duration_seconds_count", leg)
    )
    assert metrics == {"EMERGENT": 1.0}
    total = _metrics(exporter, "triage_leg_duration_seconds_sum", leg)
    assert total["EMERGENT"] == pytest.approx(seconds, abs=0.01)
    by_hospital = _metrics(exporter, "triage_pathway_duration_seconds_count", leg, "hospital")
    assert by_hospital == {"hospital:RX1": 1.0}
    eventually(
        "no open case in the figures",
        lambda: not _metrics(exporter, "triage_open_cases", {"tier": "EMERGENT"}, "leg"),
    )


def _metrics(
    exporter: Running, name: str, labels: dict[str, str], by: str = "tier"
) -> dict[str, float]:
    """Samples that are not zero, by the value of one label."""
    answer = exporter.get("/metrics")
    text = answer.text if answer else ""
    return {
        sample.labels[by]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items() and sample.value
    }


def _between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def topics_name_no_patient(installation: Installation, case: str) -> None:
    def last_state() -> Any:
        mine = [r for r in everything(installation.kafka, CASES) if r.key.decode() == case]
        return bool(mine) and json.loads(mine[-1].value)["state"] == "closed"

    eventually("the closed case on its topic", last_state)
    pages = everything(installation.kafka, PAGES)
    assert {json.loads(record.value)["obligation"] for record in pages} >= {"acknowledgement"}
    assert {record.key.decode() for record in pages} == {case}
    for record in [*pages, *everything(installation.kafka, CASES)]:
        whole = b" ".join([record.key, record.value, *(value for _, value in record.headers)])
        assert not [word for word in PERSONAL if word.encode() in whole], record.topic


def no_place_names_the_patient(
    installation: Installation, desk: Desk, started: list[Running]
) -> None:
    metrics = [answer.text for each in started if (answer := each.get("/metrics"))]
    assert len(metrics) == len(started)
    places = {
        "webhook": repr(desk.received),
        "inbox": json.dumps(installation.inbox()),
        "log": " ".join(each.said for each in started),
        "metrics": " ".join(metrics),
    }
    told = [(place, word) for place, text in places.items() for word in PERSONAL if word in text]
    assert told == []


def test_the_same_from_the_terminal(installation: Installation, desk: Desk) -> None:
    hospital = installation.triage("token", "create", "--source", "hospital:RX1").strip()
    file = installation.home / "referral.json"
    file.write_text(json.dumps(REFERRAL), encoding="utf-8")
    with installation.running() as service:
        service.wait_until_ready()
        submitted = installation.triage(
            "submit", str(file), "--url", service.url, TRIAGE_TOKEN=hospital
        )
        receipt = json.loads(submitted)
        case = receipt["case"]
        assert (receipt["tier"], receipt["effect"]) == ("EMERGENT", True)
        page = eventually("the registrar's page", lambda: _page_of(desk, case, "registrar"))
        assert case in installation.triage("case", "list", "--state", "open")
        assert json.loads(installation.triage("case", "show", case))["owner"] is None
        explained = installation.triage("explain", case)
        assert "E2" in explained and "EMERGENT" in explained
        by = ("--by", "registrar-a")
        assert "recorded" in installation.triage("ack", page, *by, "--minutes", "15")
        assert json.loads(installation.triage("case", "show", case))["owner"]["role"] == "registrar"
        assert "recorded" in installation.triage("record", case, "images_received", *by)
        lowered = ("record", case, "tier.set.v1", *by, "--data", '{"tier": "ROUTINE"}')
        assert "no effect" in installation.triage(*lowered, status=1)
        installation.triage("record", case, "images_received", "--by", "nobody", status=2)
        shown = json.loads(installation.triage("case", "show", case))
        assert shown["tier"] == "EMERGENT"
        assert "images_received" in shown["milestones"]
        assert service.stop()[0] == 0


def _page_of(desk: Desk, case: str, role: str) -> str | None:
    return next((p["page"] for p in desk.pages() if (p["case"], p["role"]) == (case, role)), None)


REFERRAL = {
    "specversion": "1.0",
    "id": "terminal-1",
    "source": "hospital:RX1",
    "type": "referral.submitted.v1",
    "subject": "terminal-1",
    "data": {
        "findings": {
            "cancer": "known",
            "histology": "breast",
            "spinal_metastasis": "confirmed",
            "mri": "reported",
            "level": "T6",
            "escc": "3",
            "ais": "C",
            "walking": "cannot",
            "trend": "worsening",
            "bladder": "normal",
        }
    },
}
