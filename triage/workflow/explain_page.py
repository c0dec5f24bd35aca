"""Why a page went to somebody: by which roster rule, which policy row, on which evidence.

Everything is rebuilt from the page's own row and its case's log up to the moment it was ordered.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from triage.domain.case import Case
from triage.domain.events import Event
from triage.domain.instants import format_instant
from triage.domain.paging import ACKNOWLEDGEMENT, PageOrder
from triage.domain.roster.changes import RosterChange
from triage.domain.roster.roster import Roster
from triage.policies.book import PolicyBook
from triage.policies.explain import explain_rule
from triage.policies.schedule_tables import AcknowledgementLadder, TierLimit
from triage.workflow.fold import fold
from triage.workflow.owing import HAND_OVER_RUNG, SHIFT_END_RUNG


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Lines for a reader under each question; none names a patient."""

    who: tuple[str, ...]
    step: tuple[str, ...]
    evidence: tuple[str, ...]
    sent: tuple[str, ...] = ()


def why_page(
    order: PageOrder,
    events: Sequence[Event],
    book: PolicyBook,
    roster: Roster,
    *,
    ordered_at: datetime,
    changes: Iterable[RosterChange] = (),
) -> Why:
    """`events` is the case's log, of which only what was received by `ordered_at` is used."""
    known = [event for event in events if event.received_at <= ordered_at]
    case = None
    if order.case is not None and known:
        case = fold(order.case, known, book, ordered_at, roster)
    return Why(
        who=tuple(_who(order, changes)),
        step=tuple(_step(order, book)),
        evidence=tuple(_evidence(order, case, known, book)),
    )


def why_text(page: str, why: Why) -> str:
    """The answer of `triage explain PAGE`."""
    parts = [page]
    for title, lines in (
        ("Who", why.who),
        ("By which row of the policy", why.step),
        ("On which evidence", why.evidence),
        ("Sent", why.sent),
    ):
        if lines:
            parts += ["", f"{title}:", *(f"  {line}" for line in lines)]
    return "\n".join(parts) + "\n"


def _who(order: PageOrder, changes: Iterable[RosterChange]) -> Iterator[str]:
    named = f"{order.name} ({order.person})" if order.person else "nobody on call: the desk's inbox"
    yield f"{order.role} at {order.site}: {named}, by route {order.route} ({order.route_kind})"
    yield f"chosen by: {order.chosen_by}"
    words = order.chosen_by.split()
    for each in changes:
        if each.together in words and each.person == order.person:
            at = format_instant(each.made_at)
            yield f"  {each.kind} {each.together} by {each.made_by} at {at}: {each.reason}"


def _step(order: PageOrder, book: PolicyBook) -> Iterator[str]:
    if order.case is None or order.tier is None:
        yield f"{order.obligation}, owed at {format_instant(order.owed_at)}"
        return
    yield _rung(order, book)
    yield from _limits(order, book)
    yield f"owed at {format_instant(order.owed_at)}" + (
        f", due at {format_instant(order.due_at)}" if order.due_at else ""
    )
    draft = " (draft, unsigned)" if book.is_draft else ""
    yield f"policy {order.policy}{draft}"


def _rung(order: PageOrder, book: PolicyBook) -> str:
    assert order.tier is not None
    if order.rung == HAND_OVER_RUNG:
        return "hand-over: the person who was asked is paged"
    if order.rung == SHIFT_END_RUNG:
        before = book.ladders.promise.shift_end_warning
        ends = f"the owner's shift ends, asked {before} before it and then"
        return f"ladders.toml promise: {ends}; or the case goes to another site than the owner's"
    if order.obligation == ACKNOWLEDGEMENT:
        ladder = book.ladders.acknowledgement[order.tier]
        return f"ladders.toml acknowledgement.{order.tier}: {_acknowledgement(order, ladder)}"
    generic = book.ladders.obligations.get(order.tier)
    if generic is None:
        return f"ladders.toml: {order.obligation}, step {order.rung}"
    where = f"ladders.toml obligations.{order.tier}"
    if order.round > 0:
        return f"{where}: repeat {order.round}, every {generic.repeat.every} after the breach"
    if 0 < order.rung <= len(generic.shares):
        return f"{where}: warning at {generic.shares[order.rung - 1].share} % of the time"
    return f"{where}: {'at once' if order.rung == 0 else 'when due'}"


def _acknowledgement(order: PageOrder, ladder: AcknowledgementLadder) -> str:
    if order.round > 0 and ladder.rounds is not None:
        return f"round {order.round}, every {ladder.rounds.every} until one who may has answered"
    if 0 < order.rung <= len(ladder.rungs):
        rung = ladder.rungs[order.rung - 1]
        roles = ", ".join((*rung.roles, *rung.by_timer))
        when = f"{rung.share} % of the time" if rung.share is not None else f"{rung.after}"
        return f"rung {order.rung}, nominally after {when}: {roles}"
    return f"step {order.rung} after the due instant"


def _limits(order: PageOrder, book: PolicyBook) -> Iterator[str]:
    assert order.tier is not None
    for row in book.deadlines.obligation:
        if row.name == order.obligation:
            for clock in row.clock:
                limit = clock.tier.get(order.tier)
                for words in _limit(limit, book):
                    yield f"deadlines.toml {row.name}, clock {clock.name}: {words}"


def _limit(limit: TierLimit | None, book: PolicyBook) -> Iterator[str]:
    for each in limit.limits if limit else ():
        sources = "; ".join(f"{book.sources[key]} [{key}]" for key in each.source)
        yield f"within {each.within}, {each.kind}: {sources}"


def _evidence(
    order: PageOrder, case: Case | None, known: Sequence[Event], book: PolicyBook
) -> Iterator[str]:
    yield f"reason on the page: {order.reason_class}"
    if case is None:
        return
    yield f"tier then: {case.tier}, since event {case.tier_event}"
    yield from case.reasons
    for rule in case.rules:
        if rule in book.compiled.rules:
            yield f"{rule}: {explain_rule(rule, book)}"
    if case.assumed:
        yield f"not assessed: {', '.join(case.assumed)}"
    started = next((event for event in known if event.id == order.run), None)
    if started is not None:
        at = format_instant(started.received_at)
        yield f"started by {started.type} of {started.sender.source}, received {at}"
    else:
        yield f"started by {order.run}"
