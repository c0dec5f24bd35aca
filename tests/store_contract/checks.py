"""How a check joins the contract."""

from collections.abc import Callable

from triage.store import Store

Check = Callable[[Store], None]
CONTRACT: list[Check] = []


def check(function: Check) -> Check:
    """A part of the contract: run against every database."""
    CONTRACT.append(function)
    return function
