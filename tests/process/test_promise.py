"""A promise that nothing follows: the real sweep and the real relay page again within a second."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.process.installation import Installation, eventually
from tests.process.receiving import Desk, Page
from tests.properties.case_events import CENTRE, HOSPITAL, SICK
from tests.scenarios.house import OneBook
from tests.scenarios.script import person
from triage.domain.case_id import case_id
from triage.domain.events import Event, EventType, Sender
from triage.domain.instants import parse_instant
from triage.domain.roster_file.reading import read_roster
from triage.handle import Desk as HandlingDesk
from triage.handle import Incoming, handle
from triage.store import open_store

pytestmark = [pytest.mark.postgres_real, pytest.mark.alone, pytest.mark.timeout(120)]

REFERRAL = "hospital:RX1/promise"
CASE = case_id(REFERRAL)
PROMISED = timedelta(minutes=10)
AHEAD = timedelta(seconds=8)  # what two processes need to start, and more
WITHIN = timedelta(seconds=1)


def event(number: int, kind: EventType, sender: Sender, at: datetime, data: Page) -> Event:
    return Event(
        source=sender.source,
        id=f"e-{number}",
        type=kind,
        referral=REFERRAL,
        case=CASE,
        occurred_at=at,
        received_at=at,
        sender=sender,
        data=data,
        content_hash=f"{number:064x}",
    )


def answered_with_a_promise(installation: Installation, lapses_at: datetime) -> None:
    """An EMERGENT case that the registrar took with "coming in ten minutes", which end then."""
    assert installation.roster is not None
    roster = read_roster(installation.roster.read_text(encoding="utf-8"))
    handling = HandlingDesk(OneBook(), roster, publishes=False)
    answered_at = lapses_at - PROMISED
    referred_at = answered_at - timedelta(minutes=2)
    store = open_store(installation.database)
    with store.begin() as tx:  # both in one: the relay must not send what has been answered

        def take(taken: Event) -> None:
            incoming = [Incoming(event=taken, raw=b"{}", door="test", origin="here")]
            handle(tx, incoming, handling, now=taken.received_at)

        take(event(1, EventType.REFERRAL_SUBMITTED, HOSPITAL, referred_at, SICK))
        (page,) = [row.order for row in tx.reads.pages(CASE) if row.order.role == "registrar"]
        minutes = PROMISED.total_seconds() / 60
        by = {**person("registrar"), "person": page.person, "name": page.name}
        answer = {"page": page.page, "answer": "coming", "minutes": minutes, "by": by}
        take(event(2, EventType.PAGE_ACKNOWLEDGED, CENTRE, answered_at, answer))
        row = tx.reads.case(CASE)
    assert row is not None
    assert row.owner == "registrar"
    store.dispose()


def test_a_lapsed_promise_pages_again_within_a_second(
    installation: Installation, desk: Desk, tell: Callable[[str], None]
) -> None:
    with installation.running("escalate") as sweep, installation.running("notify") as relay:
        sweep.wait_until_ready()
        relay.wait_until_ready()
        lapses_at = datetime.now(UTC) + AHEAD
        answered_with_a_promise(installation, lapses_at)
        pages = eventually(
            "the owner and the coordinator are paged again",
            lambda: found if len(found := desk.pages()) >= 2 else None,
            seconds=30,
        )
        arrived = datetime.now(UTC)
    sent = [parse_instant(page["sent_at"]) for page in pages]
    assert all(at is not None and lapses_at <= at for at in sent), "paged before it lapsed"
    assert {page["role"] for page in pages} >= {"registrar", "coordinator"}
    assert all(page["case"] == CASE and page["obligation"] == "acknowledgement" for page in pages)
    late = arrived - lapses_at
    tell(f"paged again {late.total_seconds():.2f} s after the promise lapsed")
    assert late <= WITHIN
