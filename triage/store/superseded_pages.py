"""Pages that a case no longer owes: withdrawn before they are sent."""

from collections.abc import Sequence

from sqlalchemy import bindparam, text

from triage.domain.events import CaseId
from triage.domain.paging import PageId
from triage.store.session import Session

_POSTGRES = text(
    "UPDATE page SET withdrawn = 'superseded' WHERE case_id = ANY(:cases) AND withdrawn IS NULL"
    " AND ready_at IS NOT NULL AND NOT (page = ANY(:owed))"
)
_SQLITE = text(
    "UPDATE page SET withdrawn = 'superseded' WHERE case_id IN :cases AND withdrawn IS NULL"
    " AND ready_at IS NOT NULL AND page NOT IN :owed"
).bindparams(bindparam("cases", expanding=True), bindparam("owed", expanding=True))


class SupersededPages(Session):
    """The part of a transaction that keeps unsent pages to those that are owed."""

    def withdraw_all_but(self, cases: Sequence[CaseId], owed: Sequence[PageId]) -> int:
        """Withdraw every unsent page of these cases that is not among `owed`; returns how many."""
        if not cases:
            return 0
        statement = _POSTGRES if self.is_postgres else _SQLITE
        done = self._connection.execute(statement, {"cases": list(cases), "owed": list(owed)})
        return done.rowcount
