"""The store on SQLite: in a file, and in memory."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

pytest.register_assert_rewrite("tests.store_contract")

from tests.store_contract import CONTRACT, Check  # noqa: E402
from tests.store_rows import NOW, entry, order  # noqa: E402
from triage.domain.errors import StoreUnavailable  # noqa: E402
from triage.store import (  # noqa: E402
    Store,
    StoreBusy,
    case_writes,
    listen,
    open_store,
    page_writes,
    upgrade,
)
from triage.store.session import instant_parameter  # noqa: E402


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'triage.db'}"
    upgrade(url)
    return url


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    in_file = request.param == "file"
    opened = open_store(request.getfixturevalue("file_url") if in_file else "sqlite://")
    yield opened
    opened.dispose()


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_contract(check: Check, store: Store) -> None:
    check(store)


def test_what_was_committed_is_there_after_reopening(file_url: str) -> None:
    first = open_store(file_url)
    with first.begin() as tx:
        tx.journal([entry(1)])
        tx.order_pages([order(1)], NOW)
    first.dispose()
    second = open_store(file_url)
    with second.read() as reader:
        assert reader.counts().journal == 1
        assert [row.order for row in reader.pages()] == [order(1)]
    second.dispose()


def test_every_connection_survives_a_power_cut(file_url: str) -> None:
    opened = open_store(file_url)
    with opened.begin() as tx:
        modes = [
            tx._connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    opened.dispose()
    assert modes == ["wal", 2, 1]


def test_a_reader_sees_one_instant_while_a_writer_goes_on(file_url: str) -> None:
    opened = open_store(file_url)
    with opened.read() as reader:
        assert reader.counts().journal == 0
        with opened.begin() as tx:
            tx.journal([entry(1)])
        assert reader.counts().journal == 0
    with opened.read() as reader:
        assert reader.counts().journal == 1
    opened.dispose()


def test_a_second_process_that_writes_for_too_long_is_said_to_be_busy(
    file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.store.connection.SQLITE_WAIT_SECONDS", 0)
    opened = open_store(file_url)
    other = sqlite3.connect(file_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy), opened.begin() as tx:
        tx.journal([entry(1)])
    other.execute("ROLLBACK")
    other.close()
    with opened.begin() as tx:
        tx.journal([entry(1)])
    opened.dispose()


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    opened = open_store(f"sqlite:///{tmp_path / 'absent' / 'triage.db'}")
    with pytest.raises(StoreUnavailable, match="cannot be read or written"), opened.begin():
        pass


def test_a_full_disk_is_unavailable_and_nothing_is_half_stored(file_url: str) -> None:
    opened = open_store(file_url)
    with opened.begin() as tx:
        pages = tx._connection.exec_driver_sql("PRAGMA page_count").scalar()

    def fill() -> None:
        with opened.begin() as tx:
            tx._connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            tx.journal([entry(n, raw=bytes(4096)) for n in range(40)])

    with pytest.raises(StoreUnavailable):
        fill()
    with opened.read() as reader:
        assert reader.counts().journal == 0
    opened.dispose()


@pytest.mark.parametrize(
    ("claim", "index"),
    [(case_writes.CLAIM_SQLITE, "cases_due"), (page_writes.READY_SQLITE, "page_drain")],
)
def test_a_claim_walks_its_index_however_many_wait(claim: Any, index: str, file_url: str) -> None:
    opened = open_store(file_url)
    explain = text(f"EXPLAIN QUERY PLAN {claim.text}").bindparams(instant_parameter("now"))
    with opened.begin() as tx:
        plan = [row[3] for row in tx._connection.execute(explain, {"now": NOW, "limit": 100})]
    opened.dispose()
    reads = [step for step in plan if "cases" in step or "page " in step]
    assert len(reads) == 2
    assert all(f"USING INDEX {index} (is_emergent=?" in step for step in reads)


def test_only_postgres_wakes_other_processes(file_url: str) -> None:
    with pytest.raises(ValueError, match="on_wake"):
        listen(file_url, ["due"], print, threading.Event())


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="not supported: mysql"):
        open_store("mysql://127.0.0.1/triage")
