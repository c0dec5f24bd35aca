"""All checks, in the order in which one would mend them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from triage.doctor.finding import Check
from triage.doctor.own_audit import audit_checks
from triage.doctor.own_database import open_database, store_checks
from triage.doctor.own_kafka import kafka_checks
from triage.doctor.own_roster import load_policy, policy_checks, roster_checks, roster_in_force
from triage.doctor.own_settings import bad_settings, disk_checks, settings_checks
from triage.doctor.reach import reach_checks
from triage.domain.instants import Clock
from triage.settings import BadSettings, read_settings


def examine(
    environment: Mapping[str, str], clock: Clock, *, dotenv: Path | None = None
) -> Iterator[Check]:
    """Everything that would keep a page from arriving. With wrong settings only these are told,
    since nothing else can be looked at under them."""
    try:
        settings = read_settings(environment, dotenv=dotenv)
    except BadSettings as error:
        yield from bad_settings(error)
        return
    yield from settings_checks(settings)
    yield from disk_checks(settings.home)
    store, told = open_database(settings)
    yield from told
    if store is not None:
        yield from store_checks(store, settings, clock)
        yield from audit_checks(store, settings, clock.now())
    yield from kafka_checks(settings)
    book, told = load_policy(settings.policy_dir)
    yield from told
    roster, kept, more = roster_in_force(settings, store, clock.now())
    if book is not None:
        yield from policy_checks(book, clock.now())
    yield from more
    if book is not None and roster is not None:
        yield from roster_checks(roster, kept, book, clock.now(), environment)
    yield from reach_checks(roster, settings, environment)
    if store is not None:
        store.dispose()
