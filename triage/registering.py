"""Which sources are registered, kept fresh: the receiving sites, and whoever holds a token."""

from triage.intake.registry import Registry
from triage.recording.ledger import Desk
from triage.store.store import Store

EVERY_SECONDS = 10.0
_CENTRE = "centre:"


class Registering:
    """`registry` gives the last reading at once; `refresh` reads again, also a changed roster."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store, self._desk = store, desk
        self._registry = Registry(centres=frozenset(desk.roster.sites))

    def registry(self) -> Registry:
        """The registered sources, as last read."""
        return self._registry

    def refresh(self) -> None:
        """Read the tokens' sources. Raises StoreUnavailable."""
        with self._store.read() as reader:
            sources = reader.sources()
        centres = frozenset(source for source in sources if source.startswith(_CENTRE))
        sites = frozenset(self._desk.roster.sites)
        self._registry = Registry(centres=sites | centres, hospitals=sources - centres)
