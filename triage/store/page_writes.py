"""Pages in one transaction: order, claim under a lease, settle."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Boolean, TextClause, and_, bindparam, case, null, or_, select, text, update

from triage.domain.backlog import Hold
from triage.domain.paging import Attempt, ClaimedPage, PageId, PageOrder
from triage.domain.tiers import Tier
from triage.store.bulk import bulk_insert
from triage.store.column_types import INSTANT
from triage.store.lanes import Lanes, Only
from triage.store.page_orders import order_json, read_order
from triage.store.prepared import Prepared
from triage.store.rows import Page, PageAttempt, table_of
from triage.store.session import Session, among, instant_parameter


def first_state(ordered: tuple[PageOrder, datetime]) -> tuple[Any, ...]:
    """The columns of a page that is ordered at an instant, but those that are the same for each.
    One without a deadline takes its turn by the instant at which it was owed: what we do not know
    waits for nothing."""
    order, now = ordered
    return (
        order.page,
        order.case,
        order.item,
        order.tier,
        order.route,
        order.route_kind,
        order_json(order),
        order.tier is Tier.EMERGENT,
        order.owed_at,
        now,
        now,
        order.due_at or order.owed_at,
    )


# A key that is there stays as it is, unless it was withdrawn and is owed again (cases parted after
# a join): what is owed must never stay silent because it once was not.
_REVIVED = (
    "ON CONFLICT (page) DO UPDATE SET withdrawn = NULL, settled_at = NULL, tier = excluded.tier,"
    " order_document = excluded.order_document, is_emergent = excluded.is_emergent,"
    " owed_at = excluded.owed_at, drain_by = excluded.drain_by,"
    " status = CASE WHEN page.status = 'sending' THEN 'sending' ELSE 'ordered' END,"
    " ready_at = CASE WHEN page.status = 'sending' THEN page.ready_at ELSE excluded.ready_at END"
    " WHERE page.withdrawn IS NOT NULL AND page.status <> 'accepted'"
)
first_written = partial(
    bulk_insert,
    Page,
    skip=("settled_at", "withdrawn"),
    always={"status": "'ordered'", "attempts": "0", "possibly_doubled": "false"},
    values_of=first_state,
)
PAGES = first_written(conflict=_REVIVED, returning="page")
ATTEMPTS = bulk_insert(PageAttempt, conflict="ON CONFLICT (page, attempt, route) DO NOTHING")

_PAGE = table_of(Page)
# By remaining time; the pages of one deadline in the order of their steps.
_TURN = "drain_by, owed_at"
_READY = Lanes(table="page", key="page", ready="ready_at", order=_TURN)
READY_SQLITE = _READY.sqlite()
READY_POSTGRES = _READY.postgres()
# While a backlog is read: fresh EMERGENT pages, then those of unreadable records (no tier).
_HELD = Only(emergent="owed_at >= :emergent_from", lesser="tier IS NULL AND :unread")
_HOLDS = (instant_parameter("emergent_from"), bindparam("unread", type_=Boolean()))
HELD_SQLITE = _READY.sqlite(only=_HELD).bindparams(*_HOLDS)
HELD_POSTGRES = _READY.postgres(only=_HELD).bindparams(*_HOLDS)


def _claim_postgres(ready: TextClause) -> TextClause:
    """One journey to the database for each claim: every page waits for it."""
    return text(
        f"WITH claim AS MATERIALIZED ({ready.text})"
        " UPDATE page SET possibly_doubled = possibly_doubled OR status = 'sending',"
        " status = 'sending', attempts = attempts + 1, ready_at = :until"
        " FROM claim WHERE page.page = claim.page"
        " RETURNING page.page, order_document, attempts, possibly_doubled, withdrawn, is_emergent,"
        " drain_by, owed_at"
    ).bindparams(instant_parameter("now"), instant_parameter("until"))


_CLAIM_POSTGRES = _claim_postgres(READY_POSTGRES)
_CLAIM_HELD_POSTGRES = _claim_postgres(HELD_POSTGRES).bindparams(*_HOLDS)
CLAIM_SQLITE, CLAIM_HELD_SQLITE = Prepared(READY_SQLITE), Prepared(HELD_SQLITE)
_LEASE_SQLITE = Prepared(
    update(_PAGE)
    .where(among("page", is_postgres=False))
    .values(
        possibly_doubled=or_(_PAGE.c.possibly_doubled, _PAGE.c.status == "sending"),
        status="sending",
        attempts=_PAGE.c.attempts + 1,
        ready_at=instant_parameter("until"),
    )
)
_CLAIMED_SQLITE = Prepared(
    select(
        _PAGE.c.page,
        _PAGE.c.order_document,
        _PAGE.c.attempts,
        _PAGE.c.possibly_doubled,
        _PAGE.c.withdrawn,
        _PAGE.c.is_emergent,
        _PAGE.c.drain_by,
        _PAGE.c.owed_at,
    ).where(among("page", is_postgres=False))
)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class PageWrites(Session):
    """The page part of one transaction."""

    def order_pages(self, orders: Sequence[PageOrder], now: datetime) -> list[PageId]:
        """Order the pages whose key is new, or was withdrawn and not accepted; returns those.

        Any other key that is there stays as it is.
        """
        distinct: dict[PageId, tuple[PageOrder, datetime]] = {}
        for order in orders:
            distinct.setdefault(order.page, (order, now))
        return [PageId(page) for page in self._write_new(PAGES, list(distinct.values()))]

    def settle_page(self, page: PageId, why: str) -> bool:
        """Nobody needs to answer the page any more, and if unsent it is not sent.

        False when that was so already. For pages without a case: those of a case follow its fold.
        """
        c = _PAGE.c
        change = update(_PAGE).where(c.page == page, c.case_id.is_(None), c.withdrawn.is_(None))
        return self._connection.execute(change.values(withdrawn=why)).rowcount == 1

    def claim_pages(
        self, now: datetime, limit: int, lease_seconds: float, hold: Hold | None = None
    ) -> list[ClaimedPage]:
        """Up to `limit` pages to send: EMERGENT first, then by remaining time; held for the lease.

        A page whose lease ended without a word is claimed again, as possibly doubled. `hold` leaves
        out what waits for a backlog.
        """
        until = now + timedelta(seconds=lease_seconds)
        at: dict[str, Any] = {"now": now, "limit": limit}
        if hold is not None:
            at["emergent_from"] = hold.emergent_from or _LONG_AGO
            at["unread"] = hold.emergent_from is None  # nothing lesser goes before an EMERGENT one
        if self.is_postgres:
            claim = _CLAIM_POSTGRES if hold is None else _CLAIM_HELD_POSTGRES
            rows = self._connection.execute(claim, {**at, "until": until}).all()
        else:
            rows = self._claim_in_turn(
                CLAIM_SQLITE if hold is None else CLAIM_HELD_SQLITE, at, until
            )
        return [_claimed_page(row) for row in sorted(rows, key=_turn)]

    def _claim_in_turn(self, ready: Prepared, at: dict[str, Any], until: datetime) -> Sequence[Any]:
        pages = self._rows(ready, at)
        if not pages:
            return []
        ids = self._list(row[0] for row in pages)
        self._change(_LEASE_SQLITE, {"ids": ids, "until": until})
        return self._rows(_CLAIMED_SQLITE, {"ids": ids})

    def finish_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Record what came of attempts, and settle their pages or set the next try.

        An acceptance always counts, also after the lease; another outcome only while its own
        attempt still holds the page. An attempt on another route than the page's is only recorded.
        A page that was suppressed while it came to be owed again is ready at once.
        """
        self._write(ATTEMPTS, attempts)
        self._change_each(_SETTLE, [_settlement(attempt) for attempt in attempts])


_OWED_AGAIN = and_(bindparam("p_suppressed"), _PAGE.c.withdrawn.is_(None))
_SETTLE = Prepared(
    update(_PAGE)
    .where(
        _PAGE.c.page == bindparam("p_page"),
        _PAGE.c.route == bindparam("p_route"),
        _PAGE.c.status != "accepted",
        or_(
            bindparam("p_accepted"),
            and_(_PAGE.c.status == "sending", _PAGE.c.attempts == bindparam("p_attempt")),
        ),
    )
    .values(
        status=case((_OWED_AGAIN, "ordered"), else_=bindparam("p_status")),
        ready_at=case(
            (_OWED_AGAIN, bindparam("p_at", type_=INSTANT)),
            else_=bindparam("p_ready_at", type_=INSTANT),
        ),
        possibly_doubled=or_(_PAGE.c.possibly_doubled, bindparam("p_in_doubt")),
        settled_at=case((_OWED_AGAIN, null()), else_=bindparam("p_settled_at", type_=INSTANT)),
    )
)


def _settlement(attempt: Attempt) -> dict[str, Any]:
    retries = attempt.outcome == "failed" and attempt.retry_at is not None
    return {
        "p_page": attempt.page,
        "p_route": attempt.route,
        "p_attempt": attempt.attempt,
        "p_at": attempt.at,
        "p_accepted": attempt.outcome == "accepted",
        "p_suppressed": attempt.outcome == "suppressed",
        "p_status": attempt.outcome,
        "p_in_doubt": attempt.in_doubt,
        "p_ready_at": attempt.retry_at if retries else None,
        "p_settled_at": None if retries else attempt.at,
    }


def _turn(row: Any) -> tuple[bool, datetime, datetime, str]:
    page, *_, is_emergent, drain_by, owed_at = row
    return (not is_emergent, drain_by, owed_at, page)


def _claimed_page(row: Any) -> ClaimedPage:
    _, document, attempts, possibly_doubled, withdrawn, *_ = row
    return ClaimedPage(
        order=read_order(document),
        attempt=attempts,
        possibly_doubled=possibly_doubled,
        suppress=withdrawn,
    )
