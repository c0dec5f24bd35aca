"""A house to lose things in: referrals, a relay that sends, a sweep, an auditor, planted losses."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, text

from tests.scenarios.house import ROSTER
from tests.web_house import NOW, SetClock, findings
from triage.books import load_books
from triage.domain.case_id import case_id
from triage.domain.events import CaseId, Event, EventType, Sender, Side
from triage.domain.paging import Attempt
from triage.escalation.audit_reading import AuditView
from triage.escalation.auditor import Auditor, AuditResult
from triage.handle import Desk, Incoming, handle, sweep_cases
from triage.metrics.instruments import Instruments
from triage.paging_port import StorePages
from triage.store.connection import store_url
from triage.store.records import QuarantineItem
from triage.store.schema import upgrade
from triage.store.store import Store, open_store

HOSPITAL = "hospital:RX1"
_URGENT = {"walking": "unaided", "deficit_onset_at": None, "trend": "stable", "ais": "E"}


def case_of(number: int) -> CaseId:
    return case_id(f"{HOSPITAL}/audit-{number}")


def referral(number: int, at: datetime, **changes: Any) -> Event:
    """An EMERGENT referral; `changes` are of its findings."""
    data = {"findings": findings(**changes), "destination": "centre:NEURO"}
    name = f"{HOSPITAL}/audit-{number}"
    return Event(
        source=HOSPITAL,
        id=f"audit-{number}",
        type=EventType.REFERRAL_SUBMITTED,
        referral=name,
        case=case_id(name),
        occurred_at=at,
        received_at=at,
        sender=Sender(side=Side.HOSPITAL, source=HOSPITAL),
        data=data,
        content_hash=hashlib.sha256(orjson.dumps([number, data])).hexdigest(),
    )


@dataclass
class AuditHouse:
    """One service over a database at a URL. `publishes`: records are owed to Kafka."""

    url: str
    publishes: bool = True
    clock: SetClock = field(default_factory=SetClock)
    store: Store = field(init=False)
    desk: Desk = field(init=False)
    _origin: int = 0

    def __post_init__(self) -> None:
        upgrade(self.url)
        self.store = open_store(self.url)
        books = load_books(None)
        books.keep(self.store)
        self.desk = Desk(books, ROSTER, publishes=self.publishes)
        self.view = AuditView(self.url)
        self._engine: Engine = create_engine(store_url(self.url))
        self.auditor = self.new_auditor()
        with self.store.begin() as tx:  # the program and roster are not new
            from triage.escalation.audit_basis import basis_of

            tx.basis_since(basis_of(self.desk), NOW - timedelta(days=1))

    def new_auditor(self) -> Auditor:
        return Auditor(self.view, self.store, self.desk, budget_seconds=60)

    def close(self) -> None:
        self.view.dispose()
        self.store.dispose()
        self._engine.dispose()

    def take(self, *events: Event) -> None:
        """Events through the bridge at the clock's time, as from Kafka."""
        incoming = []
        for event in events:
            origin = f"triage.referrals.v1/0/{self._origin}"
            incoming.append(Incoming(event=event, raw=b"{}", door="kafka", origin=origin))
            self._origin += 1
        with self.store.begin() as tx:
            handle(tx, incoming, self.desk, now=self.clock.now())
            tx.move_position("triage.referrals.v1", 0, self._origin - len(events), self._origin)

    def refer(self, numbers: range) -> None:
        now = self.clock.now()
        self.take(*(referral(n, now, **(_URGENT if n % 3 == 2 else {})) for n in numbers))

    def send(self) -> None:
        """The relay: everything that is ready is accepted by its provider."""
        pages = StorePages(self.store, self.desk, self.clock, Instruments(version="0.0-test"))
        while claimed := pages.claim_pages(500, 10):
            pages.finish(
                [
                    Attempt(
                        page=each.order.page,
                        route=each.order.route,
                        attempt=each.attempt,
                        outcome="suppressed" if each.suppress else "accepted",
                        provider_word=None,
                        at=self.clock.now(),
                    )
                    for each in claimed
                ]
            )

    def sweep(self) -> None:
        with self.store.begin() as tx:
            due = list(tx.claim_due(self.clock.now(), 1000))
            sweep_cases(tx, due, self.desk, now=self.clock.now())

    def live(self, seconds: int, step: int = 5) -> None:
        """Time passes while sweep and relay work."""
        for _ in range(0, seconds, step):
            self.clock.advance(seconds=step)
            self.sweep()
            self.send()

    def unreadable(self, source: str = "hospital:RY2") -> None:
        """A record that could not be read, whose page has been ordered."""
        from triage.unread import sweep_unread

        item = QuarantineItem(
            item_id=f"unread-{source}",
            source=source,
            origin="here",
            raw=b"{",
            reason=orjson.dumps({"path": "", "value": "{", "allowed": "JSON", "hint": ""}).decode(),
            received_at=self.clock.now(),
        )
        with self.store.begin() as tx:
            tx.quarantine([item])
            sweep_unread(tx, self.desk, now=self.clock.now())

    def audit(self, *, passes: int = 1, apart: int = 10) -> AuditResult:
        """Passes ten seconds apart; the sum of what they found."""
        total = AuditResult()
        for _ in range(passes):
            result = self.auditor.turn(self.clock.now())
            total.found += result.found
            total.mended += result.mended
            total.refreshed += result.refreshed
            total.is_complete = result.is_complete
            self.clock.advance(seconds=apart)
        return total

    def run(self, *statements: str, **values: Any) -> int:
        """SQL past every guard, as a fault or a stranger would; how many rows it touched."""
        touched = 0
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            else:
                _drop_guards(connection)
            for statement in statements:
                used = {k: v for k, v in values.items() if f":{k}" in statement}
                touched += connection.execute(text(statement), used).rowcount
        return touched

    def ask(self, sql: str, **values: Any) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(text(sql), values).scalar()

    def open_findings(self) -> set[tuple[str, str | None]]:
        with self.store.read() as reader:
            return {(row.kind, row.case_id) for row in reader.findings()}


def _drop_guards(connection: Any) -> None:
    names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    for (name,) in names.all():
        connection.execute(text(f"DROP TRIGGER {name}"))
