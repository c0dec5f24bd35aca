"""The inbox: pages that wait for an answer, then those that need none any more."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from triage.domain.case import CaseState
from triage.domain.events import Actor
from triage.domain.paging import ACKNOWLEDGEMENT, PageOrder
from triage.store.records import CaseRow, PageRow
from triage.web.board_view import NEAR
from triage.web.settled import settled_words
from triage.web.wall import Countdown, Moment, Wall
from triage.web.words import plain, role_words, sentence_case, tier_key
from triage.workflow.house_notice import HOUSE
from triage.workflow.roster_notice import ROSTER, ROSTER_GAP
from triage.workflow.route_tests import DRILL, ROUTE_TEST

UNREAD, REVIEW = "unread", "review"
_LABELS = {ROSTER: "ROSTER", DRILL: "TEST", HOUSE: "SERVICE"}
_DELIVERY = {
    "ordered": "waiting to be sent",
    "sending": "being sent",
    "accepted": "delivered to the provider",
    "failed": "could not be sent",
    "suppressed": "not sent: no longer owed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLine:
    """One page. `answers` are the buttons it has, empty where nobody needs to answer any more.

    `is_opened`: there is a case to look at, and not only an act for a referral that is not known.
    """

    page: str
    case: str
    is_opened: bool
    tier: str
    tier_key: str
    reason: str
    asked: str
    obligation: str
    run: str
    to_role: str
    to_name: str
    chosen_by: str
    is_mine: bool
    route: str
    delivery: str
    is_undelivered: bool
    is_unsent: bool
    is_doubled: bool
    attempts: int
    rung: int
    round: int
    callback: str
    sent: Moment | None
    due: Moment | None
    left: Countdown | None
    settled: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who was paged for the same."""

    who: str
    when: str
    delivery: str
    is_undelivered: bool


@dataclass(frozen=True, slots=True)
class Card:
    """What one case asks for: the page to answer first, who else has it, and what else is owed."""

    lead: PageLine
    told: tuple[Told, ...]
    others: tuple[PageLine, ...]

    @property
    def is_mine(self) -> bool:
        """Some page of it went to the reader."""
        return self.lead.is_mine or any(line.is_mine for line in self.others)


@dataclass(frozen=True, slots=True)
class Inbox:
    """`waiting` with EMERGENT on top, newest first below it; `earlier` newest first.

    `count` is the number of pages that wait. Pages replaced before they were sent are left out.
    """

    waiting: tuple[Card, ...]
    earlier: tuple[PageLine, ...]
    count: int


def inbox(
    pages: Iterable[PageRow], cases: Mapping[str, CaseRow], reader: Actor | None, wall: Wall
) -> Inbox:
    """Pages newest first, as the store gives them; `reader` is who looks."""
    # A test page proves its route only when it is answered from there: it is not shown here.
    real = (page for page in pages if not page.order.drill)
    lines = [page_line(page, cases.get(page.order.case or ""), reader, wall) for page in real]
    waiting = [line for line in lines if line.answers]
    by_case: dict[str, list[PageLine]] = {}
    for line in waiting:
        by_case.setdefault(line.case or line.run, []).append(line)
    cards = [_card(group) for group in by_case.values()]
    cards.sort(key=_urgency)
    earlier = tuple(line for line in lines if not line.answers and not line.is_unsent)
    return Inbox(tuple(cards), earlier, len(waiting))


def _urgency(card: Card) -> tuple[bool, int]:
    """EMERGENT and unread (it may be one) on top, there what nobody owns first."""
    is_calmer = card.lead.tier_key not in ("emergent", "unread")
    return is_calmer, 0 if is_calmer else _rank(card.lead)


def _card(lines: list[PageLine]) -> Card:
    """The reader's own page leads where there is one; the ladder goes before other steps."""
    ordered = sorted(lines, key=lambda line: (_rank(line), not line.is_mine))
    lead = ordered[0]
    same = [line for line in lines if line.obligation == lead.obligation]
    others: dict[str, PageLine] = {}
    for line in ordered:
        if line.obligation != lead.obligation:
            others.setdefault(line.obligation, line)
    return Card(lead, tuple(_told(line) for line in same), tuple(others.values()))


def _rank(line: PageLine) -> int:
    if "decline" in line.answers:
        return 0
    return 1 if "reviewed" in line.answers else 2


def _told(line: PageLine) -> Told:
    who = f"{line.to_role}, {line.to_name}" + (f" ({line.route})" if line.route != "inbox" else "")
    when = line.sent.age if line.sent else ""
    return Told(who, when, line.delivery, line.is_undelivered)


def page_line(page: PageRow, case: CaseRow | None, reader: Actor | None, wall: Wall) -> PageLine:
    """One page as it stands with its case."""
    order = page.order
    settled = settled_words(page, case)
    return PageLine(
        page=order.page,
        case=order.case or "",
        is_opened=case is not None and case.state != CaseState.UNOPENED,
        tier=tier_label(order),
        tier_key=tier_key(tier_label(order)),
        reason=sentence_case(order.reason_class),
        asked=order.asked,
        obligation=plain(order.obligation),
        run=order.run,
        to_role=role_words(order.role),
        to_name=order.name or "nobody on call",
        chosen_by=order.chosen_by,
        is_mine=_is_mine(page, reader),
        route=order.route,
        delivery=_DELIVERY.get(page.status, page.status),
        is_undelivered=page.status == "failed",
        is_unsent=page.status == "suppressed",
        is_doubled=page.possibly_doubled,
        attempts=page.attempts,
        rung=order.rung,
        round=order.round,
        callback=order.callback or "",
        sent=wall.moment(page.settled_at or page.ordered_at),
        due=wall.moment(order.due_at),
        left=wall.countdown(order.due_at, near=NEAR) if not settled else None,
        settled=settled,
        answers=() if settled else _answers(page),
    )


def tier_label(order: PageOrder) -> str:
    """The tier, or what the page is about where it has none."""
    return order.tier.value if order.tier else _LABELS.get(order.item or "", "UNREAD")


def _answers(page: PageRow) -> tuple[str, ...]:
    is_notice = page.order.obligation in (UNREAD, REVIEW, ROSTER_GAP, ROUTE_TEST)
    if is_notice or page.order.item == HOUSE:
        return ("reviewed",)
    if page.order.obligation == ACKNOWLEDGEMENT:
        return ("coming", "decline", "hand_over")
    return ("coming",)


def _is_mine(page: PageRow, reader: Actor | None) -> bool:
    if reader is None:
        return False
    order = page.order
    return order.person == reader.person if order.person else order.role == reader.role
