"""Comparing values of one field by the book's orders: which of two is worse."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from triage.policies.book import PolicyBook

_NUMBERS = ("pvr_ml", "sins")
_ITEM = "sins_items."


def rank(book: PolicyBook, field: str, value: Any) -> float | None:
    """How bad a value is, from 0 (most benign) up; None for a value outside the field's order."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.timestamp() if field.endswith("onset_at") else None
    if field in _NUMBERS or field.startswith(_ITEM):
        return float(value)
    places = _places(book).get(field)
    return places.get(value) if places and isinstance(value, str) else None


@lru_cache(maxsize=64)
def _places(book: PolicyBook) -> Mapping[str, Mapping[str, float]]:
    """Every field's order by value, made from the book once."""
    return {
        field: {
            value: float(place)
            for place, step in reversed(list(enumerate(row.steps)))
            for value in step
        }
        for field, row in book.findings.items()
    }


def is_worse(book: PolicyBook, field: str, old: Any, new: Any) -> bool:
    """Both stand in the field's order and `new` is further from benign than `old`."""
    before, after = rank(book, field, old), rank(book, field, new)
    return before is not None and after is not None and after > before


def counts_as_worse(book: PolicyBook, field: str, best: Any, new: Any) -> bool:
    """Whether a value counts again after a lowering or a closing (clinical-policy.md 3).

    Worse in the order; from not assessed to anything that is not the most benign; any change to or
    from a value outside the orders, or of the level. Fields that no rule reads never count.
    """
    if not _is_read(book, field) or new == best:
        return False
    before, after = rank(book, field, best), rank(book, field, new)
    if best is None:
        return after is None or after > 0
    if before is None or after is None:
        return True
    return after > before


def best_of(book: PolicyBook, field: str, best: Any, new: Any) -> Any:
    """The more benign of two; the newer one where they cannot be compared."""
    return best if is_worse(book, field, best, new) else new


def _is_read(book: PolicyBook, field: str) -> bool:
    if field.startswith(_ITEM):
        return True
    row = book.findings.get(field)
    return row is not None and row.rules
