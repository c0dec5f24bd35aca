"""The policy books in use: the current one, and those that open cases are pinned to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from triage.policies.book import PolicyBook
from triage.policies.load import load_policy_book
from triage.policies.shipped import shipped_texts

if TYPE_CHECKING:  # classifying a file needs no database, and should not wait for its import
    from triage.store.store import Store


@dataclass(slots=True)
class Books:
    """The current book, and books that open cases are pinned to, loaded from the store once."""

    current: PolicyBook
    texts: dict[str, str]
    store: Store | None = None
    _known: dict[str, PolicyBook] = field(default_factory=dict)

    def pinned(self, version: str) -> PolicyBook:
        """The book of that version; the current one when nobody kept it."""
        if version == self.current.version:
            return self.current
        if version not in self._known:
            self._known[version] = self._load(version)
        return self._known[version]

    def _load(self, version: str) -> PolicyBook:
        if self.store is None:
            return self.current
        with self.store.read() as reader:
            texts = reader.policy_book(version)
        return load_policy_book(texts) if texts else self.current

    def keep(self, store: Store) -> None:
        """Keep the current book's texts, so that cases pinned to it can always be folded again."""
        self.store = store
        with store.begin() as tx:
            tx.keep_policy_book(self.current.version, self.texts)


def load_books(folder: Path | None) -> Books:
    """The book of a folder, or the one that ships. Raises UnsoundPolicy."""
    if folder is None:
        texts = shipped_texts()
    else:
        texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.toml")}
    return Books(load_policy_book(texts), texts)
