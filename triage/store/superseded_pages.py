"""Pages that a case no longer owes: withdrawn before they are sent."""

from collections.abc import Sequence

from sqlalchemy import bindparam, text

from triage.domain.events import CaseId
from triage.domain.paging import PageId
from triage.store.session import Session

# `closed`: its case is; `acknowledged`: a page of the ladder that somebody has stopped;
# `superseded`: a later step, another run or another obligation has taken its place.
_WHY = (
    "coalesce((SELECT CASE WHEN c.state = 'closed' THEN 'closed'"
    " WHEN c.owner IS NOT NULL AND page.page LIKE '%.acknowledgement.%' THEN 'acknowledged' END"
    " FROM cases c WHERE c.case_id = page.case_id), 'superseded')"
)
_POSTGRES = text(
    f"UPDATE page SET withdrawn = {_WHY} WHERE case_id = ANY(:cases) AND withdrawn IS NULL"  # noqa: S608
    " AND ready_at IS NOT NULL AND NOT (page = ANY(:owed))"
)
_SQLITE = text(
    f"UPDATE page SET withdrawn = {_WHY} WHERE case_id IN :cases AND withdrawn IS NULL"  # noqa: S608
    " AND ready_at IS NOT NULL AND page NOT IN :owed"
).bindparams(bindparam("cases", expanding=True), bindparam("owed", expanding=True))


class SupersededPages(Session):
    """The part of a transaction that keeps unsent pages to those that are owed."""

    def withdraw_all_but(self, cases: Sequence[CaseId], owed: Sequence[PageId]) -> int:
        """Withdraw every unsent page of these saved cases that is not among `owed`.

        Returns how many; each says why: `closed`, `acknowledged` or `superseded`.
        """
        if not cases:
            return 0
        statement = _POSTGRES if self.is_postgres else _SQLITE
        done = self._connection.execute(statement, {"cases": list(cases), "owed": list(owed)})
        return done.rowcount
