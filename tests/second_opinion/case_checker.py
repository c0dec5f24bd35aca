"""The second model as a judge of simulated cases: the hook of `triage.proof.simulate.checker`.

It looks at every receipt of the log and at the end; where cases were joined or parted, from the
last time on, and of joined ones at that which leads. Left out: cases whose owner's shift ended (it
knows no roster), and timers that a sweep found late (a service that was down), whose run starts
late.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from tests.second_opinion.case import PageOf, second_opinion
from tests.second_opinion.case_compare import differing
from tests.second_opinion.case_joins import group_of, joins_or_parts, log_of, opener_of
from tests.second_opinion.case_production import said_by
from triage.domain.events import Event, EventType
from triage.domain.instants import parse_instant
from triage.domain.paging import read_page_id, short_tag
from triage.proof.simulate.verdict import CaseView, Violation
from triage.workflow.fold import fold, in_receipt_order
from triage.workflow.owing import SHIFT_END_RUNG

COMPARED = ("state", "tier", "rules", "flags", "is_held", "owner", "open_by", "missed")


def judge(view: CaseView) -> Iterator[Violation]:
    """The first difference of a case, if there is one."""
    logs = (view.log, *view.beside.values())
    view = replace(view, log=in_receipt_order(each for log in logs for each in log))
    if any(map(is_late, view.log)) or any(page["rung"] == SHIFT_END_RUNG for page in view.pages):
        return
    events = [each for each in view.log if each.type is not EventType.PAGES_ORDERED]
    if not _leads(view, events):
        return
    known = {str(page["page"]): page_of(view, str(page["page"])) for page in view.pages}
    since = [each.received_at for each in events if joins_or_parts(each)]
    instants = sorted({*(each.received_at for each in events), view.now})
    for now in instants if not since else [each for each in instants if each >= max(since)]:
        until = [each for each in events if each.received_at <= now]
        case = fold(view.case, until, view.book, now, view.roster)
        group = group_of(view.case, until)
        said = second_opinion(log_of(group, until), now, known.get, cases=group)
        first, second = said_by(case, ()), said
        for name in differing(first, second):
            if name in COMPARED:
                ours, theirs = getattr(first, name), getattr(second, name)
                what = f"at {now}: {name} is {ours!r}, by the second model {theirs!r}"
                yield Violation(4, f"{view.case}: {what}")
                return


def _leads(view: CaseView, events: list[Event]) -> bool:
    """'the first-received id leads'"""
    openers = [opener_of(case, events) for case in (view.case, *view.beside)]
    opened = [(each.receipt, each.case) for each in openers if each is not None]
    return bool(opened) and min(opened)[1] == view.case


def is_late(event: Event) -> bool:
    """A timer that was found more than a second after it had run out."""
    is_timer = event.type is EventType.TIMER_RAISED
    return is_timer and event.received_at - event.occurred_at > timedelta(seconds=1)


def page_of(view: CaseView, page: str) -> PageOf | None:
    """What a page was about. A run that no event started began with its first page."""
    key = read_page_id(page)
    if key is None:
        return None
    alike = [
        each
        for each in view.pages
        if (other := read_page_id(each["page"])) is not None and other.run_tag == key.run_tag
    ]
    start = min(filter(None, (parse_instant(each["owed_at"]) for each in alike)))
    started = [each for each in view.log if short_tag(*each.key) == key.run_tag]
    named = bool(started) and started[0].type is not EventType.TIMER_RAISED
    role = next(str(each["role"]) for each in alike if each["page"] == page)
    return PageOf(key.obligation, started[0].key if named else None, start, key.rung, role)
