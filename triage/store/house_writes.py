"""What the house itself keeps: credentials, policy books, the progress of its loops."""

from collections.abc import Mapping
from datetime import datetime

import orjson
from sqlalchemy import select, text, update

from triage.store.bulk import bulk_insert, overwrite
from triage.store.records import Token, WalArchive
from triage.store.rows import LoopProgress, PolicyBook, TokenRecord, table_of
from triage.store.session import Session

TOKENS = bulk_insert(TokenRecord)
PROGRESS = bulk_insert(LoopProgress, conflict=overwrite(LoopProgress), values_of=tuple)
BOOKS = bulk_insert(PolicyBook, conflict="ON CONFLICT (version) DO NOTHING", values_of=tuple)

_TOKEN = table_of(TokenRecord)
_BOOK = table_of(PolicyBook)


class HouseReads(Session):
    """Credentials and policy books, read."""

    def find_token(self, digest: str) -> Token | None:
        """The credential with this hash, also a revoked one (see `revoked_at`)."""
        row = self._connection.execute(select(_TOKEN).where(_TOKEN.c.hash == digest)).one_or_none()
        return Token(**row._mapping) if row else None

    def list_tokens(self) -> list[Token]:
        """Every credential, oldest first, revoked ones too."""
        chosen = select(_TOKEN).order_by(_TOKEN.c.created_at, _TOKEN.c.id)
        return [Token(**row._mapping) for row in self._connection.execute(chosen)]

    def sources(self) -> frozenset[str]:
        """The sources that hold a credential which is not revoked."""
        c = _TOKEN.c
        chosen = select(c.source).where(c.source.is_not(None), c.revoked_at.is_(None)).distinct()
        return frozenset(self._connection.execute(chosen).scalars())

    def server_clock(self) -> datetime | None:
        """The instant by the server's own clock; None where the file is our own (SQLite)."""
        if not self.is_postgres:
            return None
        at: datetime = self._connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return at

    def server_settings(self) -> dict[str, str]:
        """What a PostgreSQL server promises about a commit, by setting; empty for SQLite."""
        if not self.is_postgres:
            return {}
        asked = text(
            "SELECT name, setting FROM pg_settings"
            " WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
        )
        return {row.name: row.setting for row in self._connection.execute(asked)}

    def wal_archive(self) -> WalArchive | None:
        """None where nothing is archived by the server itself, and for SQLite."""
        if not self.is_postgres:
            return None
        asked = text(
            "SELECT last_archived_time, last_failed_time FROM pg_stat_archiver"
            " WHERE current_setting('archive_mode') <> 'off'"
        )
        row = self._connection.execute(asked).one_or_none()
        return WalArchive(archived_at=row[0], failed_at=row[1]) if row else None

    def policy_book(self, version: str) -> dict[str, str] | None:
        """The texts of a book that cases were judged by, by file name."""
        chosen = select(_BOOK.c.texts).where(_BOOK.c.version == version)
        texts = self._connection.execute(chosen).scalar_one_or_none()
        return orjson.loads(texts) if texts is not None else None


class HouseWrites(HouseReads):
    """Credentials, policy books and progress, written."""

    def add_token(self, token: Token) -> None:
        """Keep a new credential; its id and hash must be new (IntegrityError)."""
        self._write(TOKENS, [token])

    def revoke_token(self, token_id: str, at: datetime) -> bool:
        """End a credential; False when there is none in force with this id."""
        c = _TOKEN.c
        change = update(_TOKEN).where(c.id == token_id, c.revoked_at.is_(None))
        return self._connection.execute(change.values(revoked_at=at)).rowcount == 1

    def keep_policy_book(self, version: str, texts: Mapping[str, str]) -> None:
        """Keep a book so that cases pinned to it can be judged again; no change if it is there."""
        document = orjson.dumps(dict(texts), option=orjson.OPT_SORT_KEYS).decode()
        self._write(BOOKS, [(version, document)])

    def stamp(self, loop: str, at: datetime) -> None:
        """This loop has finished a turn."""
        self._write(PROGRESS, [(loop, at)])
