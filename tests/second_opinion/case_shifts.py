"""An owner whose shift ends, or who is taken off it (decision 12)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.second_opinion.case_answers import is_same_person
from tests.second_opinion.case_chart import MINUTE, Answer, Chart, Run
from tests.second_opinion.case_ladders import OWNER, TAKES_OVER, Page, page_of, page_to
from tests.second_opinion.case_roster import Human, Serving

MAY_OWN = ("registrar", "fellow", "consultant", "second_consultant")
WARNING = 15 * MINUTE
WAIT = 5 * MINUTE
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Leaving:
    """When the owner leaves, who is to take over, and when everybody is called."""

    ends: datetime
    lapses: datetime
    role: str
    successor: Serving
    warned: datetime


def leaving(chart: Chart) -> Leaving | None:
    """'Below EMERGENT nobody is asked.' 'Whoever is on no rota ... and whoever always serves has no
    end that we know.'"""
    run = chart.run
    if run is None or run.answer is None or run.ended is not None:
        return None
    is_high = chart.shown_tier == "EMERGENT" and chart.treated_at is None
    if chart.closing is not None or run.answer.asked is not None:
        return None
    owner = chart.human(run.answer.owner)
    if not (is_high or run.is_deterioration):
        return None
    elsewhere = left_behind(chart, run.answer, owner)
    if elsewhere is not None or owner is None:
        return elsewhere
    found = leaves(chart, run, run.answer, owner)
    if found is None:
        return None
    ends, lapses, role = found
    next_one = chart.serving(role, max(ends, run.answer.received))
    if next_one.human == owner:
        next_one = Serving(None, "")
    return Leaving(ends, lapses, role, next_one, ends - WARNING)


def left_behind(chart: Chart, answer: Answer, owner: Human | None) -> Leaving | None:
    """Decision 13: 'An EMERGENT case that somebody owns is handed over as at a shift's end ... Not
    asked: an owner of the new site, by the roster or by the `site` of their answer.' 'Whoever
    answers at the first site after that ...: it is theirs for as long as they promise'"""
    since = chart.sent_on
    if since is None or answer.owner.site == chart.site:
        return None
    at = max(since, answer.received)
    if owner is not None and chart.rosters.roles_of(owner.id, at, chart.known):
        return None
    lapses = since + WAIT
    if answer.received >= since:
        lapses = max(lapses, answer.until, answer.received)
    own = answer.owner.role or ""
    served = [role for role in (own, *MAY_OWN) if chart.serving(role, at).human is not None]
    role = served[0] if served else own
    return Leaving(since, lapses, role, chart.serving(role, at), since)


def leaves(
    chart: Chart, run: Run, answer: Answer, owner: Human
) -> tuple[datetime, datetime, str] | None:
    """'Somebody who accepts up to 15 minutes before their shift begins counts as on duty.'
    'Nobody having accepted ... (5 min) after the end ...'. 'Whoever answers within the last 15
    minutes, takes the case back afterwards, or served when the case was opened and answers off
    duty ...: it is theirs for as long as they promise'."""
    assert chart.opener is not None
    answered, until = answer.received, max(answer.until, answer.received)
    for start in (answered, answered + WARNING):
        if chart.rosters.roles_of(owner.id, start, chart.known):
            ends = chart.rosters.end_of_duty(owner.id, start, chart.known)
            if ends is None:
                return None
            knows = answered >= ends - WARNING
            lapses = max(ends + WAIT, until) if knows else ends + WAIT
            return ends, lapses, role_left(chart, answer, owner, ends)
    opened = chart.opener.receipt
    if chart.rosters.roles_of(owner.id, opened, chart.known):
        ends = chart.rosters.end_of_duty(owner.id, opened, chart.known)
        return None if ends is None else (ends, until, role_left(chart, answer, owner, ends))
    if run.is_shift_end and run.also_person and is_same_person(answer.owner, run.also_person):
        ends = run.start - WAIT
        return ends, until, role_left(chart, answer, owner, ends)
    return None


def role_left(chart: Chart, answer: Answer, owner: Human, ends: datetime) -> str:
    """The role in which they own the case, if they leave that one; else one whose holder may own
    it: 'stopped only by a registrar, fellow or consultant'."""
    left = chart.rosters.roles_of(owner.id, ends - INSTANT, chart.known)
    fit = [role for role in MAY_OWN if role in left]
    own = answer.owner.role or ""
    return own if own in left else [*fit, *left, own][0]


def shift_pages(chart: Chart, now: datetime) -> Iterator[Page]:
    """'before the shift's end, owner and whoever takes over are paged ...; at the end both again,
    and the coordinator'."""
    run, found = chart.run, leaving(chart)
    if found is None or run is None or run.answer is None:
        return
    received = run.answer.received
    warned, ended = (max(at, received) for at in (found.warned, found.ends))
    successor = found.successor.human
    # 'at the end ... the coordinator'; before it as well where there is nobody to take over
    both, coordinator = [warned, ended], [ended] if successor else [warned, ended]
    owed = latest(coordinator, run, now)
    called = None
    if owed is not None:
        page = page_of("coordinator", "acknowledgement", owed, chart.serving("coordinator", now))
        called = page.person
        yield page
    owed = latest(both, run, now)
    if owed is None:
        return
    named = []
    # Whom the roster does not know cannot be asked to offer it.
    if received < found.warned and chart.human(run.answer.owner) is not None:
        named.append(page_to(chart, run.answer.owner, owed, now, OWNER))
    if successor is not None:
        rule = f"{TAKES_OVER}: {found.successor.rule}"
        named.append(page_of(found.role, "acknowledgement", owed, Serving(successor, rule)))
    # One alert per state change (H7): who is paged as the role on call is not paged by name.
    yield from (each for each in named if each.person is None or each.person != called)


def latest(times: list[datetime], run: Run, now: datetime) -> datetime | None:
    past = [max(at, run.start) for at in times if at <= now]
    return max(past, default=None)
