"""The louder path: when no provider takes an EMERGENT page, the site manager is paged as well, and
the call list lies on the disk for whoever has nothing else. The board goes red by itself."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from triage.call_list import HTML_FILE, TEXT_FILE, CallList, as_html, as_text, call_list
from triage.domain.instants import format_instant
from triage.handle import Desk
from triage.policies.roles import paged_roles
from triage.store.reader import Reader
from triage.store.store import Store
from triage.workflow.house_notice import house_orders

EVERY_SECONDS = 5.0
NOTICE = "unheard"
_ROLE = "site_manager"
_PATIENCE = timedelta(seconds=30)  # by then both routes have been tried several times
_WRITE_AGAIN = timedelta(minutes=3)
_COUNT_AGAIN = timedelta(minutes=1)  # whoever works from the list needs the EMERGENT ones


class Louder:
    """Synchronous; any number of processes: pages have keys, files are replaced whole."""

    def __init__(self, store: Store, desk: Desk, home: Path) -> None:
        self._store, self._desk, self._home = store, desk, home
        self._written: tuple[CallList, datetime] | None = None
        self._others: tuple[int, datetime] | None = None

    def turn(self, now: datetime) -> int:
        """Order what is owed and keep the files fresh; returns how many pages are new.

        Raises StoreUnavailable, and OSError when the files cannot be written.
        """
        new = self._page(now)
        self._write(now)
        return new

    def _page(self, now: datetime) -> int:
        desk = self._desk
        with self._store.read() as reader:
            unheard = [each for each in reader.unheard() if now - each.since >= _PATIENCE]
        orders = [
            order
            for each in unheard
            for order in house_orders(
                notice=NOTICE,
                about=(each.case, format_instant(each.since)),
                why=f"no provider takes the page for EMERGENT case {each.case}",
                asked="telephone the surgeon on call; the call list is printed from /call-list",
                role=_ROLE,
                site=desk.roster.site_for(each.site)[0],
                roster=desk.roster,
                policy=desk.books.current.version,
                now=now,
                is_emergent=True,
            )
        ]
        if not orders:
            return 0
        with self._store.begin() as tx:
            new = tx.order_pages(orders, now)
            if new:
                tx.notify("page")
        return len(new)

    def _write(self, now: datetime) -> None:
        roles = paged_roles(self._desk.books.current)
        with self._store.read() as reader:
            others = self._count_others(reader, now)
            found = call_list(reader, self._desk.roster, roles, now, others=others)
        if self._written is not None:
            last, at = self._written
            if last == found and timedelta() <= now - at < _WRITE_AGAIN:
                return
        _replace(self._home / TEXT_FILE, as_text(found, now))
        _replace(self._home / HTML_FILE, as_html(found, now))
        self._written = found, now

    def _count_others(self, reader: Reader, now: datetime) -> int:
        """Counting reads every open case, and what falls due meanwhile would wait for it."""
        if self._others is None or not timedelta() <= now - self._others[1] < _COUNT_AGAIN:
            self._others = reader.calmer_cases(), now
        return self._others[0]


def _replace(path: Path, text: str) -> None:
    """Whole or not at all, also when the power goes."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
