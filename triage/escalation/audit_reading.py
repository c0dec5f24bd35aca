"""The auditor's own way into the database: its own connection, its own SQL, read-only.

It shares the shape of rows with the store and none of its statements, so that a fault in one is
not a fault in the other. On PostgreSQL each reading is one snapshot in a READ ONLY transaction; on
SQLite the connection is set to `query_only`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy import select as choose
from sqlalchemy.exc import SQLAlchemyError

from triage.domain.events import CaseId
from triage.store.connection import open_engine
from triage.store.failures import translated
from triage.store.records import CaseRow, LogRow
from triage.store.rows import CaseLog, Cases, Journal, Page, table_of

_CASES, _LOG = table_of(Cases), table_of(CaseLog)
_PAGE, _JOURNAL = table_of(Page), table_of(Journal)
_PAGE_MARKED = ("page", "order_document", "is_emergent", "status = 'accepted'")
_JOURNAL_MARKED = ("source", "event_id", "content_hash")


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page of a case as far as the auditor looks at it."""

    page: str
    order_document: str
    status: str


@dataclass(frozen=True, slots=True)
class Journalled:
    """A journal row of a case: the event's key, and the event as it was understood."""

    key: tuple[str, str, str]
    event_document: str


@dataclass(slots=True)
class Evidence:
    """Everything stored about one case. `row` is None when the log has no case row."""

    case: CaseId
    row: CaseRow | None = None
    links: list[LogRow] = field(default_factory=list)
    pages: dict[str, StoredPage] = field(default_factory=dict)
    journal: dict[tuple[str, str, str], Journalled] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slice:
    """The marks of the cases in a range of ids: equal marks = nothing stored has changed.

    `until` is the last id of the range, None when it is the last range.
    """

    marks: Mapping[CaseId, tuple[int, ...]]
    until: CaseId | None


class AuditReading:
    """Reads of one instant of the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_postgres = connection.dialect.name == "postgresql"

    def ask(self, sql: str, **values: Any) -> Sequence[Any]:
        """Rows of a statement of the auditor's own."""
        return self._connection.execute(text(sql), values).all()

    def choose(self, statement: Any, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Rows of a statement with typed columns."""
        return self._connection.execute(statement, dict(values or {})).all()

    def marks(self, after: str, limit: int) -> Slice:
        """The next `limit` cases behind an id, and whatever else carries an id of that range."""
        bound = self.ask(
            "SELECT max(case_id) FROM (SELECT case_id FROM cases WHERE case_id > :after"
            " ORDER BY case_id LIMIT :limit) AS next",
            after=after,
            limit=limit,
        )[0][0]
        more = bound and self.ask("SELECT 1 FROM cases WHERE case_id > :bound LIMIT 1", bound=bound)
        until = bound if more else None
        found: dict[CaseId, list[int]] = {}
        for place, (table, columns) in enumerate(self._marked()):
            for case, mark in self._marks_of(table, columns, after, until):
                found.setdefault(CaseId(case), [0] * len(self._marked()))[place] = int(mark)
        return Slice({case: tuple(marks) for case, marks in found.items()}, until)

    @staticmethod
    def _marked() -> tuple[tuple[str, tuple[str, ...]], ...]:
        return (
            ("cases", tuple(f'"{c.name}"' for c in _CASES.columns)),
            ("case_log", tuple(f'"{c.name}"' for c in _LOG.columns)),
            ("page", _PAGE_MARKED),
            ("journal", _JOURNAL_MARKED),
        )

    def _marks_of(
        self, table: str, columns: Sequence[str], after: str, until: str | None
    ) -> Sequence[Any]:
        row = ", ".join(columns)
        mark = (
            f"bit_xor(hashtextextended(CAST(ROW({row}) AS text), 0))"
            if self._is_postgres
            else f"triage_mark({row})"
        )
        range_ = "case_id > :after" + ("" if until is None else " AND case_id <= :until")
        values = {"after": after} | ({} if until is None else {"until": until})
        sql = f"SELECT case_id, {mark} FROM {table} WHERE {range_} GROUP BY case_id"  # noqa: S608
        return self.ask(sql, **values)

    def evidence(self, cases: Iterable[CaseId]) -> dict[CaseId, Evidence]:
        """Everything about these cases. Raises ValueError when a stored instant is unreadable."""
        found = {case: Evidence(case) for case in cases}
        ids = list(found)
        for row in self.choose(choose(_CASES).where(_CASES.c.case_id.in_(ids))):
            found[row.case_id].row = CaseRow(**row._mapping)
        links = choose(_LOG).where(_LOG.c.case_id.in_(ids)).order_by(_LOG.c.case_id, _LOG.c.seq)
        for row in self.choose(links):
            found[row.case_id].links.append(LogRow(**row._mapping))
        p, j = _PAGE.c, _JOURNAL.c
        pages = choose(p.case_id, p.page, p.order_document, p.status).where(p.case_id.in_(ids))
        for case, *values in self.choose(pages):
            found[case].pages[values[0]] = StoredPage(*values)
        journal = choose(j.case_id, j.source, j.event_id, j.content_hash, j.event_document)
        for case, *key, document in self.choose(journal.where(j.case_id.in_(ids))):
            found[case].journal[tuple(key)] = Journalled(tuple(key), document)
        return found


class AuditView:
    """Opens readings. `url` may name a database user that can do nothing but read."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = open_engine(url, role="audit")
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _read_only_sqlite)

    @contextmanager
    def read(self) -> Iterator[AuditReading]:
        """One snapshot. Raises StoreUnavailable."""
        try:
            with self._engine.connect() as connection, connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text(_SNAPSHOT))
                yield AuditReading(connection)
        except SQLAlchemyError as error:
            raise translated(error) or error from None

    def dispose(self) -> None:
        """Close the connections."""
        self._engine.dispose()


_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class _Mark:
    """SQLite's aggregate for `triage_mark`: the same for the same rows in any order."""

    def __init__(self) -> None:
        self._mark = 0

    def step(self, *values: object) -> None:
        """Take one row in."""
        digest = hashlib.blake2b(repr(values).encode(), digest_size=8).digest()
        self._mark ^= int.from_bytes(digest, signed=True)

    def finalize(self) -> int:
        """The mark of all rows."""
        return self._mark


def _read_only_sqlite(connection: Any, _record: object) -> None:
    connection.create_aggregate("triage_mark", -1, _Mark)
    connection.execute("PRAGMA query_only=ON")
