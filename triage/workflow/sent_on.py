"""A case that is sent on to another receiving site: nobody there has been told of it yet.

The destination is a word of the sender's; which site that is says the roster.
"""

from datetime import datetime

from triage.domain.case import Acknowledgement, Case, Leaving
from triage.domain.events import Actor
from triage.domain.roster.roster import TAKES_OVER, Person, Roster
from triage.domain.roster.shifts import posts_of
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook
from triage.workflow.terms import hand_over_wait


def sent_on_at(case: Case, roster: Roster) -> datetime | None:
    """Since when the site that receives the case does so; None where it did from the start.

    Where nothing was named it is at the default desk, which is asked about what comes before the
    referral: then the case is sent on when it opens.
    """
    if len(roster.sites) == 1:
        return None
    site, since = roster.default_site, None
    for at, destination in case.destinations:
        named = roster.site_for(destination)[0]
        if named != site:
            site, since = named, at
    return since


def leaves_behind(
    case: Case, held: Acknowledgement, owner: Person | None, book: PolicyBook, roster: Roster
) -> Leaving | None:
    """The case has gone to another site than its owner's: it is handed over as at a shift's end.

    Whoever answered after that knows it, and has the case for as long as they promise.
    """
    site, since = roster.site_for(case.destination)[0], sent_on_at(case, roster)
    if since is None or since <= case.opened_at or held.by.site == site:
        return None
    at, wait = max(since, held.received_at), hand_over_wait(book, Tier.EMERGENT)
    if owner is not None and posts_of(roster, site, owner.id, at):
        return None
    knows = held.received_at >= since
    fit = (held.by.role or "", *book.authority.may.stop_emergent_ladder)
    role = next((each for each in fit if roster.on_call(site, each, at).person), fit[0])
    serving = roster.on_call(site, role, at)
    there = serving.person
    return Leaving(
        warns_at=since,
        at=since,
        lapses_at=max(since + wait, held.until) if knows else since + wait,
        successor=Actor(person=there.id, name=there.name, role=role, site=site) if there else None,
        chosen_by=f"{TAKES_OVER}: {serving.chosen_by}",
        is_sent_on=True,
        is_known=owner is not None,
    )
