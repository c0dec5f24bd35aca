"""How the tables of a database are compared with the models: used on both databases."""

from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

from triage.store import audit_rows, reach_rows, rows, upgrade
from triage.store.connection import WRITES, open_engine
from triage.store.schema import _config

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


def upgrade_to(url: str, revision: str) -> None:
    """Bring a database to an older schema, as a program of that time left it."""
    engine = open_engine(url, role="migrate")
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def page_of_the_version_before(url: str, page: str, owed_at: str) -> None:
    """A page that waits, written without the columns that came with 0006."""
    engine = open_engine(url, role="migrate")
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        connection.execute(
            text(
                "INSERT INTO page (page, route, route_kind, order_document, is_emergent, owed_at,"
                " ordered_at, status, attempts, possibly_doubled, ready_at)"
                " VALUES (:page, 'desk', 'inbox', '{}', false, :at, :at, 'ordered', 0, false, :at)"
            ),
            {"page": page, "at": owed_at},
        )
    engine.dispose()


def turns(url: str) -> list[tuple[str, bool]]:
    """Each page in the order in which it is drained, and whether that is when it was owed."""
    engine = open_engine(url, role="migrate")
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT page, drain_by = owed_at FROM page ORDER BY drain_by")
        )
        in_turn = [(page, bool(is_owed)) for page, is_owed in found]
    engine.dispose()
    return in_turn


def pages_of_the_version_before_keep_their_turn(url: str) -> None:
    """What waited is drained by when it was owed; what an old process orders later goes first."""
    upgrade_to(url, "0005")
    page_of_the_version_before(url, "waited", "2026-03-10T08:00:00.000000+00:00")
    upgrade(url)
    page_of_the_version_before(url, "ordered since", "2026-03-10T09:00:00.000000+00:00")
    assert turns(url) == [("ordered since", False), ("waited", True)]
