"""The database: reached, of our schema, writable, durable, in time; and the loops' stamps in it."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url

from triage.doctor.finding import Check, ok, warning, wrong
from triage.domain.errors import StoreUnavailable, TriageError
from triage.domain.instants import Clock
from triage.settings import Settings
from triage.store.records import WalArchive
from triage.store.schema import expected_schema_version, schema_version
from triage.store.store import Store, open_store

FRESH = timedelta(seconds=60)
SKEW = timedelta(seconds=2)
ARCHIVED_WITHIN = timedelta(hours=1)
_ROLE_OF = {
    "sweep": ("escalate", "no deadline is looked at"),
    "relay": ("notify", "no page goes out"),
    "consume": ("consume", "referrals on Kafka are not read"),
    "publish": ("consume", "nothing is published on Kafka"),
    "audit": ("audit", "a lost page would not be found"),
    "watch": ("watch", "nobody alarms when the rest stands still"),
}
_VITAL = ("sweep", "relay", "consume")
_DURABLE = {"fsync": "on", "full_page_writes": "on"}


class _UndoError(Exception):
    """Ends the write test: what it wrote is rolled back."""


def open_database(settings: Settings) -> tuple[Store | None, list[Check]]:
    """The store where it can be used, and what is to be said of it."""
    url = settings.database_url
    try:
        if (file := _sqlite_file(url)) is not None and not file.is_file():
            hint = "the first `triage run` makes it; is TRIAGE_HOME the folder you mean?"
            return None, [wrong("database", f"{file}: not there", hint)]
        found, expected = schema_version(url), expected_schema_version()
    except StoreUnavailable as error:
        hint = "is it started, and TRIAGE_DATABASE_URL right?"
        return None, [wrong("database", error.what, hint)]
    except (TriageError, ValueError) as error:
        return None, [wrong("database", str(error), "see TRIAGE_DATABASE_URL")]
    if found != expected:
        hint = "run `triage migrate`, or the version of the program that belongs to it"
        return None, [wrong("database schema", f"{found}, expected {expected}", hint)]
    return open_store(url), [ok("database", f"reached, schema {found}")]


def _sqlite_file(url: str) -> Path | None:
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def store_checks(store: Store, settings: Settings, clock: Clock) -> Iterator[Check]:
    """Everything that is asked of an open store. Raises nothing of the database's."""
    try:
        yield _write_test(store, clock.now())
        with store.read() as reader:
            progress, server = reader.progress(), reader.server_settings()
            there, here = reader.server_clock(), clock.now()
            archive = reader.wal_archive()
    except StoreUnavailable as error:
        yield wrong("database", error.what, "it went away while it was looked at")
        return
    if there is not None:
        yield clock_check(there, here)
    yield from durability(server)
    if archive is not None:
        yield archive_check(archive, here)
    yield from loop_checks(progress, here, with_kafka=bool(settings.kafka_bootstrap))


def _write_test(store: Store, now: datetime) -> Check:
    try:
        with store.begin() as tx:
            tx.stamp("doctor", now)
            raise _UndoError
    except _UndoError:
        return ok("database write", "can be written (tried, and rolled back)")
    except StoreUnavailable as error:
        hint = "free space, permissions of the login, a server that is read-only?"
        return wrong("database write", error.what, hint)


def clock_check(there: datetime, here: datetime) -> Check:
    """This machine's clock against the database's."""
    seconds = abs((there - here).total_seconds())
    if seconds > SKEW.total_seconds():
        what = f"this machine and the database differ by {seconds:.0f} s"
        return wrong("clock", what, "deadlines are instants: start NTP on both")
    return ok("clock", f"agrees with the database's to {SKEW.total_seconds():g} s")


def durability(server: Mapping[str, str]) -> Iterator[Check]:
    """What a PostgreSQL promises about a commit; nothing to say of SQLite."""
    for name, wanted in _DURABLE.items():
        if server.get(name, wanted) != wanted:
            what = f"{name} is {server[name]}: an accepted referral may be lost with the power"
            yield wrong("database", what, f"set {name} = {wanted}")
    if server.get("synchronous_commit", "on") == "off":
        what = "synchronous_commit is off: an accepted referral may be lost with the power"
        yield wrong("database", what, "set synchronous_commit = on")


def archive_check(archive: WalArchive, now: datetime) -> Check:
    """How far a restore would come. Our loops write all the time: there is always something new."""
    name, at, failed = "backup", archive.archived_at, archive.failed_at
    until = f"{at:%Y-%m-%d %H:%M} UTC" if at else "the last full backup"
    if failed is not None and (at is None or failed > at):
        what = f"the WAL is not archived any more: a restore ends at {until}"
        return wrong(name, what, "the server's log says what archive_command answers")
    if at is None or now - at > ARCHIVED_WITHIN:
        what = f"no WAL was archived in the last hour: a restore ends at {until}"
        return warning(name, what, "set archive_timeout, e.g. 5min")
    return ok(name, f"the WAL is archived up to {until}")


def loop_checks(
    progress: Mapping[str, datetime], now: datetime, *, with_kafka: bool
) -> Iterator[Check]:
    """Whether each loop has turned within the last minute, wherever it runs."""
    for loop, (role, meaning) in _ROLE_OF.items():
        at = progress.get(loop)
        if loop in ("consume", "publish") and not with_kafka:
            continue
        if at is not None and now - at <= FRESH:
            yield ok(f"loop {loop}", "turns")
            continue
        age = f"last turn {int((now - at).total_seconds())} s ago" if at else "not running"
        say = wrong if loop in _VITAL else warning
        yield say(f"loop {loop}", f"{age}: {meaning}", f"start `triage run --role {role}`")
