"""`plan`: what should exist by now. Page orders owed, timers that ran out, the next due instant.

Level-triggered: the same case at the same instant gives the same orders under the same keys, and
whoever inserts them if absent ends with the same pages. Of several steps that are past, each role
is owed the latest; what a step replaced is not sent any more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from triage.domain.case import Case, CaseState, Timer
from triage.domain.paging import ACKNOWLEDGEMENT, PageKey, PageOrder, page_id
from triage.domain.roster import OWNER_OF_CASE, OnCall, Roster
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.workflow.ladder import Step
from triage.workflow.reason_class import reason_class
from triage.workflow.routing import routes_for
from triage.workflow.steps import Owing, Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Orders owed by now, timers to raise now, and the next instant at which something is owed."""

    orders: tuple[PageOrder, ...]
    raises: tuple[Timer, ...]
    next_due_at: datetime | None


def plan(case: Case, book: PolicyBook, roster: Roster, now: datetime) -> Plan:
    """What is owed for a case at `now` (due at exactly now counts as due)."""
    if case.state is CaseState.CLOSED:
        return Plan(orders=_told_at_closing(case, book, roster), raises=(), next_due_at=None)
    site = roster.sites[roster.site_for(case.destination)[0]]
    owing = list(Steps(case, book, roster, site).all())
    due = [each for each in owing if each.step.at <= now]
    raises = tuple(timer for timer in case.timers if timer.due_at <= now)
    orders = tuple(_orders(case, book, roster, site.id, due, now))
    return Plan(orders=orders, raises=raises, next_due_at=_next(case, owing, now))


def _next(case: Case, owing: Iterable[Owing], now: datetime) -> datetime | None:
    instants = [each.step.at for each in owing if each.step.at > now]
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
    return tuple(_orders(case, book, roster, site, due, case.as_of))


def _orders(
    case: Case, book: PolicyBook, roster: Roster, site: str, due: list[Owing], now: datetime
) -> Iterable[PageOrder]:
    latest: dict[tuple[str, str, str], tuple[Owing, str]] = {}
    for each in due:
        for role in each.step.roles:
            whom = each.person.identity if each.person else role
            key = (each.obligation.name, each.obligation.run_tag, whom)
            other = latest.get(key)
            if other is None or (each.step.at, each.step.rung, each.step.round) >= (
                other[0].step.at,
                other[0].step.rung,
                other[0].step.round,
            ):
                latest[key] = (each, role)
    by_role = {
        (each.obligation.run_tag, who.id)
        for each, role in latest.values()
        if each.person is None and (who := roster.on_call(site, role, now).person)
    }
    for each, role in latest.values():
        meant = each.person.person if each.person else None
        if meant is not None and (each.obligation.run_tag, meant) in by_role:
            continue  # the same person is told as the role they are on call for
        if not _is_hushed(case, each, role, roster, site, now):
            yield from _page(case, book, roster, site, each, role, now)


def _is_hushed(
    case: Case, each: Owing, role: str, roster: Roster, site: str, now: datetime
) -> bool:
    """Repeats to a person who answered: for good on a ladder, else for the time promised."""
    if each.step.round == 0:
        return False
    person = roster.on_call(site, role, now).person
    who = {person.id} if person else set()
    if each.obligation.name == ACKNOWLEDGEMENT:
        return case.run is not None and bool(who & set(case.run.hushed))
    return any(
        hold.obligation == each.obligation.name
        and hold.run_tag == each.obligation.run_tag
        and (hold.person in who or hold.role == role)
        and hold.until > now
        for hold in case.holds
    )


def _page(
    case: Case, book: PolicyBook, roster: Roster, site: str, each: Owing, role: str, now: datetime
) -> Iterable[PageOrder]:
    obligation, step = each.obligation, each.step
    key = PageKey(
        case=case.id,
        obligation=obligation.name,
        run_tag=obligation.run_tag,
        rung=step.rung,
        round=step.round,
    )
    who = _who(roster, site, role, each, now)
    whom = each.person.identity if each.person else role
    for route in routes_for(who.person, is_emergent=case.tier is Tier.EMERGENT):
        yield PageOrder(
            page=page_id(key, role=whom, route=route.name),
            case=case.id,
            tier=case.tier,
            reason_class=reason_class(case, obligation, book),
            asked=each.asked,
            obligation=obligation.name,
            due_at=obligation.due_at,
            owed_at=step.at,
            run=obligation.run,
            rung=step.rung,
            round=step.round,
            role=role,
            site=site,
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
        return OnCall(person=roster.people[meant], chosen_by=OWNER_OF_CASE, site=site)
    return roster.on_call(site, role, now)
