"""How the tables of a database are compared with the models: used on both databases."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlmodel import SQLModel

from triage.store import audit_rows, reach_rows, rows
from triage.store.connection import open_engine

TABLES = {**rows.SQLModel.metadata.tables, **reach_rows.SQLModel.metadata.tables}
assert "audit_finding" in TABLES, audit_rows


def differences(url: str) -> list[Any]:
    """What would have to be migrated to make the database equal the models; and index conditions,
    which Alembic does not compare."""
    engine = open_engine(url, role="migrate")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[Any] = list(compare_metadata(context, SQLModel.metadata))
        inspector = inspect(connection)
        for name, table in TABLES.items():
            wanted = {index.name for index in table.indexes if _is_partial(index)}
            there = {
                index["name"]
                for index in inspector.get_indexes(name)
                if _is_partial_in_database(index)
            }
            found += [("partial index", name, index) for index in wanted ^ there]
    engine.dispose()
    return found


def _is_partial(index: Any) -> bool:
    return index.dialect_options["postgresql"]["where"] is not None


def _is_partial_in_database(index: Any) -> bool:
    return any(option.endswith("_where") for option in index.get("dialect_options", {}))
