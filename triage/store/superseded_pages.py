"""Pages that a case no longer owes: withdrawn before they are sent."""

from collections.abc import Iterable, Sequence

from sqlalchemy import text

from triage.domain.events import CaseId
from triage.domain.paging import PageId
from triage.store.prepared import Prepared
from triage.store.session import Session, among

# `closed`: its case is; `acknowledged`: a page of the ladder that somebody has stopped;
# `superseded`: a later step, another run or another obligation has taken its place.
_WHY = (
    "coalesce((SELECT CASE WHEN c.state = 'closed' THEN 'closed'"
    " WHEN c.owner IS NOT NULL AND page.page LIKE '%.acknowledgement.%' THEN 'acknowledged' END"
    " FROM cases c WHERE c.case_id = page.case_id), 'superseded')"
)
_WITHDRAW = f"UPDATE page SET withdrawn = {_WHY} WHERE withdrawn IS NULL AND ready_at IS NOT NULL"  # noqa: S608
_WITHDRAWN = Prepared(
    postgres=text(f"{_WITHDRAW} AND case_id = ANY(:cases) AND NOT (page = ANY(:owed))"),
    sqlite=text(
        f"{_WITHDRAW} AND case_id IN (SELECT value FROM json_each(:cases))"  # noqa: S608
        " AND page NOT IN (SELECT value FROM json_each(:owed))"
    ),
)
_STANDS = "SELECT case_id, page, ready_at IS NOT NULL FROM page WHERE withdrawn IS NULL"
_POSTGRES, _SQLITE = (
    text(f"{_STANDS} AND {among('case_id', is_postgres=each)}") for each in (True, False)
)
_THERE = Prepared(postgres=_POSTGRES, sqlite=_SQLITE)


class SupersededPages(Session):
    """The part of a transaction that keeps unsent pages to those that are owed."""

    def pages_there(self, cases: Iterable[CaseId]) -> dict[CaseId, dict[PageId, bool]]:
        """The pages of these cases that were ordered and not withdrawn, and whether each is still
        to be sent."""
        found: dict[CaseId, dict[PageId, bool]] = {case: {} for case in cases}
        for case, page, is_unsent in self._rows(_THERE, {"ids": self._list(found)}):
            found[CaseId(case)][PageId(page)] = bool(is_unsent)
        return found

    def withdraw_all_but(self, cases: Sequence[CaseId], owed: Sequence[PageId]) -> int:
        """Withdraw every unsent page of these saved cases that is not among `owed`.

        Returns how many; each says why: `closed`, `acknowledged` or `superseded`.
        """
        if not cases:
            return 0
        given = {"cases": self._list(cases), "owed": self._list(owed)}
        return self._change(_WITHDRAWN, given)
