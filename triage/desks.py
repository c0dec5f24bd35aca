"""What decisions stand on: the roster, and the desk made of it and the policy books."""

from pathlib import Path

from triage.books import load_books
from triage.domain.errors import TriageError
from triage.domain.roster import Roster, default_roster
from triage.domain.roster_file import read_roster
from triage.recording import Desk
from triage.settings import Settings
from triage.store.store import Store


def load_roster(file: Path | None) -> Roster:
    """The roster of a file, or one in which nobody is on call. Raises UnsoundRoster."""
    if file is None:
        return default_roster()
    try:
        return read_roster(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TriageError(f"{file}: {error.strerror}", hint="name a readable file") from None


def build_desk(settings: Settings, store: Store | None = None) -> Desk:
    """Books and roster of the settings; with a store, the current book is kept in it."""
    books = load_books(settings.policy_dir)
    if store is not None:
        books.keep(store)
    return Desk(books, load_roster(settings.roster_file), bool(settings.kafka_bootstrap))
