"""The end of the shift of somebody who owns an open EMERGENT case: who leaves and who takes over.

The roster says when people are asked. That nobody accepted is committed to the case's log as
`shift.ended.v1`, so no later roster changes who owned the case.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from triage.domain.case import Acknowledgement, Case, CaseState, Leaving, Run, Timer
from triage.domain.events import Actor
from triage.domain.roster.roster import TAKES_OVER, Person, Roster
from triage.domain.roster.shifts import posts_of, serves_until
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.workflow.people import SHIFT_RUN, is_same
from triage.workflow.sent_on import leaves_behind
from triage.workflow.terms import hand_over_wait
from triage.workflow.timers import SENT_ON, SHIFT_END


def with_shift_end(case: Case, book: PolicyBook, roster: Roster) -> Case:
    """The case, knowing when its owner leaves, and with the timer that calls everybody then."""
    leaving = _leaving(case, book, roster)
    held = case.acknowledgement
    if leaving is None or held is None:
        return case
    rule = SENT_ON if leaving.is_sent_on else SHIFT_END
    timer = Timer(rule=rule, started_at=leaving.at, due_at=leaving.lapses_at, event=held.event)
    return replace(case, leaving=leaving, timers=(*case.timers, timer))


def _leaving(case: Case, book: PolicyBook, roster: Roster) -> Leaving | None:
    """None where nobody leaves: nobody owns it or was asked to, or the roster knows of no shift and
    the case is where it was."""
    held, run = case.acknowledgement, case.run
    if held is None or run is None or held.asked is not None or not _pages_on(case, run):
        return None
    site, owner = roster.site_for(case.destination)[0], person_of(held.by, roster)
    elsewhere = leaves_behind(case, held, owner, book, roster)
    if elsewhere is not None or owner is None:
        return elsewhere
    found = _leaves(case, held, run, owner, book, roster)
    if found is None:
        return None
    ends, lapses = found
    role = _role_left(roster, site, owner, held, ends, book)
    serving = roster.on_call(site, role, max(ends, held.received_at))
    next_one = serving.person if serving.person is not owner else None
    return Leaving(
        warns_at=ends - book.ladders.promise.shift_end_warning,
        at=ends,
        lapses_at=lapses,
        successor=_actor(next_one, role, site) if next_one else None,
        chosen_by=f"{TAKES_OVER}: {serving.chosen_by}",
    )


def _leaves(
    case: Case, held: Acknowledgement, run: Run, owner: Person, book: PolicyBook, roster: Roster
) -> tuple[datetime, datetime] | None:
    """When the shift ends, and when everybody is called unless somebody has taken over."""
    site, wait = roster.site_for(case.destination)[0], hand_over_wait(book, Tier.EMERGENT)
    warning = book.ladders.promise.shift_end_warning
    starts = held.received_at, held.received_at + warning
    ends = _duty_ends(roster, site, owner, *starts)
    if ends is not None:
        knows = held.received_at >= ends - warning
        return ends, max(ends + wait, held.until) if knows else ends + wait
    if any(posts_of(roster, site, owner.id, at) for at in starts):
        return None  # on duty, and for ever as far as the roster knows
    ends = _duty_ends(roster, site, owner, case.opened_at)
    if ends is None and _took_it_back(held, run):
        ends = run.started_at - wait
    # Their shift is over and they know it: what they say holds for as long as they say.
    return (ends, held.until) if ends is not None else None


def _pages_on(case: Case, run: Run) -> bool:
    """An EMERGENT ladder that would go on if nobody owned the case."""
    if case.state is CaseState.CLOSED:
        return False
    return run.after_treatment or (case.tier is Tier.EMERGENT and case.treated_at is None)


def _took_it_back(held: Acknowledgement, run: Run) -> bool:
    """The run began because this person's shift had ended, and they answered it all the same."""
    before = run.also_person
    return run.name.startswith(SHIFT_RUN) and before is not None and is_same(held.by, before)


def _duty_ends(roster: Roster, site: str, owner: Person, *starts: datetime) -> datetime | None:
    """When the owner first serves in no role any more.

    Counted from the first of `starts` at which they serve: who accepts a little before their
    shift begins is on duty. None: on no rota then (a fellow who is in the house), or for ever.
    """
    for start in starts:
        if posts_of(roster, site, owner.id, start):
            return serves_until(roster, site, owner.id, start)
    return None


def _role_left(
    roster: Roster,
    site: str,
    owner: Person,
    held: Acknowledgement,
    ends: datetime,
    book: PolicyBook,
) -> str:
    """Whose next holder takes over: the role in which they own the case, if they leave that one,
    else one whose holder may own it."""
    left = posts_of(roster, site, owner.id, ends - timedelta.resolution)
    own = held.by.role or ""
    fit = (own, *book.authority.may.stop_emergent_ladder)
    return next((role for role in (*fit, *left) if role in left), own)


def person_of(actor: Actor, roster: Roster) -> Person | None:
    """The person of the roster, by id, else by the only one of that name."""
    if actor.person is not None:
        return roster.people.get(actor.person)
    named = [each for each in roster.people.values() if each.name == actor.name]
    return named[0] if len(named) == 1 else None


def _actor(person: Person, role: str, site: str) -> Actor:
    return Actor(person=person.id, name=person.name, role=role, site=site)
