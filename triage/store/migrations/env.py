"""Alembic's way in: over a connection that is open already, or over TRIAGE_DATABASE_URL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from triage.store import audit_rows, reach_rows, roster_rows, rows
from triage.store.connection import WRITES, open_engine

TARGET = SQLModel.metadata
# The imports fill it.
assert {"journal", "roster_change", "answer_link", "audit_finding"} <= TARGET.tables.keys(), (
    rows,
    roster_rows,
    reach_rows,
    audit_rows,
)


@contextmanager
def _connection() -> Iterator[Connection]:
    given = context.config.attributes.get("connection")
    if given is not None:
        yield given
        return
    engine = open_engine(os.environ["TRIAGE_DATABASE_URL"], role="migrate")
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        yield connection
    engine.dispose()


with _connection() as database:
    context.configure(connection=database, target_metadata=TARGET, compare_type=True)
    context.run_migrations()
