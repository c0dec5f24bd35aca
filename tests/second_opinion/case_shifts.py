"""An owner whose shift ends (decision 12), with one relief: the night's registrar for the day's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tests.second_opinion.case_answers import is_same_person
from tests.second_opinion.case_chart import HOUR, MINUTE, Chart, Run
from tests.second_opinion.case_ladders import Page, registrar_on_call
from triage.domain.events import Actor

DAY_ONE, NIGHT_ONE = "registrar-a", "registrar-b"
NIGHT = 12 * HOUR
WARNING = 15 * MINUTE


@dataclass(frozen=True)
class Leaving:
    """When the owner leaves, who is to take over, and when everybody is called."""

    ends: datetime
    lapses: datetime
    successor: str | None


def end_of(relief: datetime, who: str, at: datetime) -> datetime | None:
    """'The end is the first instant at which the owner serves in no role of the receiving
    site.'"""
    if who == NIGHT_ONE:
        return relief + NIGHT
    return relief if at < relief else None


def leaving(chart: Chart) -> Leaving | None:
    """'Below EMERGENT nobody is asked.' 'Whoever is on no rota ... and whoever always serves has no
    end that we know.'"""
    run, relief = chart.run, chart.relief
    if run is None or run.answer is None or run.ended is not None or relief is None:
        return None
    is_high = chart.shown_tier == "EMERGENT" and chart.treated_at is None
    if chart.closing is not None or run.answer.asked is not None:
        return None
    if not (is_high or run.is_deterioration):
        return None
    who = run.answer.owner.person or ""
    if who not in (DAY_ONE, NIGHT_ONE):
        return None
    found = leaves(chart, run, relief, who)
    if found is None:
        return None
    ends, lapses = found
    next_one = registrar_on_call(relief, max(ends, run.answer.received))
    return Leaving(ends, lapses, next_one if next_one != who else None)


def leaves(chart: Chart, run: Run, relief: datetime, who: str) -> tuple[datetime, datetime] | None:
    """'Somebody who accepts up to 15 minutes before their shift begins counts as on duty.'
    'Nobody having accepted ... (5 min) after the end ...'. 'Whoever answers within the last 15
    minutes, takes the case back afterwards, or served when the case was opened and answers off
    duty ...: it is theirs for as long as they promise'."""
    assert run.answer is not None and chart.opener is not None
    answered, until = run.answer.received, max(run.answer.until, run.answer.received)
    for start in (answered, answered + WARNING):
        if registrar_on_call(relief, start) == who:
            ends = end_of(relief, who, start)
            if ends is None:
                return None
            knows = answered >= ends - WARNING
            return ends, max(ends + 5 * MINUTE, until) if knows else ends + 5 * MINUTE
    if registrar_on_call(relief, chart.opener.receipt) == who:
        ends = end_of(relief, who, chart.opener.receipt)
        return None if ends is None else (ends, until)
    if run.is_shift_end and run.also_person and is_same_person(run.answer.owner, run.also_person):
        return run.start - 5 * MINUTE, until
    return None


def shift_pages(chart: Chart, now: datetime) -> Iterator[Page]:
    """'before the shift's end, owner and whoever takes over are paged ...; at the end both again,
    and the coordinator'."""
    run, found = chart.run, leaving(chart)
    if found is None or run is None or run.answer is None:
        return
    received = run.answer.received
    warned, ended = (max(at, received) for at in (found.ends - WARNING, found.ends))
    both = [at for at in (warned, ended) if at <= now]
    told: list[tuple[str, list[datetime]]] = []
    if received < found.ends - WARNING:
        told.append((role_of(run.answer.owner), both))
    if found.successor is not None:
        told.append(("registrar", both))
        both = [ended] if ended <= now else []
    told.append(("coordinator", both))
    for role, times in told:
        if times:
            yield Page(role, "acknowledgement", max(*times, run.start))


def role_of(actor: Actor) -> str:
    return actor.role or "registrar"
