"""Rows in SQLite or PostgreSQL: one transaction object that `handle` writes with, and reads."""

from triage.store.failures import StoreBusy
from triage.store.listening import listen
from triage.store.reader import Reader
from triage.store.schema import expected_schema_version, schema_version, upgrade
from triage.store.store import Store, open_store
from triage.store.transaction import Transaction

__all__ = [
    "Reader",
    "Store",
    "StoreBusy",
    "Transaction",
    "expected_schema_version",
    "listen",
    "open_store",
    "schema_version",
    "upgrade",
]
