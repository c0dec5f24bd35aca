"""Cases in one transaction: lock, load, append, save, and find those that are due."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Select, bindparam, func, select, text, tuple_, union_all

from triage.domain.events import CaseId
from triage.store.bulk import bulk_insert, overwrite
from triage.store.column_types import TEXT
from triage.store.lanes import Lanes
from triage.store.prepared import Prepared
from triage.store.records import CaseRow, CompletedLeg, LogRow, Standing, StoredCase
from triage.store.rows import CaseLog, Cases, Leg, table_of
from triage.store.session import Session, among, instant_parameter

CASE_LOG = bulk_insert(CaseLog)
CASES = bulk_insert(Cases, conflict=overwrite(Cases))
COMPLETED_LEG = bulk_insert(Leg, conflict="ON CONFLICT (case_id, leg) DO NOTHING")

_CASES = table_of(Cases)
# One walk along the key for each case, in order already on PostgreSQL. At least the last link.
_FROM = "seq >= {least}(k.since, (SELECT max(seq) FROM case_log WHERE case_id = k.id))"
_LOGS = Prepared(
    postgres=text(
        "SELECT l.* FROM unnest(CAST(:ids AS text[]), CAST(:since AS bigint[])) AS k(id, since)"
        " CROSS JOIN LATERAL (SELECT case_id, seq, document, hash FROM case_log"
        f" WHERE case_id = k.id AND {_FROM.format(least='least')} ORDER BY seq OFFSET 0) AS l"
    ),
    sqlite=text(
        "SELECT l.case_id, seq, document, hash FROM"
        " (SELECT key AS id, value AS since FROM json_each(:since)) AS k CROSS JOIN case_log AS l"
        f" ON l.case_id = k.id AND {_FROM.format(least='min')} ORDER BY l.case_id, seq"
    ),
)
_CHOSEN = Prepared(
    postgres=select(_CASES).where(among("case_id", is_postgres=True)),
    sqlite=select(_CASES).where(among("case_id", is_postgres=False)),
)
_COLUMNS = tuple(column.name for column in _CASES.columns)

# One lock for each case, held until the transaction ends. Whoever adds to a case holds it, and it
# exists before the case's row does. Sorted, so that two batches cannot wait for one another.
_LOCK = text(
    "SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT hashtextextended(c, 0) AS k"
    " FROM unnest(CAST(:ids AS text[])) AS c ORDER BY k) AS sorted"
)
_DUE = Lanes(
    table="cases",
    key="case_id",
    ready="next_due_at",
    order="next_due_at",
    gives=Standing._fields,
)
CLAIM_SQLITE = _DUE.sqlite()
# SKIP LOCKED keeps sweeps off each other's rows; the case's own lock is only tried, since a batch
# that holds it plans the case by itself.
CLAIM_POSTGRES = _DUE.postgres(condition="pg_try_advisory_xact_lock(hashtextextended(case_id, 0))")
_CLAIMED = [_CASES.c[name] for name in ("case_id", *Standing._fields)]
_CLAIM = Prepared(CLAIM_SQLITE.columns(*_CLAIMED), CLAIM_POSTGRES.columns(*_CLAIMED))


def _next_in_lane(is_emergent: bool) -> Select[Any]:
    """One walk along the index of what is due."""
    c = _CASES.c
    due = tuple_(c.next_due_at, c.case_id)
    return (
        select(c.next_due_at, c.case_id)
        .where(c.is_emergent.is_(is_emergent), c.next_due_at.is_not(None))
        .where(c.next_due_at <= instant_parameter("until"))
        .where(due > tuple_(instant_parameter("at"), bindparam("case", type_=TEXT)))
        .order_by(c.next_due_at, c.case_id)
        .limit(bindparam("limit"))
    )


_BOTH = union_all(*(select(_next_in_lane(lane).subquery()) for lane in (True, False))).subquery()
_NEXT = Prepared(
    select(_BOTH.c.next_due_at, _BOTH.c.case_id)
    .order_by(_BOTH.c.next_due_at, _BOTH.c.case_id)
    .limit(bindparam("limit"))
)
# The head of each lane's index.
_EARLIEST = Prepared(
    select(
        *(
            select(func.min(_CASES.c.next_due_at))
            .where(_CASES.c.is_emergent.is_(lane), _CASES.c.next_due_at.is_not(None))
            .scalar_subquery()
            for lane in (True, False)
        )
    )
)


class CaseWrites(Session):
    """The case part of one transaction."""

    def lock_cases(self, case_ids: Iterable[CaseId]) -> None:
        """Hold these cases until the end of the transaction, waiting for whoever has them.

        On SQLite the one writer holds everything already. Raises StoreBusy after 5 s of waiting,
        or at once when two transactions would wait for each other.
        """
        if self.is_postgres:
            self._connection.execute(_LOCK, {"ids": list(case_ids)})

    def load_cases(
        self, case_ids: Iterable[CaseId], since: Mapping[CaseId, int] = MappingProxyType({})
    ) -> dict[CaseId, StoredCase]:
        """The cases that exist, each with its log. Two queries for any number of cases.

        Of a case in `since` only the links from that number on (inclusive), at least the last.
        """
        wanted = dict.fromkeys(case_ids)
        found = self._rows(_CHOSEN, {"ids": self._list(wanted)})
        rows = [CaseRow(**dict(zip(_COLUMNS, row, strict=True))) for row in found]
        logs = self._logs({row.case_id: since.get(row.case_id, 0) for row in rows})
        return {row.case_id: _stored(row, logs.get(row.case_id, [])) for row in rows}

    def _logs(self, since: Mapping[CaseId, int]) -> dict[str, list[tuple[int, str, str]]]:
        logs: dict[str, list[tuple[int, str, str]]] = {}
        if not since:
            return logs
        asked: dict[str, Any] = {"since": orjson.dumps(since).decode()}
        if self.is_postgres:
            asked = {"ids": list(since), "since": list(since.values())}
        for case_id, seq, document, link in self._rows(_LOGS, asked):
            logs.setdefault(case_id, []).append((seq, document, link))
        return logs

    def append_log(self, rows: Sequence[LogRow]) -> None:
        """Add links to the chains of locked cases. A number or event that is there already is a
        fault of the program: IntegrityError."""
        self._write(CASE_LOG, rows)

    def save_cases(self, rows: Sequence[CaseRow]) -> None:
        """Insert or replace the rows of locked cases, each case at most once."""
        self._write(CASES, rows)

    def owned_cases(self, role: str) -> list[tuple[CaseId, str]]:
        """Id and document of every open case whose owner has this role. Reads without locking."""
        c = _CASES.c
        chosen = select(c.case_id, c.document).where(
            c.owner == role, c.state.not_in(("closed", "unopened"))
        )
        return [(CaseId(row[0]), row[1]) for row in self._connection.execute(chosen)]

    def complete_legs(self, legs: Sequence[CompletedLeg]) -> None:
        """Note first completions; one that is noted already stays as it was."""
        self._write(COMPLETED_LEG, legs)

    def claim_due(self, now: datetime, limit: int) -> dict[CaseId, Standing]:
        """Up to `limit` cases due at or before `now`, locked, and how each stands: EMERGENT first,
        then earliest due.

        May come back shorter than what is due where others hold cases; `min_due_in` tells.
        """
        found = self._rows(_CLAIM, {"now": now, "limit": limit})
        return {CaseId(case): Standing(*standing) for case, *standing in found}

    def due_next(
        self, after: tuple[datetime, str], until: datetime, limit: int
    ) -> list[tuple[datetime, CaseId]]:
        """Up to `limit` cases by due instant and id, behind `after` and up to `until` (inclusive).
        Locks nothing."""
        at = {"at": after[0], "case": after[1], "until": until, "limit": limit}
        return [(due_at, CaseId(case)) for due_at, case in self._rows(_NEXT, at)]

    def min_due_in(self, now: datetime) -> timedelta | None:
        """How long until the next case is due: zero when one is overdue, None when none waits."""
        (earliest,) = self._rows(_EARLIEST)
        waits = [due_at - now for due_at in earliest if due_at is not None]
        return max(min(waits), timedelta(0)) if waits else None


def _stored(row: CaseRow, log: list[tuple[int, str, str]]) -> StoredCase:
    if not log:
        return StoredCase(row, (), 0, "")
    (first_seq, _, first_hash), (last_seq, _, head) = log[0], log[-1]
    documents = tuple(document for _, document, _ in log)
    return StoredCase(row, documents, last_seq, head, first_seq, first_hash)
