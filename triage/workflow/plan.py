"""`plan`: what should exist by now. Page orders owed, timers that ran out, the next due instant.

Level-triggered: the same case at the same instant gives the same orders under the same keys, and
whoever inserts them if absent ends with the same pages. Of several steps that are past, each role
is owed the latest; what a step replaced is not sent any more.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from triage.domain.canary import canary_order, is_canary
from triage.domain.case import Case, CaseState, Timer
from triage.domain.events import Actor
from triage.domain.paging import ACKNOWLEDGEMENT, PageKey, PageOrder, page_id
from triage.domain.roster.roster import IN_PERSON, OnCall, Person, Roster
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.workflow.ladder import Step
from triage.workflow.owing import SHIFT_END_RUNG, Owing
from triage.workflow.reason_class import reason_class
from triage.workflow.routing import Attempt, attempts, contacts
from triage.workflow.sent_on import sent_on_at
from triage.workflow.steps import Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Orders owed by now, timers to raise now, and the next instant at which something is owed."""

    orders: tuple[PageOrder, ...]
    raises: tuple[Timer, ...]
    next_due_at: datetime | None


def plan(case: Case, book: PolicyBook, roster: Roster, now: datetime) -> Plan:
    """What is owed for a case at `now` (due at exactly now counts as due)."""
    if is_canary(case.referral):
        order = canary_order(case.id, case.tier, policy=case.policy, at=case.opened_at or now)
        return Plan(orders=(order,), raises=(), next_due_at=None)
    if case.state is CaseState.CLOSED:
        return Plan(orders=_told_at_closing(case, book, roster), raises=(), next_due_at=None)
    site = roster.sites[roster.site_for(case.destination)[0]]
    owing = list(Steps(case, book, roster, site).all())
    due = [each for each in owing if each.step.at <= now]
    raises = tuple(timer for timer in case.timers if timer.due_at <= now)
    made = list(_attempts(case, roster, site.id, due, now))
    sent_on = sent_on_at(case, roster)
    orders = tuple(_order(case, book, each, sent_on) for each in made if each.attempt.at <= now)
    later = [each.attempt.at for each in made if each.attempt.at > now]
    return Plan(orders=orders, raises=raises, next_due_at=_next(case, owing, later, now))


def _next(
    case: Case, owing: Iterable[Owing], attempts: Iterable[datetime], now: datetime
) -> datetime | None:
    instants = [*attempts, *(each.step.at for each in owing if each.step.at > now)]
    instants += [timer.due_at for timer in case.timers]
    held = case.acknowledgement
    if held is not None and not held.is_kept and case.run is not None:
        instants.append(held.until)
    return min((at for at in instants if at > now), default=None)


def _told_at_closing(case: Case, book: PolicyBook, roster: Roster) -> tuple[PageOrder, ...]:
    """A closed case pages no further; what its closing tells the coordinator is told once."""
    site = roster.site_for(case.destination)[0]
    told = [
        Owing(each, Step(at=each.starts_at, roles=each.holders, rung=0), asked="review")
        for each in case.obligations
        if each.name == "review" and case.closed_at and each.starts_at >= case.closed_at
    ]
    due = [each for each in told if each.obligation.met_at is None]
    made = _attempts(case, roster, site, due, case.as_of)
    sent_on = sent_on_at(case, roster)
    return tuple(_order(case, book, each, sent_on) for each in made if not each.attempt.is_extra)


@dataclass(frozen=True, slots=True)
class _Call:
    """One route to one person for one step."""

    owing: Owing
    role: str
    who: OnCall
    site: str
    attempt: Attempt


def _attempts(
    case: Case, roster: Roster, site: str, due: list[Owing], now: datetime
) -> Iterator[_Call]:
    """Whom the latest step of each ladder reaches, by which route, now and next."""
    first, latest = _latest(due)
    by_role = {
        (each.obligation.run_tag, served.id)
        for each, role in latest.values()
        if each.person is None and (served := roster.on_call(site, role, now).person)
    }
    for key, (each, role) in latest.items():
        who = _who(roster, site, role, each, now)
        told = who.person is not None and (each.obligation.run_tag, who.person.id) in by_role
        if each.person is not None and told:
            continue  # the same person is told as the role they are on call for
        is_hushed = _is_hushed(case, each, who, now)
        is_repeat = each.step.round > 0 and each.step.rung != SHIFT_END_RUNG
        for contact in contacts(who.person, case.tier):
            for attempt in attempts(contact, first=first[key], step=each.step.at, now=now):
                if not (is_hushed and (attempt.is_extra or is_repeat)):
                    yield _Call(each, role, who, site, attempt)


_Key = tuple[str, str, str]


def _latest(due: list[Owing]) -> tuple[dict[_Key, datetime], dict[_Key, tuple[Owing, str]]]:
    """By obligation, run and whom: when they were first to be told, and the latest step."""
    first: dict[_Key, datetime] = {}
    latest: dict[_Key, tuple[Owing, str]] = {}
    for each in due:
        for role in each.step.roles:
            whom = each.person.identity if each.person else role
            key = (each.obligation.name, each.obligation.run_tag, whom)
            first[key] = min(first.get(key, each.step.at), each.step.at)
            other = latest.get(key)
            if other is None or _place(each) >= _place(other[0]):
                latest[key] = (each, role)
    return first, latest


def _place(each: Owing) -> tuple[datetime, int, int]:
    return each.step.at, each.step.rung, each.step.round


def _identities(person: Person) -> set[str]:
    """What an answer may have named them by."""
    return {person.id, Actor(name=person.name, role=person.role).identity}


def _is_hushed(case: Case, each: Owing, who: OnCall, now: datetime) -> bool:
    """Repeats to a person who answered: for good on a ladder, else for the time promised.

    Whoever serves in their place by now has answered nothing, and is told.
    On a ladder whose rung was declined nobody of that rung is tried again before its rounds. An
    answer to the ladder is none to the end of the owner's shift.
    """
    person = _identities(who.person) if who.person else set()
    if each.obligation.name == ACKNOWLEDGEMENT:
        run = case.run
        if run is None:
            return False
        is_declined = each.step.round == 0 and each.step.rung in {rung for _, rung in run.declines}
        # On a lesser ladder anybody may answer: whoever could not stop the other is asked again.
        is_emergent = run.after_treatment or case.tier is Tier.EMERGENT
        is_end = each.step.rung == SHIFT_END_RUNG
        hushed = {who for who, rung in run.hushed if (rung == SHIFT_END_RUNG) == is_end}
        return is_declined or (is_emergent and bool(person & hushed))
    return any(
        hold.obligation == each.obligation.name
        and hold.run_tag == each.obligation.run_tag
        and hold.person in person
        and hold.until > now
        for hold in case.holds
    )


def _order(case: Case, book: PolicyBook, call: _Call, sent_on: datetime | None) -> PageOrder:
    obligation, step = call.owing.obligation, call.owing.step
    meant, who, route = call.owing.person, call.who, call.attempt.route
    # One who is meant in person has been told, but that the case goes to another site.
    is_told = who.chosen_by.startswith(IN_PERSON) and step.rung != SHIFT_END_RUNG
    key = PageKey(
        case=case.id,
        obligation=obligation.name,
        run_tag=obligation.run_tag,
        rung=step.rung,
        round=step.round,
    )
    return PageOrder(
        page=page_id(
            key,
            role=meant.identity if meant else call.role,
            route=call.attempt.label,
            sent_on=None if is_told else sent_on,
        ),
        case=case.id,
        tier=case.tier,
        reason_class=reason_class(case, obligation, book),
        asked=call.owing.asked,
        obligation=obligation.name,
        due_at=obligation.due_at,
        owed_at=call.attempt.at,
        run=obligation.run,
        rung=step.rung,
        round=step.round,
        role=call.role,
        site=call.site,
        person=who.person.id if who.person else None,
        name=who.person.name if who.person else None,
        chosen_by=who.chosen_by,
        route=route.name,
        route_kind=route.kind,
        callback=case.callback,
        policy=case.policy,
    )


def _who(roster: Roster, site: str, role: str, each: Owing, now: datetime) -> OnCall:
    """The person meant, where one is; otherwise whoever is on call for the role now."""
    meant = each.person.person if each.person else None
    if meant is not None and meant in roster.people:
        return OnCall(person=roster.people[meant], chosen_by=each.chosen_by, site=site)
    return roster.on_call(site, role, now)
