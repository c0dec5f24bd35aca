"""What a command needs of its surroundings: settings, store, books, roster."""

import os
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from triage.books import Books, load_books
from triage.domain.errors import TriageError
from triage.domain.roster.roster import Roster
from triage.rosters.sources import Kept, load_roster, put_together, read_kept
from triage.settings import Settings, read_settings
from triage.store.schema import expected_schema_version, schema_version, upgrade
from triage.store.store import Store, open_store


def settings() -> Settings:
    """The environment's settings; raises BadSettings."""
    return read_settings(os.environ, dotenv=Path(".env"))


def roster(given: Path | None = None) -> Roster:
    """The roster of a file, or of the settings."""
    return load_roster(given or settings().roster_file)


def current_roster(now: datetime) -> Roster:
    """The roster of the settings as it is now: with what the database keeps, where there is one."""
    return put_together(load_roster(settings().roster_file), kept_roster(now), now)


def kept_roster(now: datetime) -> Kept:
    """What the database keeps of the roster; nothing where there is none yet."""
    if not _has_database(settings()):
        return Kept()
    with store().read() as reader:
        return read_kept(reader, now)


def books(given: Path | None = None) -> Books:
    """The policy books of a folder, or of the settings."""
    return load_books(given or settings().policy_dir)


def _has_database(configured: Settings) -> bool:
    """A SQLite file is not made just to look into it."""
    url = make_url(configured.database_url)
    return not url.drivername.startswith("sqlite") or Path(url.database or "").is_file()


def store() -> Store:
    """The database of the settings; a SQLite file is made when it is not there yet."""
    configured = settings()
    url = configured.database_url
    if url.startswith("sqlite"):
        configured.home.mkdir(parents=True, exist_ok=True)
        upgrade(url)
    elif schema_version(url) != expected_schema_version():
        raise TriageError(
            f"database schema: {schema_version(url)}, expected {expected_schema_version()}",
            hint="run `triage migrate`",
        )
    return open_store(url)
