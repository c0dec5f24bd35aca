"""Page orders as stored JSON, and back unchanged."""

from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson

from triage.domain.instants import format_instant, parse_instant
from triage.domain.paging import PageOrder
from triage.domain.tiers import Tier

_FIELDS = tuple(field.name for field in fields(PageOrder))
_values = attrgetter(*_FIELDS)
_INSTANTS = ("due_at", "owed_at")


def order_json(order: PageOrder) -> str:
    """The order as JSON text; refuses naive instants (ValueError)."""
    return orjson.dumps(order_fields(order)).decode()


def order_fields(order: PageOrder) -> dict[str, Any]:
    """The order as JSON-ready data."""
    found = dict(zip(_FIELDS, _values(order), strict=True))
    return found | {name: _text(found[name]) for name in _INSTANTS}


def read_order(document: str) -> PageOrder:
    """The order of `order_json`; ValueError, KeyError or TypeError when the text was edited."""
    values: dict[str, Any] = orjson.loads(document)
    for name in _INSTANTS:
        values[name] = parse_instant(values[name])
    values["tier"] = Tier(values["tier"]) if values["tier"] else None
    return PageOrder(**values)


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)
