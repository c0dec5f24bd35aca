"""What decisions stand on: the roster, and the desk made of it and the policy books."""

from datetime import datetime

from triage.books import load_books
from triage.recording.ledger import Desk
from triage.rosters.sources import load_roster, put_together, read_kept
from triage.settings import Settings
from triage.store.store import Store


def build_desk(settings: Settings, store: Store | None = None, now: datetime | None = None) -> Desk:
    """Books and roster of the settings; with a store, the current book is kept in it.

    With `now` too the roster is that of this moment: the store's changes and proofs are in it.
    """
    books = load_books(settings.policy_dir)
    roster = load_roster(settings.roster_file)
    if store is not None:
        books.keep(store)
        if now is not None:
            with store.read() as reader:
                roster = put_together(roster, read_kept(reader, now), now)
    return Desk(books, roster, bool(settings.kafka_bootstrap))
