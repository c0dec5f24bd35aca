"""Pages: one call to one role for one step, under a key that derives from what it is for."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NewType

from triage.domain.events import CaseId
from triage.domain.instants import format_instant
from triage.domain.tiers import Tier

PageId = NewType("PageId", str)

ACKNOWLEDGEMENT = "acknowledgement"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageKey:
    """What a page id can tell by itself: which obligation, run, rung and round it answers to."""

    case: str
    obligation: str
    run_tag: str
    rung: int
    round: int


def short_tag(*parts: str) -> str:
    """Eight hex digits that stand for the parts: ids may hold anything, a URL may not."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:8]


def page_id(key: PageKey, *, role: str, route: str, sent_on: datetime | None = None) -> PageId:
    """The page's id, e.g. `BF2T-5B1F-ZGDY.acknowledgement.3f9c21ab.2.0.91ab33cd`.

    The same step owed twice is the same page; nothing personal is readable in it. Since a case was
    `sent_on` to another site its roles are others, who have been told nothing.
    """
    place = [format_instant(sent_on)] if sent_on else []
    whom = short_tag(role, route, *place)
    return PageId(f"{key.case}.{key.obligation}.{key.run_tag}.{key.rung}.{key.round}.{whom}")


def read_page_id(text: object) -> PageKey | None:
    """The key inside a page id, or None when the text is no page id of ours."""
    parts = text.strip().split(".") if isinstance(text, str) else []
    if len(parts) != 6 or not (parts[3].isdecimal() and parts[4].isdecimal()):
        return None
    return PageKey(
        case=parts[0],
        obligation=parts[1],
        run_tag=parts[2],
        rung=int(parts[3]),
        round=int(parts[4]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOrder:
    """A page that is owed. `case` and `tier` are None for unread quarantine (`item`, `count`).

    `due_at` is the obligation's deadline, `owed_at` the instant at which this step was to be paged.
    `asked` is what the reader is to do, `reason_class` why in words without patient detail.
    `drill`: a test of the route, about nobody.
    """

    page: PageId
    case: CaseId | None
    item: str | None = None
    count: int = 1
    tier: Tier | None
    reason_class: str
    asked: str
    obligation: str
    due_at: datetime | None
    owed_at: datetime
    run: str
    rung: int
    round: int
    role: str
    site: str
    person: str | None
    name: str | None
    chosen_by: str
    route: str
    route_kind: str
    callback: str | None
    policy: str
    drill: bool = False


def page_document(
    order: PageOrder,
    *,
    attempt: int,
    possibly_doubled: bool,
    url: str,
    sent_at: datetime | None,
    drill: bool = False,
) -> dict[str, Any]:
    """The page as webhook body, inbox line and on `triage.pages.v1` (shape: contract section 3)."""
    return {
        "type": "page.v1",
        "page": order.page,
        "case": order.case,
        "item": order.item,
        "count": order.count,
        "tier": order.tier.value if order.tier else None,
        "reason_class": order.reason_class,
        "asked": order.asked,
        "obligation": order.obligation,
        "due_at": format_instant(order.due_at) if order.due_at else None,
        "run": order.run,
        "rung": order.rung,
        "round": order.round,
        "role": order.role,
        "person": order.person,
        "name": order.name,
        "chosen_by": order.chosen_by,
        "route": order.route,
        "attempt": attempt,
        "possibly_doubled": possibly_doubled,
        "callback": order.callback,
        "url": url,
        "sent_at": format_instant(sent_at) if sent_at else None,
        "policy": order.policy,
        "drill": drill or order.drill,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedPage:
    """A page that one relay holds for the length of its lease. `attempt` counts from 1.

    `possibly_doubled`: an earlier claim ended without a word, so it may have been sent already.
    `suppress` is why it must not be sent any more (case closed, withdrawn), None when it must.
    `link` is the token of a link that answers it, good for the person `link_for` and nobody else.
    """

    order: PageOrder
    attempt: int
    possibly_doubled: bool
    suppress: str | None = None
    link: str | None = field(default=None, repr=False)
    link_for: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one attempt: outcome `accepted`, `failed` or `suppressed`.

    `route` is the one that was really used; only the page's own route settles the page.
    `retry_at` is when a failed page is tried again under the same key, None when never.
    `in_doubt`: no usable answer came, so the provider may have taken the page all the same.
    """

    page: PageId
    route: str
    attempt: int
    outcome: str
    provider_word: str | None
    at: datetime
    retry_at: datetime | None = None
    in_doubt: bool = False
