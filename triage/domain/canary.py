"""The canary: a referral of our own that goes the whole way every few minutes, and wakes nobody."""

from datetime import datetime

from triage.domain.events import CaseId
from triage.domain.paging import PageKey, PageOrder, page_id
from triage.domain.tiers import Tier

SOURCE = "canary:TRIAGE"
ROUTE = "canary"  # the echo in the relay; no roster can name it
PREFIX = f"{SOURCE}/self-"


def canary_referral(name: str) -> str:
    """The referral of one canary, `<source>/<subject>`."""
    return f"{PREFIX}{name}"


def is_canary(referral: str) -> bool:
    """Exactly our own source and numbering: anything else is somebody's patient."""
    return referral.startswith(PREFIX)


def canary_order(case: CaseId, tier: Tier, *, policy: str, at: datetime) -> PageOrder:
    """The one page of a canary, to the echo and to no person. `at`: when it was received."""
    key = PageKey(case=case, obligation="canary", run_tag="canary", rung=0, round=0)
    return PageOrder(
        page=page_id(key, role="canary", route=ROUTE),
        case=case,
        tier=tier,
        reason_class="canary",
        asked="nothing: this tests the way of a page",
        obligation="canary",
        due_at=None,
        owed_at=at,
        run="canary",
        rung=0,
        round=0,
        role="canary",
        site=SOURCE,
        person=None,
        name=None,
        chosen_by="canary",
        route=ROUTE,
        route_kind=ROUTE,
        callback=None,
        policy=policy,
    )
