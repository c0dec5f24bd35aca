"""Answers to pages without a case about the roster or the service: gaps, tests, notices."""

from dataclasses import dataclass
from datetime import datetime

from triage.domain.events import Actor
from triage.domain.paging import PageId
from triage.store.transaction import Transaction
from triage.workflow.house_notice import is_house_page
from triage.workflow.roster_notice import is_roster_page
from triage.workflow.route_tests import is_test_page


@dataclass(frozen=True, slots=True)
class Answered:
    """Whether the answer did anything, and why not."""

    effect: bool
    reason: str | None = None


def has_no_case(page: str) -> bool:
    """A page that is answered here."""
    return is_roster_page(page) or is_test_page(page) or is_house_page(page)


def answer_roster_page(tx: Transaction, page: str, by: Actor, *, now: datetime) -> Answered | None:
    """A named person has seen it; None when there is no such page.

    A test page is confirmed by its own person only, once a provider has taken it: then it proves
    that the route reaches them.
    Raises ValueError when nobody is named.
    """
    row = tx.reads.page(PageId(page)) if has_no_case(page) else None
    if row is None:
        return None
    if not by.is_named:
        raise ValueError("by names no person with a role")
    if is_test_page(page) and row.status != "accepted":
        return Answered(False, "its route has not taken it: that proves nothing")
    if is_test_page(page):
        return _confirm(tx, page, by, now)
    is_first = tx.settle_page(PageId(page), f"seen by a {by.role}")
    return Answered(is_first, None if is_first else "seen before")


def _confirm(tx: Transaction, page: str, by: Actor, now: datetime) -> Answered:
    test = tx.route_test(page)
    if test is None or by.person != test.person:
        return Answered(False, "only the person whom it was sent to can confirm a test page")
    is_first = tx.confirm_route(page, test.person, now)
    tx.settle_page(PageId(page), "confirmed")
    return Answered(is_first, None if is_first else "confirmed before")
