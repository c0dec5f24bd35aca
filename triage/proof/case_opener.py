"""Cases for benchmarks, opened by the production code."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random

import orjson

from triage.clock import SystemClock
from triage.desks import build_desk
from triage.domain.case_id import case_id
from triage.domain.events import Event, EventType, Sender, Side
from triage.domain.paging import short_tag
from triage.handle import Desk, Incoming, handle
from triage.proof import presentations
from triage.proof.bench_services import CannotBench, Services
from triage.proof.bulk_cases import multiply
from triage.settings import Settings
from triage.store.store import Store, open_store

DEMO_ROSTER = Path(__file__).with_name("demo_roster.toml")
SOURCE = "hospital:RX1"
_PRESENTATION = "compressed, well"
_BATCH = 500
_COPIES = 5_000  # in one transaction


@dataclass(slots=True)
class CaseOpener:
    """Opens invented URGENT cases through the production code; `numbers` name their referrals."""

    store: Store
    desk: Desk
    dice: Random
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @classmethod
    def of(cls, under_test: Services, seed: int, *, first: int) -> "CaseOpener":
        """On the database under test, counting from `first`."""
        store = open_store(under_test.database)
        settings = Settings(
            kafka_bootstrap=tuple(under_test.bootstrap.split()),
            home=under_test.home,
            database_url=under_test.database,
            roster_file=DEMO_ROSTER,
        )
        return cls(store, build_desk(settings, store), Random(seed), count(first))

    def open_now(self, number: int) -> list[str]:
        """Cases received now, whose next step is half an hour ahead; gives their subjects."""
        opened = []
        for start in range(0, number, _BATCH):
            receipts = [SystemClock().now()] * min(_BATCH, number - start)
            opened += self._open(receipts)
        return opened

    def open_due_from(self, first: datetime, length: timedelta, number: int) -> None:
        """Cases received so long ago that their next step falls due evenly in the window."""
        wait = self._wait_of_next_step()
        step = length / number
        receipts = [first + step * index - wait for index in range(number)]
        for start in range(0, number, _BATCH):
            self._open(receipts[start : start + _BATCH])

    def _open(self, receipts: Sequence[datetime]) -> list[str]:
        incoming = [self._referral(at) for at in receipts]
        with self.store.begin() as tx:
            handle(tx, incoming, self.desk, now=max(receipts))
        return [item.origin for item in incoming]

    def _wait_of_next_step(self) -> timedelta:
        """From receipt to the step after the first pages, as the policy book has it."""
        received_at = SystemClock().now()
        probe = self._referral(received_at)
        with self.store.begin() as tx:
            handle(tx, [probe], self.desk, now=received_at)
            row = tx.reads.case(probe.event.case)
        if row is None or row.next_due_at is None:
            raise CannotBench("an open case has no next step: is the policy book sound?")
        return row.next_due_at - received_at

    def _referral(self, received_at: datetime) -> Incoming:
        subject = subject_of(next(self.numbers))
        referral = f"{SOURCE}/{subject}"
        chosen = next(p for p in presentations.PRESENTATIONS if p.name == _PRESENTATION)
        data = {"findings": chosen.findings(self.dice, received_at)}
        event = Event(
            source=SOURCE,
            id=subject,
            type=EventType.REFERRAL_SUBMITTED,
            referral=referral,
            case=case_id(referral),
            occurred_at=received_at,
            received_at=received_at,
            sender=Sender(side=Side.HOSPITAL, source=SOURCE),
            data=data,
            content_hash=short_tag(subject),
        )
        return Incoming(event=event, raw=orjson.dumps(data), door="bench", origin=subject)


def multiply_cases(under_test: Services, opened: Sequence[str], first: int, number: int) -> None:
    """`number` copies of the opened cases, named from `first` on."""
    for start in range(first, first + number, _COPIES):
        names = range(start, min(start + _COPIES, first + number))
        multiply(under_test.libpq, SOURCE, opened, [subject_of(n) for n in names])


def subject_of(number: int) -> str:
    """The referral's subject, which is its event's id as well."""
    return f"bench-{number:07d}"
