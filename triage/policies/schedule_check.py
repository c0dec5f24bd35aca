"""Whether the book's times make sense together: rungs that rise, due instants that agree."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.policies.schedule_soundness import ACKNOWLEDGEMENT
from triage.policies.schedule_tables import AcknowledgementLadder, ObligationClock

_BY_URGENCY = (Tier.EMERGENT, Tier.URGENT, Tier.PRIORITY, Tier.ROUTINE)
_NO_TIME = timedelta()


def schedule_problems(book: PolicyBook) -> Iterator[str]:
    """Everything that a reader of the ladders and deadlines would call a slip."""
    for tier, ladder in book.ladders.acknowledgement.items():
        yield from _ladder(book, tier, ladder)
    if book.ladders.acknowledgement[Tier.EMERGENT].rounds is None:
        yield "ladders.toml acknowledgement EMERGENT: it falls silent: it needs rounds"
    for obligation in book.deadlines.obligation:
        for clock in obligation.clock:
            yield from _clock(clock)
    for timer in book.timers.timer:
        if timer.after <= _NO_TIME:
            yield f"timers.toml {timer.id}: it leaves no time: {timer.after}"
    for urgency, other in book.ladders.obligations.items():
        if other.repeat.every < book.ladders.minimum_gap:
            yield f"ladders.toml obligations {urgency}: repeats closer than minimum_gap"


def _ladder(book: PolicyBook, tier: Tier, ladder: AcknowledgementLadder) -> Iterator[str]:
    where, gap = f"ladders.toml acknowledgement {tier}", book.ladders.minimum_gap
    after = [rung.after for rung in ladder.rungs if rung.after is not None]
    for earlier, later in pairwise(after):
        if later - earlier < gap:
            yield f"{where}: rungs closer than minimum_gap: {earlier}, {later}"
    rounds = ladder.rounds
    if ladder.due is not None:
        if after and after[-1] >= ladder.due:
            yield f"{where}: a rung at or after the due instant: {after[-1]}"
        if ladder.due not in _limits(_acknowledgement(book), tier):
            yield f"{where}: due {ladder.due} is not the deadline of deadlines.toml"
    if rounds is not None:
        if rounds.every.length < gap:
            yield f"{where}: rounds closer than minimum_gap: {rounds.every}"
        if rounds.from_ != ladder.due:
            yield f"{where}: rounds must begin when it is due"
        if rounds.widen_from and rounds.from_ and rounds.widen_from < rounds.from_:
            yield f"{where}: it widens before its rounds begin"


def _acknowledgement(book: PolicyBook) -> ObligationClock:
    rows = book.deadlines.obligation
    return next(row for row in rows if row.name == ACKNOWLEDGEMENT).clock[0]


def _limits(clock: ObligationClock, tier: Tier) -> list[timedelta]:
    spans = [limit.within for limit in clock.tier[tier].limits]
    return [span.length for span in spans if not span.is_working]


def _clock(clock: ObligationClock) -> Iterator[str]:
    """No limit of nothing, and none that is longer at a higher tier."""
    shortest: list[tuple[Tier, timedelta]] = []
    for tier in _BY_URGENCY:
        limits = _limits(clock, tier)
        if any(limit <= _NO_TIME for limit in limits):
            yield f"deadlines.toml {clock.name} {tier}: it leaves no time"
        if limits:
            shortest.append((tier, min(limits)))
    for (higher, first), (lower, second) in pairwise(shortest):
        if first > second:
            yield f"deadlines.toml {clock.name}: {higher} has longer than {lower}"
