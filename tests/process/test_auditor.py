"""Twenty losses planted in a busy house on PostgreSQL while the role `audit` runs as a process of
its own: each is found within 30 seconds, and nothing else is."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from sqlalchemy import make_url

from tests.audit_house import AuditHouse
from tests.process.installation import Installation, ask, eventually
from tests.web_house import findings
from triage.domain.case_id import case_id
from triage.domain.events import CaseId
from triage.proof.losses import FAR, LOSSES

pytestmark = [pytest.mark.postgres_real, pytest.mark.timeout(300)]

ROSTER = Path(__file__).parents[1] / "scenarios" / "roster.toml"
HOSPITAL = "hospital:RX1"
FOUND_WITHIN = 30.0
CASES = 60
NOBODY_LISTENS = "127.0.0.1:1"  # records are owed to Kafka, and wait
SETTLED = "SELECT count(*) FROM page WHERE settled_at IS NULL"


def case_of(number: int) -> CaseId:
    return case_id(f"{HOSPITAL}/audit-{number}")


def referral(number: int) -> bytes:
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"audit-{number}",
            "source": HOSPITAL,
            "type": "referral.submitted.v1",
            "time": datetime.now(UTC).isoformat(),
            "subject": f"audit-{number}",
            "data": {"findings": findings(), "destination": "centre:NEURO"},
        }
    )


@contextmanager
def traffic(url: str, headers: dict[str, str]) -> Iterator[None]:
    """A new referral five times a second, until the end."""
    stop = threading.Event()

    def send() -> None:
        for number in itertools.count(1000):
            if stop.wait(0.2):
                return
            ask("POST", f"{url}/events", content=referral(number), headers=headers, timeout=10)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_twenty_of_twenty_planted_losses_are_found_in_time_and_nothing_else(
    fresh_postgres: str, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    house = AuditHouse(fresh_postgres)
    installation = Installation(
        home=tmp_path, database=fresh_postgres, kafka=NOBODY_LISTENS, roster=ROSTER
    )
    headers = installation.bearer(source=HOSPITAL)
    plain = make_url(fresh_postgres).set(drivername="postgresql").render_as_string(False)
    with (
        psycopg.connect(plain, autocommit=True) as database,
        installation.running("web", "escalate", "notify") as service,
        installation.running("audit") as auditor,
    ):

        def one(sql: str) -> Any:
            row = database.execute(sql).fetchone()
            return row[0] if row else None

        service.wait_until_ready()
        auditor.wait_until_ready()
        events = f"{service.url}/events"
        for number in range(CASES):
            answer = ask("POST", events, content=referral(number), headers=headers)
            assert answer.status_code == 202
        eventually("every page sent", lambda: one(SETTLED) == 0)
        eventually("a pass", lambda: one("SELECT at FROM loop_progress WHERE loop = 'audit'"))
        with traffic(service.url, headers):
            time.sleep(12)  # a pass over a busy house
            assert one("SELECT count(*) FROM audit_finding") == 0
            planted: dict[str, float] = {}
            for number, loss in enumerate(LOSSES):
                assert house.run(*loss.sql, case=case_of(number), far=FAR) > 0, loss.name
                planted[case_of(number)] = time.monotonic()
                time.sleep(0.3)
            found: dict[str, float] = {}
            while len(found) < len(planted):
                rows = database.execute("SELECT case_id, kind FROM audit_finding").fetchall()
                at = time.monotonic()
                for number, loss in enumerate(LOSSES):
                    case = case_of(number)
                    if (case, True) in {(c, k in loss.kinds) for c, k in rows}:
                        found.setdefault(case, at - planted[case])
                late = [
                    loss.name
                    for number, loss in enumerate(LOSSES)
                    if case_of(number) not in found and at - planted[case_of(number)] > FOUND_WITHIN
                ]
                assert not late, f"not found within {FOUND_WITHIN:g} s: {late}\n{auditor.said}"
                time.sleep(0.1)
            time.sleep(12)
        others = database.execute(
            "SELECT case_id, kind, detail FROM audit_finding WHERE case_id <> ALL(%s)",
            [list(planted)],
        ).fetchall()
        assert others == []
        mended = {case_of(number) for number, loss in enumerate(LOSSES) if loss.is_mended}
        right = "SELECT DISTINCT case_id FROM audit_finding WHERE gone_at IS NULL"
        eventually(
            "repairs",
            lambda: not mended & {case for (case,) in database.execute(right).fetchall()},
            seconds=40,
        )
        page = "SELECT count(*) FROM page WHERE item IS NOT NULL AND order_document LIKE '%audit:%'"
        assert one(page) > 0
        metrics = ask("GET", f"{auditor.url}/metrics").text
        assert 'triage_audit_findings_total{kind="page_lost"}' in metrics
        cases = one("SELECT count(*) FROM cases")
    house.close()
    slowest = max(found.values())
    tell(f"{len(found)} of {len(LOSSES)} found, slowest {slowest:.1f} s, {cases} cases")
