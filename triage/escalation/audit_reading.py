"""The auditor's own way into the database: its own connection, its own SQL, read-only.

It shares the shape of rows with the store and none of its statements, so that a fault in one is
not a fault in the other. On PostgreSQL each reading is one snapshot in a READ ONLY transaction; on
SQLite the connection is set to `query_only`.
"""

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


class AuditReading:
    """Reads of one instant of the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.is_postgres = connection.dialect.name == "postgresql"

    def ask(self, sql: str, **values: Any) -> Sequence[Any]:
        """Rows of a statement of the auditor's own."""
        return self._connection.execute(text(sql), values).all()

    def choose(self, statement: Any, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Rows of a statement with typed columns."""
        return self._connection.execute(statement, dict(values or {})).all()

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
                    connection.execute(text(_MODEST))
                yield AuditReading(connection)
        except SQLAlchemyError as error:
            raise translated(error) or error from None

    def dispose(self) -> None:
        """Close the connections."""
        self._engine.dispose()


_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# Sorts stay in memory, and no second processor is taken from those who do the work. A look at all
# cases may take longer than any statement of a service that people wait for.
_MODEST = """
SELECT set_config('work_mem', '32MB', true),
    set_config('max_parallel_workers_per_gather', '0', true),
    set_config('statement_timeout', '60s', true)
"""


class _Mark:
    """SQLite's aggregate for `triage_mark`: the same for the same rows in any order."""

    def __init__(self) -> None:
        self._mark = 0

    def step(self, *values: object) -> None:
        """Take one row in."""
        self._mark ^= hash(values)  # of this process only, as all marks are

    def finalize(self) -> int:
        """The mark of all rows."""
        return self._mark


def _read_only_sqlite(connection: Any, _record: object) -> None:
    connection.create_aggregate("triage_mark", -1, _Mark)
    connection.execute("PRAGMA query_only=ON")
