"""When events of each source were received, read forward through the journal."""

from datetime import datetime

from sqlalchemy import func, select

from triage.store.rows import Journal, table_of
from triage.store.session import Session

_JOURNAL = table_of(Journal)


class ReceiptReads(Session):
    """The journal's order of arrival; sources and instants alone."""

    def journal_end(self) -> int:
        """The number of the newest entry, 0 for an empty journal."""
        end: int | None = self._connection.execute(select(func.max(_JOURNAL.c.seq))).scalar()
        return end or 0

    def receipts_after(self, seq: int) -> list[tuple[str, datetime]]:
        """Source and receipt of every entry after `seq`, in order."""
        c = _JOURNAL.c
        chosen = select(c.source, c.received_at).where(c.seq > seq).order_by(c.seq)
        return [(row.source, row.received_at) for row in self._connection.execute(chosen)]
