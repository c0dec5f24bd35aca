"""Two sweeps and two relays on one PostgreSQL: one of each is killed with its claims, the other is
paused for a minute and woken. Every page is ordered once and sent once; what came twice says so.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.process.installation import Installation, Running, eventually
from tests.process.ledger import check_logs, check_pages, count, rows
from tests.process.receiving import Desk
from tests.properties.case_events import HOSPITAL, SICK
from tests.scenarios.house import BOOK, OneBook
from triage.domain.case_id import case_id
from triage.domain.events import Event, EventType
from triage.domain.roster_file.reading import read_roster
from triage.domain.tiers import Tier
from triage.handle import Desk as HandlingDesk
from triage.handle import Incoming, handle
from triage.store import open_store

pytestmark = [pytest.mark.postgres_real, pytest.mark.timeout(400)]

WAVES, CASES_A_WAVE = 12, 60
FIRST_WAVE, BETWEEN_WAVES = timedelta(seconds=12), timedelta(seconds=7)
PAUSE = timedelta(seconds=60)
SECOND_RUNG = BOOK.ladders.acknowledgement[Tier.EMERGENT].rungs[1].after
OWED = {"registrar", "coordinator", "consultant"}
# At work, and standing still: nobody else keeps a transaction or a page for that long here.
STUCK_SWEEP = (
    "pg_stat_activity WHERE datname = current_database() AND application_name = 'triage sweep'"
    " AND xact_start < clock_timestamp() - interval '0.3 seconds'"
)
BUSY_SWEEP = (
    "pg_stat_activity WHERE datname = current_database() AND application_name = 'triage sweep'"
    " AND xact_start IS NOT NULL"
)
SENDING = "page WHERE status = 'sending' AND ready_at > now()"


def sick(number: int, received_at: datetime) -> Event:
    """An EMERGENT referral of its own."""
    referral = f"hospital:RX1/two-sweeps-{number}"
    return Event(
        source="hospital:RX1",
        id=f"e-{number}",
        type=EventType.REFERRAL_SUBMITTED,
        referral=referral,
        case=case_id(referral),
        occurred_at=received_at,
        received_at=received_at,
        sender=HOSPITAL,
        data=SICK,
        content_hash=f"{number:064x}",
    )


def refer_waves(installation: Installation, first: datetime) -> None:
    """Cases whose second rung falls due together, wave after wave from `first`."""
    assert installation.roster is not None and SECOND_RUNG is not None
    roster = read_roster(installation.roster.read_text(encoding="utf-8"))
    handling = HandlingDesk(OneBook(), roster, publishes=False)
    store = open_store(installation.database)
    for wave in range(WAVES):
        received_at = first + wave * BETWEEN_WAVES - SECOND_RUNG
        events = [sick(wave * CASES_A_WAVE + each, received_at) for each in range(CASES_A_WAVE)]
        with store.begin() as tx:
            incoming = [Incoming(event=e, raw=b"{}", door="test", origin="here") for e in events]
            handle(tx, incoming, handling, now=datetime.now(UTC))
    store.dispose()


def pause_at_work(victim: Running, database: str, busy: str, stuck: str) -> None:
    """SIGSTOP while the process holds claims; fails when that does not come about in a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        eventually("work", lambda: count(database, busy))
        os.kill(victim.process.pid, signal.SIGSTOP)
        time.sleep(0.5)
        if count(database, stuck):
            return
        os.kill(victim.process.pid, signal.SIGCONT)
    raise AssertionError("the process was never met at work")


def wake(victim: Running) -> None:
    os.kill(victim.process.pid, signal.SIGCONT)


def called(pages: Sequence[dict[str, Any]]) -> dict[str, set[str]]:
    """The roles that were called for each case."""
    found: dict[str, set[str]] = {}
    for page in pages:
        found.setdefault(page["case"], set()).add(page["role"])
    return found


def lateness(database: str) -> list[float]:
    """Seconds from when each consultant's page was owed until it was ordered, sorted."""
    found = rows(
        database,
        "SELECT extract(epoch FROM ordered_at - owed_at)::float8 FROM page"
        " WHERE order_document::json ->> 'role' = 'consultant' ORDER BY 1",
    )
    return [seconds for (seconds,) in found]


def is_done(database: str) -> bool:
    late = "cases WHERE next_due_at < now()"
    waits = "page WHERE ready_at IS NOT NULL AND settled_at IS NULL"
    return count(database, late) == 0 and count(database, waits) == 0


def test_one_killed_and_one_paused_lose_nothing_and_double_nothing_unmarked(
    installation: Installation, desk: Desk, tell: Callable[[str], None]
) -> None:
    database = installation.database
    with ExitStack() as stack:
        crew: dict[str, Running] = {}
        for name, role in zip("abrs", ("escalate", "escalate", "notify", "notify"), strict=True):
            crew[name] = stack.enter_context(installation.running(role))
            crew[name].wait_until_ready()
        first = datetime.now(UTC) + FIRST_WAVE
        refer_waves(installation, first)
        last = first + (WAVES - 1) * BETWEEN_WAVES

        pause_at_work(crew["a"], database, BUSY_SWEEP, STUCK_SWEEP)
        crew["a"].kill()
        crew["c"] = stack.enter_context(installation.running("escalate"))
        pause_at_work(crew["r"], database, SENDING, SENDING)
        crew["r"].kill()
        crew["t"] = stack.enter_context(installation.running("notify"))
        pause_at_work(crew["b"], database, BUSY_SWEEP, STUCK_SWEEP)
        paused_at = datetime.now(UTC)
        pause_at_work(crew["s"], database, SENDING, SENDING)
        time.sleep(max(0.0, (paused_at + PAUSE - datetime.now(UTC)).total_seconds()))
        woken_at = datetime.now(UTC)
        wake(crew["b"])
        wake(crew["s"])
        time.sleep(max(0.0, (last - datetime.now(UTC)).total_seconds()))
        eventually("the last page", lambda: is_done(database), seconds=60)
        time.sleep(12)  # longer than a lease: who woke up has nothing left to send
        paging = check_pages(database, desk)
    late = lateness(database)
    during = f"owed_at BETWEEN '{paused_at.isoformat()}' AND '{woken_at.isoformat()}'"
    missed = count(database, f"page WHERE {during}")
    tell(
        f"{paging}\nlater than owed: median {late[len(late) // 2]:.2f} s, longest"
        f" {late[-1]:.1f} s; {missed} pages fell due in the pause"
    )
    check_logs(database)
    assert paging.lost == 0
    assert missed > 0, "nothing fell due during the pause"
    arrivals = Counter(page["page"] for page in desk.pages())
    assert max(arrivals.values()) <= 2
    everybody = called(desk.pages())
    assert len(everybody) == WAVES * CASES_A_WAVE
    assert all(roles >= OWED for roles in everybody.values())
    ordered = rows(
        database,
        "SELECT case_id, order_document::json ->> 'role', count(*) FROM page GROUP BY 1, 2",
    )
    assert {number for _, role, number in ordered if role in OWED} == {1}
