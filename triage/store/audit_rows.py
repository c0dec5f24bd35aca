"""The tables of the auditor: what it found, and what folds it may compare."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from triage.store.column_types import INSTANT, TEXT
from triage.store.columns import column


class AuditFinding(SQLModel, table=True):
    """What the auditor has found; open while `gone_at` is null."""

    __tablename__: ClassVar[Any] = "audit_finding"
    __table_args__ = (
        Index(
            "audit_finding_open",
            "key",
            unique=True,
            postgresql_where=text("gone_at IS NULL"),
            sqlite_where=text("gone_at IS NULL"),
        ),
    )

    id: str = column(TEXT, key=True)
    key: str = column(TEXT)
    kind: str = column(TEXT)
    case_id: str | None = column(TEXT, null=True)
    subject: str = column(TEXT)
    detail: str = column(TEXT)
    found_at: datetime = column(INSTANT)
    repair: str | None = column(TEXT, null=True)
    repaired_at: datetime | None = column(INSTANT, null=True)
    gone_at: datetime | None = column(INSTANT, null=True)


class AuditBasis(SQLModel, table=True):
    """Since when folds stand on a program and a roster."""

    __tablename__: ClassVar[Any] = "audit_basis"

    basis: str = column(TEXT, key=True)
    since: datetime = column(INSTANT)
