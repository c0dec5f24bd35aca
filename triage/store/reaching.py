"""What reaching people keeps: links that answer, PINs, push subscriptions; and what still rings."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, delete, literal, or_, select, update

from triage.domain.paging import PageOrder
from triage.store.bulk import bulk_insert, overwrite
from triage.store.column_types import INSTANT
from triage.store.page_orders import read_order
from triage.store.reach_rows import AnswerLink, PersonPin, PushSubscription
from triage.store.rows import Cases, Page, PageAttempt, table_of
from triage.store.session import Session

_PAGE, _ATTEMPT, _CASES = table_of(Page), table_of(PageAttempt), table_of(Cases)
_LINK, _PIN, _PUSH = table_of(AnswerLink), table_of(PersonPin), table_of(PushSubscription)


_KEPT = timedelta(days=7)  # an expired link still says that it has expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link by the hash of its token; good from `made_at` to before `expires_at`, once."""

    hash: str
    page: str
    person: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A person's PIN by its slow hash. `failures` in a row; until `locked_until` none is right."""

    person: str
    hash: str
    set_at: datetime
    failures: int = 0
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A browser that takes push messages; its keys are base64url as the browser gave them."""

    id: str
    person: str
    endpoint: str
    p256dh: str
    auth: str
    made_at: datetime
    gone_at: datetime | None = None


def link_hash(token: str) -> str:
    """What is kept and looked up instead of a link's token: SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


LINKS = bulk_insert(AnswerLink)
PINS = bulk_insert(PersonPin, conflict=overwrite(PersonPin))
SUBSCRIPTIONS = bulk_insert(PushSubscription, conflict=overwrite(PushSubscription))


class ReachReads(Session):
    """Links, PINs and subscriptions, read."""

    def link(self, digest: str) -> Link | None:
        """The link with this hash, also a used or expired one."""
        row = self._connection.execute(select(_LINK).where(_LINK.c.hash == digest)).one_or_none()
        return Link(**row._mapping) if row else None

    def pin(self, person: str) -> Pin | None:
        """The person's PIN, None where none was ever set."""
        row = self._connection.execute(select(_PIN).where(_PIN.c.person == person)).one_or_none()
        return Pin(**row._mapping) if row else None

    def subscriptions(self, person: str) -> list[Subscription]:
        """The browsers that take push messages for a person, oldest first, those gone left out."""
        c = _PUSH.c
        chosen = select(_PUSH).where(c.person == person, c.gone_at.is_(None))
        found = self._connection.execute(chosen.order_by(c.made_at, c.id))
        return [Subscription(**row._mapping) for row in found]

    def answered_elsewhere(
        self, kinds: Sequence[str], since: datetime
    ) -> list[tuple[PageOrder, str]]:
        """Accepted pages by these route kinds that nobody needs to answer any more.

        Each with the provider's word for it; settled since an instant (inclusive).
        """
        p, a, k = _PAGE.c, _ATTEMPT.c, _CASES.c
        own = and_(a.page == p.page, a.route == p.route, a.outcome == "accepted")
        is_owned = and_(k.owner.is_not(None), k.unacknowledged_since.is_(None))
        chosen = (
            select(p.order_document, a.provider_word)
            .select_from(_PAGE.join(_ATTEMPT, own).join(_CASES, k.case_id == p.case_id))
            .where(
                p.status == "accepted",
                p.route_kind.in_(kinds),
                p.settled_at >= since,
                or_(is_owned, k.state == "closed"),
            )
        )
        found = [(read_order(row[0]), row[1] or "") for row in self._connection.execute(chosen)]
        return [(order, word) for order, word in found if order.asked == "acknowledge"]


class ReachWrites(ReachReads):
    """Links, PINs and subscriptions, written."""

    def add_links(self, links: Sequence[Link]) -> None:
        """Keep new links; their hashes must be new (IntegrityError). Expired ones are forgotten."""
        if links:
            made_at = max(link.made_at for link in links)
            self._connection.execute(delete(_LINK).where(_LINK.c.expires_at < made_at - _KEPT))
        self._write(LINKS, links)

    def use_link(self, digest: str, at: datetime) -> bool:
        """Use a link up; False when it was used already, or there is none. First come, served."""
        c = _LINK.c
        change = update(_LINK).where(c.hash == digest, c.used_at.is_(None)).values(used_at=at)
        return self._connection.execute(change).rowcount == 1

    def keep_pin(self, pin: Pin) -> None:
        """Set a person's PIN."""
        self._write(PINS, [pin])

    def count_pin_guess(
        self, person: str, now: datetime, *, most: int, locked_until: datetime
    ) -> tuple[str, int] | None:
        """Count a guess before it is looked at; None while locked.

        Else the hash to compare with, and how many guesses there were in a row with this one.

        The guess that reaches `most` in a row locks; `forgive_pin` ends that where it was right.
        """
        c, until = _PIN.c, literal(locked_until, INSTANT)
        change = (
            update(_PIN)
            .where(c.person == person, or_(c.locked_until.is_(None), c.locked_until <= now))
            .values(
                failures=c.failures + 1,
                locked_until=case((c.failures + 1 >= most, until), else_=c.locked_until),
            )
            .returning(c.hash, c.failures)
        )
        row = self._connection.execute(change).one_or_none()
        return (row.hash, row.failures) if row else None

    def forgive_pin(self, person: str) -> None:
        """The PIN was right: its misses count no more."""
        c = _PIN.c
        change = update(_PIN).where(c.person == person).values(failures=0, locked_until=None)
        self._connection.execute(change)

    def keep_subscription(self, subscription: Subscription) -> None:
        """Keep a browser's subscription; the same browser again replaces it."""
        self._write(SUBSCRIPTIONS, [subscription])

    def end_subscription(self, subscription: str, at: datetime) -> None:
        """Its push service says that it is gone, or its person does not want it any more."""
        c = _PUSH.c
        change = update(_PUSH).where(c.id == subscription, c.gone_at.is_(None))
        self._connection.execute(change.values(gone_at=at))
