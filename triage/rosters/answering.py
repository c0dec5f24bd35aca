"""Answers to pages about the roster itself: they have no case, so nothing is folded for them."""

from triage.domain.events import Actor
from triage.domain.paging import PageId
from triage.store.transaction import Transaction
from triage.workflow.roster_notice import is_roster_page


def answer_roster_page(tx: Transaction, page: str, by: Actor) -> bool | None:
    """A named person has seen it; False when somebody had before, None when there is none such.

    Raises ValueError when nobody is named.
    """
    if not is_roster_page(page) or tx.reads.page(PageId(page)) is None:
        return None
    if not by.is_named:
        raise ValueError("by names no person with a role")
    return tx.settle_page(PageId(page), f"seen by a {by.role}")
