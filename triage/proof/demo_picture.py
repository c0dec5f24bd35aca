"""What the live summary of a demonstration shows, read from the store in one go."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.domain.tiers import Tier
from triage.store.reader import Reader
from triage.store.records import CaseRow, PageRow

_LINES = 6


@dataclass(frozen=True, slots=True)
class TierLine:
    """Open cases of one tier: all, those without an owner, and how long the oldest has waited."""

    tier: str
    open: int
    unowned: int
    oldest_wait: timedelta | None


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One open case, most urgent first; `reason` is the policy's first sentence about it."""

    case: str
    tier: str
    owner: str
    next_due_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class PageLine:
    """One page, newest first."""

    at: datetime
    tier: str
    case: str
    role: str
    asked: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One instant of the demonstration. `policy` is the book's version."""

    now: datetime
    tiers: tuple[TierLine, ...]
    cases: tuple[CaseLine, ...]
    pages: tuple[PageLine, ...]
    events: int
    closed: int
    pages_sent: int
    pages_waiting: int
    unread: int
    policy: str


def take_picture(reader: Reader, now: datetime) -> Picture:
    """Reads whole tables: for a demonstration's size only."""
    counts, cases = reader.counts(), reader.cases(state="open")
    return Picture(
        now=now,
        tiers=tuple(_tier_line(tier, cases, now) for tier in Tier),
        cases=tuple(_case_line(case) for case in cases[:_LINES]),
        pages=tuple(_page_line(page) for page in reader.pages(limit=_LINES)),
        events=counts.journal,
        closed=counts.cases.get("closed", 0),
        pages_sent=counts.pages.get("accepted", 0),
        pages_waiting=counts.pages.get("ordered", 0) + counts.pages.get("sending", 0),
        unread=counts.quarantine_unread,
        policy=next((case.policy for case in cases), ""),
    )


def as_line(picture: Picture) -> str:
    """The picture in one plain line, for output that is no terminal."""
    open_by_tier = Counter({line.tier: line.open for line in picture.tiers})
    unowned = sum(line.unowned for line in picture.tiers)
    tiers = ", ".join(f"{name} {count}" for name, count in open_by_tier.items() if count)
    return (
        f"{picture.now:%Y-%m-%d %H:%M:%S}  events {picture.events}  open {tiers or 'none'}"
        f"  unowned {unowned}  closed {picture.closed}  pages {picture.pages_sent}"
        f"  unread {picture.unread}"
    )


def _tier_line(tier: Tier, cases: list[CaseRow], now: datetime) -> TierLine:
    mine = [case for case in cases if case.tier == tier]
    waits = [now - case.unacknowledged_since for case in mine if case.unacknowledged_since]
    return TierLine(
        tier=tier.value,
        open=len(mine),
        unowned=sum(case.owner is None for case in mine),
        oldest_wait=max(waits, default=None),
    )


def _case_line(case: CaseRow) -> CaseLine:
    reasons = json.loads(case.document).get("reasons") or [""]
    return CaseLine(
        case=case.case_id,
        tier=case.tier or "",
        owner=case.owner or "nobody yet",
        next_due_at=case.next_due_at,
        reason=reasons[0],
    )


def _page_line(page: PageRow) -> PageLine:
    order = page.order
    return PageLine(
        at=page.ordered_at,
        tier=order.tier.value if order.tier else "unread",
        case=order.case or order.item or "",
        role=order.role,
        asked=order.asked,
        status=page.status,
    )
