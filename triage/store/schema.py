"""The schema's version: bring a database to ours, and tell which it has.

Only migrations make or change tables; `rows.py` is what they are tested against.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from triage.domain.errors import StoreUnavailable
from triage.store.connection import WRITES, open_engine
from triage.store.failures import translated

_FOLDER = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 7_263_113_204  # any number: two migrations of one database take turns


def upgrade(url: str) -> None:
    """Bring the database to the schema of this program; does nothing where it has it.

    Safe to call from several processes at once. Raises StoreUnavailable.
    """
    with _engine(url) as engine:
        upgrade_engine(engine)


def upgrade_engine(engine: Engine) -> None:
    """`upgrade` over an engine that is open already (a database in memory has no other way in)."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            _take_turn(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def schema_version(url: str) -> str | None:
    """The migration that the database stands at; None for one without our tables."""
    with _engine(url) as engine, engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def expected_schema_version() -> str:
    """The newest migration that this program knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise StoreUnavailable("no migration found", hint=f"is {_FOLDER} installed?")
    return head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config


def _take_turn(connection: Connection) -> None:
    """Waits for another migration; DDL on large tables may take longer than the usual limits."""
    connection.execute(text("SET LOCAL lock_timeout = '60s'"))
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = open_engine(url, role="migrate")
    try:
        yield engine
    except SQLAlchemyError as error:
        raise translated(error) or error from None
    finally:
        engine.dispose()
