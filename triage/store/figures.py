"""Counts and ages for metrics and health, by SQL over the tables. Nothing here names a patient.

Open means: followed by people. Cases that are closed, and what arrived before anything that opens
a case, are not counted.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, text

from triage.domain.instants import format_instant, parse_instant
from triage.store.rows import Cases, Journal, Leg, Outbox, Page, Quarantine, table_of
from triage.store.session import Session

NOT_OPEN = ("unopened", "closed")

_CASES = table_of(Cases)
_LEG = table_of(Leg)

# `deadlines` holds RFC 3339 text in UTC. As text it sorts as the instants do ("+" < "."), so no
# database has to parse it, and exactly at the deadline is not yet past.
_DEADLINES = (
    "SELECT c.tier, {step} AS step, c.hospital, count(*),"
    " sum(CASE WHEN {due_at} < :now THEN 1 ELSE 0 END), min({due_at})"
    " FROM cases c, {elements}"
    " WHERE c.state NOT IN ('unopened', 'closed')"
    " AND (c.lead_case_id IS NULL OR c.lead_case_id = c.case_id)"
    " GROUP BY c.tier, {step}, c.hospital"
)
_DEADLINES_POSTGRES = text(
    _DEADLINES.format(
        elements="json_array_elements(CAST(c.deadlines AS json)) AS d",
        step="(d ->> 'step')",
        due_at="(d ->> 'due_at') COLLATE \"C\"",
    )
)
_DEADLINES_SQLITE = text(
    _DEADLINES.format(
        elements="json_each(c.deadlines) AS d",
        step="json_extract(d.value, '$.step')",
        due_at="json_extract(d.value, '$.due_at')",
    )
)


@dataclass(frozen=True, slots=True)
class OpenCount:
    """Open cases of one tier in one leg; `oldest_at` = the earliest receipt of their referrals."""

    tier: str | None
    leg: str | None
    count: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeadlineCount:
    """Open obligations of one step: how many, how many are past, and the earliest due instant."""

    tier: str | None
    step: str
    hospital: str
    open: int
    past: int
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """The longest that a case of this tier and hospital has been waiting for a named person."""

    tier: str | None
    hospital: str
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class LegDuration:
    """One first completion of a leg."""

    leg: str
    tier: str
    hospital: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Sizes and oldest instants of what waits. `pages` by status, `cases` by state."""

    journal: int
    cases: dict[str, int]
    pages: dict[str, int]
    quarantine_unread: int
    quarantine_oldest_at: datetime | None
    outbox_pending: int
    outbox_oldest_at: datetime | None
    page_owed_oldest_at: datetime | None


class Figures(Session):
    """Figures of one read transaction: all from the same instant of the database."""

    def open_by_tier_leg(self) -> list[OpenCount]:
        """Open cases by tier and current leg."""
        c = _CASES.c
        counted = (
            select(c.tier, c.leg, func.count(), func.min(c.referral_received_at))
            .where(
                c.state.not_in(NOT_OPEN),
                or_(c.lead_case_id.is_(None), c.lead_case_id == c.case_id),
            )
            .group_by(c.tier, c.leg)
        )
        return [OpenCount(*row) for row in self._connection.execute(counted)]

    def past_deadline(self, now: datetime) -> list[DeadlineCount]:
        """Open obligations by tier, step and hospital; past = strictly before `now`."""
        sql = _DEADLINES_POSTGRES if self.is_postgres else _DEADLINES_SQLITE
        found = self._connection.execute(sql, {"now": format_instant(now)})
        return [
            DeadlineCount(tier, step, hospital, count, past, parse_instant(next_due_at))
            for tier, step, hospital, count, past, next_due_at in found
        ]

    def unacknowledged_oldest(self) -> list[Unacknowledged]:
        """The earliest `unacknowledged_since` of open cases, by tier and hospital."""
        c = _CASES.c
        counted = (
            select(c.tier, c.hospital, func.min(c.unacknowledged_since))
            .where(c.state.not_in(NOT_OPEN), c.unacknowledged_since.is_not(None))
            .group_by(c.tier, c.hospital)
        )
        return [Unacknowledged(*row) for row in self._connection.execute(counted)]

    def durations(self) -> list[LegDuration]:
        """Every first completion of a leg, from the ledger that only grows."""
        c = _LEG.c
        chosen = select(c.leg, c.tier, c.hospital, c.seconds)
        return [LegDuration(*row) for row in self._connection.execute(chosen)]

    def counts(self) -> Counts:
        """How much there is, and what has waited longest. Reads whole tables: not per request."""
        quarantine, outbox, page = table_of(Quarantine), table_of(Outbox), table_of(Page)
        unread = self._one(
            select(func.count(), func.min(quarantine.c.received_at)).where(
                quarantine.c.status == "unread"
            )
        )
        owed = self._one(
            select(func.count(), func.min(outbox.c.written_at)).where(
                outbox.c.published_at.is_(None)
            )
        )
        waiting = select(func.min(page.c.owed_at)).where(page.c.ready_at.is_not(None))
        return Counts(
            journal=self._one(select(func.count()).select_from(table_of(Journal)))[0],
            cases=self._by(_CASES.c.state),
            pages=self._by(page.c.status),
            quarantine_unread=unread[0],
            quarantine_oldest_at=unread[1],
            outbox_pending=owed[0],
            outbox_oldest_at=owed[1],
            page_owed_oldest_at=self._one(waiting)[0],
        )

    def _one(self, chosen: Any) -> Any:
        return self._connection.execute(chosen).one()

    def _by(self, column: Any) -> dict[str, int]:
        counted = select(column, func.count()).group_by(column)
        return {row[0]: row[1] for row in self._connection.execute(counted)}
