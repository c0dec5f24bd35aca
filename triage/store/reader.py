"""What screens, commands and the exporter read. Every answer of one Reader is of one instant."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from triage.domain.canary import PREFIX as CANARY
from triage.domain.canary import ROUTE as CANARY_ROUTE
from triage.domain.events import CaseId
from triage.domain.paging import PageId
from triage.store.audit_writes import AuditReads
from triage.store.figures import NOT_OPEN, Figures
from triage.store.house_writes import HouseReads
from triage.store.intake_writes import PositionReads
from triage.store.page_orders import read_order
from triage.store.reaching import ReachReads
from triage.store.receipts import ReceiptReads
from triage.store.records import (
    AttemptRow,
    CaseRow,
    JournalEntry,
    LogRow,
    PageRow,
    QuarantineItem,
)
from triage.store.roster_writes import RosterReads
from triage.store.rows import (
    CaseLog,
    Cases,
    Journal,
    LoopProgress,
    Page,
    PageAttempt,
    Quarantine,
    table_of,
)
from triage.store.unheard import UnheardReads

_CASES = table_of(Cases)
_LOG = table_of(CaseLog)
_JOURNAL = table_of(Journal)
_PAGE = table_of(Page)
_ATTEMPT = table_of(PageAttempt)
_QUARANTINE = table_of(Quarantine)
_PROGRESS = table_of(LoopProgress)


class Reader(
    Figures,
    HouseReads,
    PositionReads,
    RosterReads,
    AuditReads,
    ReachReads,
    UnheardReads,
    ReceiptReads,
):
    """Reads of one transaction; changes nothing."""

    def cases(
        self, state: str | None = None, hospital: str | None = None, limit: int | None = None
    ) -> list[CaseRow]:
        """Cases, EMERGENT first, then by their next due instant.

        `open` means everything that people still have to follow (provisional, open, cancellation
        asked); another state means itself; None every state, also unopened ones.
        """
        c = _CASES.c
        chosen = select(_CASES).order_by(
            c.is_emergent.desc(), c.next_due_at.asc().nulls_last(), c.case_id
        )
        chosen = chosen.where(~c.referral.startswith(CANARY))
        if state == "open":
            chosen = chosen.where(c.state.not_in(NOT_OPEN))
        elif state is not None:
            chosen = chosen.where(c.state == str(state))
        if hospital is not None:
            chosen = chosen.where(c.hospital == hospital)
        return self._cases(chosen.limit(limit))

    def case(self, case_id: CaseId) -> CaseRow | None:
        """One case, or None."""
        found = self._cases(select(_CASES).where(_CASES.c.case_id == case_id))
        return found[0] if found else None

    def cases_of_referral(self, referral: str) -> list[CaseRow]:
        """The cases of `<source>/<subject>`; more than one only where ids clashed."""
        return self._cases(select(_CASES).where(_CASES.c.referral == referral))

    def log(self, case_id: CaseId) -> list[LogRow]:
        """A case's chain, first link first."""
        chosen = select(_LOG).where(_LOG.c.case_id == case_id).order_by(_LOG.c.seq)
        return [LogRow(**row._mapping) for row in self._connection.execute(chosen)]

    def journalled(self, case_id: CaseId) -> list[JournalEntry]:
        """Every event that named a case, in order of arrival, also those without effect."""
        c = _JOURNAL.c
        columns = [column for column in c if column is not c.seq]
        chosen = select(*columns).where(c.case_id == case_id).order_by(c.seq)
        return [JournalEntry(**row._mapping) for row in self._connection.execute(chosen)]

    def occurred_at(self, source: str, event_id: str) -> datetime | None:
        """When the first event of this id happened; None where there is none."""
        c = _JOURNAL.c
        chosen = select(c.occurred_at).where(c.source == source, c.event_id == event_id)
        return self._connection.execute(chosen.order_by(c.seq).limit(1)).scalar_one_or_none()

    def pages_by_message(self, since: datetime) -> list[PageRow]:
        """Pages for text messages that were ordered since an instant, newest first."""
        c = _PAGE.c
        chosen = select(_PAGE).where(c.route_kind == "sms", c.ordered_at >= since)
        return self._pages(chosen.order_by(c.ordered_at.desc(), c.page))

    def page(self, page: PageId) -> PageRow | None:
        """One page, or None."""
        found = self._pages(select(_PAGE).where(_PAGE.c.page == page))
        return found[0] if found else None

    def pages(
        self, case_id: CaseId | None = None, *, limit: int = 200, status: str | None = None
    ) -> list[PageRow]:
        """Pages, newest first; of one case, and of one status, where given."""
        c = _PAGE.c
        chosen = select(_PAGE).order_by(c.ordered_at.desc(), c.owed_at.desc(), c.page).limit(limit)
        if case_id is not None:
            chosen = chosen.where(c.case_id == case_id)
        else:
            chosen = chosen.where(c.route_kind != CANARY_ROUTE)
        if status is not None:
            chosen = chosen.where(c.status == str(status))
        return self._pages(chosen)

    def inbox(self, limit: int) -> list[PageRow]:
        """The newest pages of every case, with EMERGENT ones before the others."""
        found = self.pages(limit=limit)
        return sorted(found, key=lambda page: not page.is_emergent)

    def attempts(self, pages: Iterable[PageId]) -> list[AttemptRow]:
        """Every attempt to send these pages, in order of time."""
        chosen = select(_ATTEMPT).where(self._among("page")).order_by(_ATTEMPT.c.at)
        found = self._connection.execute(chosen, {"ids": self._list(pages)})
        return [AttemptRow(**row._mapping) for row in found]

    def quarantine(self, status: str | None = None, *, limit: int = 200) -> list[QuarantineItem]:
        """Quarantined items, newest first; of one status where given."""
        c = _QUARANTINE.c
        chosen = select(_QUARANTINE).order_by(c.received_at.desc(), c.item_id).limit(limit)
        if status is not None:
            chosen = chosen.where(c.status == str(status))
        return [QuarantineItem(**row._mapping) for row in self._connection.execute(chosen)]

    def quarantine_item(self, item_id: str) -> QuarantineItem | None:
        """One item, or None."""
        chosen = select(_QUARANTINE).where(_QUARANTINE.c.item_id == item_id)
        row = self._connection.execute(chosen).one_or_none()
        return QuarantineItem(**row._mapping) if row else None

    def progress(self) -> dict[str, datetime]:
        """When each loop last finished a turn."""
        return {row.loop: row.at for row in self._connection.execute(select(_PROGRESS))}

    def _cases(self, chosen: Select[Any]) -> list[CaseRow]:
        return [CaseRow(**row._mapping) for row in self._connection.execute(chosen)]

    def _pages(self, chosen: Select[Any]) -> list[PageRow]:
        return [_page_row(row) for row in self._connection.execute(chosen)]


def _page_row(row: Any) -> PageRow:
    return PageRow(
        order=read_order(row.order_document),
        status=row.status,
        attempts=row.attempts,
        possibly_doubled=row.possibly_doubled,
        is_emergent=row.is_emergent,
        ordered_at=row.ordered_at,
        ready_at=row.ready_at,
        settled_at=row.settled_at,
        withdrawn=row.withdrawn,
    )
