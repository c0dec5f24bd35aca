"""Page orders as stored JSON, and back unchanged."""

from dataclasses import fields
from datetime import datetime
from typing import Any

import orjson

from triage.domain.instants import format_instant, parse_instant
from triage.domain.paging import PageOrder
from triage.domain.tiers import Tier

_FIELDS = tuple(field.name for field in fields(PageOrder))
_INSTANTS = ("due_at", "owed_at")


def order_json(order: PageOrder) -> str:
    """The order as JSON text; refuses naive instants (ValueError)."""
    return orjson.dumps(order_fields(order)).decode()


def order_fields(order: PageOrder) -> dict[str, Any]:
    """The order as JSON-ready data."""
    return {name: _plain(getattr(order, name)) for name in _FIELDS}


def read_order(document: str) -> PageOrder:
    """The order of `order_json`; ValueError, KeyError or TypeError when the text was edited."""
    values: dict[str, Any] = orjson.loads(document)
    for name in _INSTANTS:
        values[name] = parse_instant(values[name])
    values["tier"] = Tier(values["tier"]) if values["tier"] else None
    return PageOrder(**values)


def _plain(value: Any) -> Any:
    return format_instant(value) if isinstance(value, datetime) else value
