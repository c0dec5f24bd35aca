"""Whether a loss would be seen: open findings, the auditor's own login, the published heads."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from triage.doctor.finding import Check, ok, warning, wrong
from triage.domain.errors import StoreUnavailable, TriageError
from triage.domain.instants import parse_instant
from triage.escalation.audit_heads import HEADS_FILE, TOPIC, Published, read_heads
from triage.escalation.audit_reading import AuditView
from triage.settings import Settings
from triage.store.store import Store

# The auditor publishes once a minute what is new.
PUBLISHED_WITHIN = timedelta(minutes=5)
_READS = ("cases", "case_log", "page", "journal", "outbox", "kafka_position", "quarantine")


def audit_checks(store: Store, settings: Settings, now: datetime) -> Iterator[Check]:
    """Reads only. Raises nothing of the database's."""
    try:
        with store.read() as reader:
            open_findings = sum(reader.open_findings().values())
            newest = reader.newest_accepted(before=now - PUBLISHED_WITHIN)
            waiting = reader.oldest_unpublished(TOPIC)
    except StoreUnavailable as error:
        yield wrong("database", error.what, "it went away while it was looked at")
        return
    if open_findings:
        what = f"{open_findings} losses or changes are not right again"
        yield wrong(
            "audit", what, "`triage audit --findings`, then docs/operations.md, the auditor"
        )
    yield from _own_login(settings, is_postgres=store.is_postgres)
    yield heads_check(settings.heads_file or settings.home / HEADS_FILE, newest)
    if settings.kafka_bootstrap and waiting is not None and now - waiting > PUBLISHED_WITHIN:
        what = f"heads wait since {waiting:%Y-%m-%d %H:%M} UTC to be published on {TOPIC}"
        yield warning("audit heads", what, "is the role consume running, and Kafka reached?")


def _own_login(settings: Settings, *, is_postgres: bool) -> Iterator[Check]:
    url = settings.audit_database_url
    if url is None:
        if is_postgres:
            what = (
                "TRIAGE_AUDIT_DATABASE_URL is not set: the auditor reads by the login that writes"
            )
            yield warning("audit login", what, "give it a user who can only read: operations.md")
        return
    view = AuditView(url)
    try:
        with view.read() as reading:
            for table in _READS:
                reading.ask(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - own names
    except TriageError as error:
        yield wrong("audit login", error.what, "a lost page would not be found: operations.md")
    except Exception as error:  # what a driver says of a login or a missing grant
        what = f"cannot read what it judges: {type(error.__cause__ or error).__name__}"
        yield wrong("audit login", what, "GRANT SELECT ON ALL TABLES: operations.md, the auditor")
    else:
        yield ok("audit login", "can read what it judges")
    finally:
        view.dispose()


def heads_check(file: Path, newest: datetime | None) -> Check:
    """The file of published heads against `newest`, an event that it should long have."""
    name = "audit heads"
    try:
        lines = list(read_heads(file, Published())) if file.exists() else []
    except TriageError as error:
        return wrong(name, error.what, error.hint or "compare it with a copy")
    at = parse_instant(lines[-1][0]) if lines else None
    if newest is not None and (at is None or at < newest):
        since = f"since {at:%Y-%m-%d %H:%M} UTC" if at else "at all"
        what = f"{file}: nothing published {since}, and events came after it"
        hint = "start `triage run --role audit`; where it runs elsewhere, ask there"
        return warning(name, f"{what}: a log rewritten since is not found", hint)
    return ok(name, f"{file}: published up to the newest events")
