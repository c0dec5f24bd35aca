"""Policy book and roster: sound, signed, staffed, and with routes that can be reached."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from triage.books import load_books
from triage.doctor.finding import Check, ok, warning, wrong
from triage.domain.errors import StoreUnavailable, TriageError
from triage.domain.roster.check import check_roster
from triage.domain.roster.roster import Roster
from triage.notify.secrets import Missing, resolve_reference
from triage.policies.book import PolicyBook
from triage.policies.roles import paged_roles
from triage.policies.verify import check
from triage.rosters.sources import Kept, feed_states, load_roster, put_together, read_kept
from triage.rosters.testing import unanswered
from triage.settings import Settings
from triage.store.store import Store


def load_policy(folder: Path | None) -> tuple[PolicyBook | None, list[Check]]:
    """The book in force, and what is to be said of it."""
    try:
        book = load_books(folder).current
    except TriageError as error:
        return None, [wrong("policy", error.what, error.hint or "triage policy check")]
    return book, []


def policy_checks(book: PolicyBook, now: datetime) -> Iterator[Check]:
    """Whether the book is sound, signed and in date."""
    report = check(book, today=now.date())
    for problem in report.problems:
        yield wrong("policy", problem, "triage policy check")
    for told in report.warnings:
        yield warning("policy", told, "triage policy check")
    if book.is_draft:
        yield warning("policy", f"{book.version} is an unsigned draft", "not for patients")
    elif not report.problems:
        yield ok("policy", f"{book.version} is sound and signed")


def roster_in_force(
    settings: Settings, store: Store | None, now: datetime
) -> tuple[Roster | None, Kept, list[Check]]:
    """The roster of this moment, with what the database adds to the file."""
    if settings.roster_file is None:
        hint = "set TRIAGE_ROSTER_FILE"
        what = "nobody is on call: every page goes to the desk's inbox and nowhere else"
        return None, Kept(), [wrong("roster", what, hint)]
    try:
        file = load_roster(settings.roster_file)
        if store is None:
            return file, Kept(), []
        with store.read() as reader:
            kept = read_kept(reader, now)
        return put_together(file, kept, now), kept, []
    except StoreUnavailable as error:
        return None, Kept(), [wrong("roster", error.what, "the database went away")]
    except TriageError as error:
        return None, Kept(), [wrong("roster", error.what, error.hint or "triage roster check")]


def roster_checks(
    roster: Roster,
    kept: Kept,
    book: PolicyBook,
    now: datetime,
    environment: Mapping[str, str],
) -> Iterator[Check]:
    """What `triage roster check` finds; and references that lead nowhere."""
    may_stop = book.authority.may.stop_emergent_ladder
    feeds = feed_states(roster, kept, now)
    found = (
        *unanswered(roster, kept.tests, now),
        *check_roster(roster, now=now, roles=paged_roles(book), may_stop=may_stop, feeds=feeds),
    )
    for each in found:
        say = wrong if each.level == "error" else warning
        yield say("roster", f"{each.place}: {each.what}", each.hint)
    if not found:
        yield ok("roster", "no gap and no weak point in the next 14 days")
    yield from references(roster, environment)


def references(roster: Roster, environment: Mapping[str, str]) -> Iterator[Check]:
    """Each `env:` and `file:` of the routes, resolved as the relay will. No value is shown."""
    for person in roster.people.values():
        for route in person.routes:
            for name, value in (("url", route.url), ("secret", route.secret)):
                answer = resolve_reference(value, environment) if value else ""
                if isinstance(answer, Missing):
                    yield wrong(
                        f"route {person.id}/{route.name}",
                        f"{name}: {answer.reason}",
                        "the role notify needs it in its own environment",
                    )
