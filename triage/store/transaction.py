"""One unit of work: everything that a batch or a sweep changes, or nothing of it."""

from functools import cached_property

from sqlalchemy import text

from triage.store.audit_writes import AuditWrites
from triage.store.case_writes import CaseWrites
from triage.store.house_writes import HouseWrites
from triage.store.intake_writes import IntakeWrites
from triage.store.link import Link
from triage.store.outbox_writes import OutboxWrites
from triage.store.page_writes import PageWrites
from triage.store.reaching import ReachWrites
from triage.store.reader import Reader
from triage.store.roster_writes import RosterWrites
from triage.store.superseded_pages import SupersededPages

WAKES = ("due", "page")


class Transaction(
    IntakeWrites,
    CaseWrites,
    PageWrites,
    SupersededPages,
    OutboxWrites,
    HouseWrites,
    RosterWrites,
    AuditWrites,
    ReachWrites,
):
    """Every write of the store."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self.wakes: set[str] = set()

    @cached_property
    def reads(self) -> Reader:
        """As this transaction sees them."""
        return Reader(self._link)

    def notify(self, name: str) -> None:
        """Once this commits, wake who waits for `due` cases or for a `page` to send.

        A hint, never the truth: who waits also looks by itself. Commits with a hint take turns on
        PostgreSQL, so give it only for what is due soon.
        """
        if name not in WAKES:
            raise ValueError(f"no such wake-up: {name} (allowed: {', '.join(WAKES)})")
        if name in self.wakes:
            return
        self.wakes.add(name)
        if self.is_postgres:
            self._connection.execute(text(f"NOTIFY triage_{name}"))
