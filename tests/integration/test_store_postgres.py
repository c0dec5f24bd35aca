"""The store on a real PostgreSQL: the common contract, and what only several processes show."""

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy.engine import make_url

pytest.register_assert_rewrite("tests.store_contract")

from tests.services import private_postgres  # noqa: E402
from tests.store_contract import CONTRACT, Check  # noqa: E402
from tests.store_rows import (  # noqa: E402
    NOW,
    case_number,
    case_row,
    entry,
    log_row,
    minutes,
    order,
)
from tests.store_schema import (  # noqa: E402
    differences,
    pages_of_the_version_before_keep_their_turn,
)
from triage.domain.errors import StoreUnavailable  # noqa: E402
from triage.store import (  # noqa: E402
    Store,
    StoreBusy,
    expected_schema_version,
    listen,
    open_store,
    schema_version,
    upgrade,
)

pytestmark = pytest.mark.postgres_real
WAIT_SECONDS = 10


@pytest.fixture
def url(migrated_postgres: str) -> str:
    return migrated_postgres


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.dispose()


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_contract(check: Check, store: Store) -> None:
    check(store)


def test_migrations_make_what_the_models_say_even_when_two_start_at_once(
    fresh_postgres: str,
) -> None:
    assert schema_version(fresh_postgres) is None
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(upgrade, [fresh_postgres, fresh_postgres]))
    assert differences(fresh_postgres) == []
    assert schema_version(fresh_postgres) == expected_schema_version()


def test_pages_of_the_version_before_keep_their_turn(fresh_postgres: str) -> None:
    pages_of_the_version_before_keep_their_turn(fresh_postgres)


def test_two_sweeps_claim_different_cases(store: Store) -> None:
    with store.begin() as tx:
        tx.save_cases([case_row(n, next_due_at=NOW - minutes(n)) for n in range(1, 11)])
    with store.begin() as first, store.begin() as second:
        ours = first.claim_due(NOW, 6)
        theirs = second.claim_due(NOW, 6)
    assert list(ours) == [case_number(n) for n in (10, 9, 8, 7, 6, 5)]
    assert list(theirs) == [case_number(n) for n in (4, 3, 2, 1)]


def test_a_sweep_leaves_a_case_to_the_batch_that_holds_it(store: Store) -> None:
    with store.begin() as tx:
        tx.save_cases([case_row(n, next_due_at=NOW) for n in (1, 2)])
    with store.begin() as batch:
        batch.lock_cases([case_number(1)])
        with store.begin() as sweep:
            assert list(sweep.claim_due(NOW, 10)) == [case_number(2)]
    with store.begin() as sweep:
        assert len(sweep.claim_due(NOW, 10)) == 2


def test_two_relays_claim_different_pages(store: Store) -> None:
    with store.begin() as tx:
        tx.order_pages([order(n) for n in range(10)], NOW)
    with store.begin() as first, store.begin() as second:
        ours = {page.order.page for page in first.claim_pages(NOW, 6, 10)}
        theirs = {page.order.page for page in second.claim_pages(NOW, 6, 10)}
    assert (len(ours), len(theirs)) == (6, 4)
    assert ours.isdisjoint(theirs)


def test_a_backend_killed_in_the_middle_leaves_nothing(store: Store, url: str) -> None:
    def killed() -> None:
        with store.begin() as tx:
            tx.journal([entry(1)])
            tx.save_cases([case_row(1)])
            tx.move_position("triage.referrals.v1", 0, 0, 1)
            _end_backend(url, tx._connection.exec_driver_sql("SELECT pg_backend_pid()").scalar())
            tx.order_pages([order(1)], NOW)

    with pytest.raises(StoreUnavailable):
        killed()
    with store.begin() as tx:
        assert tx.reads.counts().journal == 0
        assert tx.reads.cases() == []
        assert tx.positions() == {}


def test_the_second_of_two_owners_of_a_partition_is_fenced(store: Store) -> None:
    topic = "triage.referrals.v1"
    with store.begin() as tx:
        tx.move_position(topic, 0, 0, 100)
    with ThreadPoolExecutor(1) as pool, store.begin() as old_owner:
        assert old_owner.move_position(topic, 0, 100, 150)
        new_owner = pool.submit(_move, store, topic, 100, 120)
        old_owner._connection.commit()
        assert new_owner.result(WAIT_SECONDS) is False
    with store.read() as reader:
        assert reader.positions() == {(topic, 0): 150}


def test_an_event_that_two_batches_bring_at_once_is_stored_once(store: Store) -> None:
    key = (entry(1).source, entry(1).event_id, entry(1).content_hash)
    with ThreadPoolExecutor(1) as pool:
        with store.begin() as first:
            assert first.seen([key]) == {}
            first.journal([entry(1)])
            second = pool.submit(_journal, store)
        with pytest.raises(StoreBusy):
            second.result(WAIT_SECONDS)
    with store.begin() as again:
        assert list(again.seen([key])) == [key]


def test_two_batches_that_wait_for_each_other_are_told_to_do_it_again(store: Store) -> None:
    both_hold_one = threading.Barrier(2)

    def cross(mine: int, other: int) -> None:
        with store.begin() as tx:
            tx.lock_cases([case_number(mine)])
            both_hold_one.wait(WAIT_SECONDS)
            tx.lock_cases([case_number(other)])
            tx.append_log([log_row(mine)])

    with ThreadPoolExecutor(2) as pool:
        turns = [pool.submit(cross, 1, 2), pool.submit(cross, 2, 1)]
        errors = [turn.exception(WAIT_SECONDS) for turn in turns]
    assert sorted(type(error).__name__ for error in errors) == ["NoneType", "StoreBusy"]


def test_a_case_held_for_too_long_is_busy_not_stuck(store: Store) -> None:
    with store.begin() as holder:
        holder.lock_cases([case_number(1)])
        with pytest.raises(StoreBusy, match="lock not available"):
            _lock_impatiently(store)


def test_more_transactions_than_connections_wait_then_are_busy(url: str) -> None:
    relay = open_store(url, role="relay")
    told = pytest.raises(StoreBusy, match="no free database connection")
    with relay.begin(), relay.begin(), relay.read(), told, relay.begin():
        pass
    relay.dispose()


def test_every_connection_has_our_settings(url: str) -> None:
    sweep = open_store(url, role="sweep")
    names = ("jit", "lock_timeout", "statement_timeout", "application_name", "TimeZone")
    with sweep.begin() as tx:
        shown = [tx._connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]
    sweep.dispose()
    assert shown == ["off", "5s", "20s", "triage sweep", "UTC"]


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StoreUnavailable), store.read() as reader:
        reader._connection.exec_driver_sql("DELETE FROM cases")


def test_a_truncated_journal_is_refused_too(store: Store) -> None:
    with pytest.raises(Exception, match="append-only"), store.begin() as tx:
        tx._connection.exec_driver_sql("TRUNCATE journal")


def test_another_process_is_woken_by_the_commit(store: Store, url: str) -> None:
    woken: queue.Queue[str] = queue.Queue()
    stop = threading.Event()
    thread = listen(url, ["due", "page"], woken.put, stop)
    assert {woken.get(timeout=WAIT_SECONDS), woken.get(timeout=WAIT_SECONDS)} == {"due", "page"}
    with store.begin() as tx:
        tx.save_cases([case_row(1, next_due_at=NOW)])
        tx.notify("due")
    assert woken.get(timeout=WAIT_SECONDS) == "due"
    assert woken.empty()
    stop.set()
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive()


def test_a_listener_that_lost_its_connection_looks_again(store: Store, url: str) -> None:
    woken: queue.Queue[str] = queue.Queue()
    stop = threading.Event()
    thread = listen(url, ["page"], woken.put, stop)
    assert woken.get(timeout=WAIT_SECONDS) == "page"
    _end_listeners(url)
    assert woken.get(timeout=WAIT_SECONDS) == "page"
    with store.begin() as tx:
        tx.notify("page")
    assert woken.get(timeout=WAIT_SECONDS) == "page"
    stop.set()
    thread.join(WAIT_SECONDS)


def test_a_database_that_is_down_is_unavailable_and_comes_back() -> None:
    with private_postgres() as server:
        upgrade(server.url)
        store = open_store(server.url)
        with store.begin() as tx:
            tx.journal([entry(1)])
        server.kill()
        for _ in range(2):
            with pytest.raises(StoreUnavailable) as told, store.begin() as tx:
                tx.journal([entry(2)])
            assert "e-2" not in str(told.value)
        with pytest.raises(StoreUnavailable), store.read():
            pass
        with pytest.raises(StoreUnavailable):
            upgrade(server.url)
        server.start()
        with store.begin() as tx:
            tx.journal([entry(2)])
        with store.read() as reader:
            assert reader.counts().journal == 2
        store.dispose()


def test_archiving_that_fails_is_seen_and_none_is_no_archive(store: Store) -> None:
    with store.read() as reader:
        assert reader.wal_archive() is None
    with private_postgres() as server:
        _administer(server.url, "ALTER SYSTEM SET archive_mode = on", [])
        _administer(server.url, "ALTER SYSTEM SET archive_command = 'false'", [])
        server.stop()
        server.start()
        upgrade(server.url)
        _administer(server.url, "SELECT pg_switch_wal()", [])
        own, until = open_store(server.url), time.monotonic() + WAIT_SECONDS
        archive = None
        while (archive is None or archive.failed_at is None) and time.monotonic() < until:
            with own.read() as reader:
                archive = reader.wal_archive()
        own.dispose()
    assert archive is not None
    assert archive.archived_at is None
    assert archive.failed_at is not None


def _move(store: Store, topic: str, first: int, following: int) -> bool:
    with store.begin() as tx:
        return tx.move_position(topic, 0, first, following)


def _lock_impatiently(store: Store) -> None:
    with store.begin() as waiting:
        waiting._connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
        waiting.lock_cases([case_number(1)])


def _journal(store: Store) -> None:
    with store.begin() as tx:
        tx.journal([entry(1)])


def _end_backend(url: str, pid: object) -> None:
    _administer(url, "SELECT pg_terminate_backend(%s, 5000)", [pid])


def _end_listeners(url: str) -> None:
    _administer(
        url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE %s",
        ["LISTEN%"],
    )


def _administer(url: str, sql: str, values: list[object]) -> None:
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(sql.encode(), values)
