"""The canary on the real service: through Kafka and PostgreSQL to the relay's echo, and unseen."""

import re
from pathlib import Path

import pytest

from tests.process.installation import Installation, Running, eventually

pytestmark = [pytest.mark.kafka_real, pytest.mark.postgres_real]


def age(running: Running) -> float | None:
    answer = running.get("/metrics")
    found = re.search(r"^triage_canary_age_seconds (\S+)$", answer.text if answer else "", re.M)
    return float(found[1]) if found else None


def broken(running: Running) -> list[str]:
    answer = running.get("/metrics")
    return re.findall(r'triage_canary_broken\{stage="(\w+)"\} 1\.0', answer.text if answer else "")


@pytest.mark.timeout(300)
def test_a_canary_comes_back_over_kafka_and_a_dead_relay_is_named(
    kafka_fresh: str, fresh_postgres: str, tmp_path: Path
) -> None:
    made = Installation(
        home=tmp_path,
        database=fresh_postgres,
        kafka=kafka_fresh,
        more={"TRIAGE_CANARY_SECONDS": "20"},
    )
    made.prepare()
    with (
        made.running("consume") as consume,
        made.running("escalate") as escalate,
        made.running("notify") as notify,
    ):
        for each in (consume, escalate, notify):
            each.wait_until_ready()
        with made.running("export") as export:
            name = 'triage_loop_last_turn_timestamp_seconds{loop="canary"}'
            eventually("a canary that is back", lambda: name in str(_text(export)), seconds=90)
        eventually("nothing broken", lambda: broken(escalate) == [])
        assert made.triage("case", "list").strip() == ""
        assert made.inbox() == []
        notify.kill()
        eventually("the stage's name", lambda: broken(escalate) == ["relay"], seconds=150)
        assert (age(escalate) or 0) > 50


def _text(running: Running) -> str:
    answer = running.get("/metrics")
    return answer.text if answer else ""
