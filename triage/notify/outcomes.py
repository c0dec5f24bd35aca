"""What came of sending a page, as the attempt that is recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.domain.paging import Attempt, ClaimedPage, PageOrder
from triage.domain.roster.roster import DESK_INBOX
from triage.domain.tiers import Tier
from triage.notify.routes import Accepted, Refused, SendResult, Unreachable

_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT_EMERGENT = timedelta(seconds=10)
_DOUBLINGS = 10
_WORD_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """The answer to one send. `order` as resolved; `was_tried` False when no slot came free."""

    order: PageOrder
    answer: SendResult
    was_tried: bool = True


def retry_wait(attempt: int, *, is_emergent: bool) -> timedelta:
    """How long after failed attempt number `attempt` (from 1) the same page is tried again."""
    longest = _LONGEST_WAIT_EMERGENT if is_emergent else _LONGEST_WAIT
    return min(_FIRST_WAIT * (1 << min(attempt - 1, _DOUBLINGS)), longest)


def attempt_of(claim: ClaimedPage, sent: Sent, at: datetime) -> Attempt:
    """The attempt on the page's own route; a failed one says when it is tried again."""
    is_accepted = isinstance(sent.answer, Accepted)
    number = claim.attempt if sent.was_tried else 1
    wait = retry_wait(number, is_emergent=claim.order.tier is Tier.EMERGENT)
    return Attempt(
        page=claim.order.page,
        route=claim.order.route,
        attempt=claim.attempt,
        outcome="accepted" if is_accepted else "failed",
        provider_word=_word(sent.answer, _redirection(claim.order, sent.order)),
        at=at,
        retry_at=None if is_accepted else at + wait,
        in_doubt=sent.was_tried and isinstance(sent.answer, Unreachable),
    )


def desk_attempt(claim: ClaimedPage, answer: SendResult, at: datetime) -> Attempt:
    """The attempt to show a page at the desk, whose own route did not take it."""
    return Attempt(
        page=claim.order.page,
        route=DESK_INBOX,
        attempt=claim.attempt,
        outcome="accepted" if isinstance(answer, Accepted) else "failed",
        provider_word=_word(answer, ""),
        at=at,
    )


def suppressed(claim: ClaimedPage, at: datetime) -> Attempt:
    """The attempt that was not made, because the page is no longer owed."""
    return Attempt(
        page=claim.order.page,
        route=claim.order.route,
        attempt=claim.attempt,
        outcome="suppressed",
        provider_word=claim.suppress,
        at=at,
    )


def _redirection(ordered: PageOrder, resolved: PageOrder) -> str:
    if (ordered.person, ordered.route) == (resolved.person, resolved.route):
        return ""
    rule = resolved.chosen_by if resolved.person != ordered.person else "another route"
    return f"sent to {resolved.person or 'the desk'} by {resolved.route}, {rule}"


def _word(answer: SendResult, redirection: str) -> str | None:
    if isinstance(answer, Accepted):
        parts = [answer.provider_word]
    elif isinstance(answer, Refused):
        parts = [f"refused: {answer.reason}", answer.provider_word]
    else:
        parts = [answer.reason]
    return "; ".join(part for part in (*parts, redirection) if part)[:_WORD_LENGTH] or None
