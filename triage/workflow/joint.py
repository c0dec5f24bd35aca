"""What a joined case keeps of each (contract 1): highest tier, earliest clocks, open ladder.

One fold of all their events alone would let what was done about one of them (a closing, a lower
tier, an answer) quiet another, which it was never about.
"""

from collections.abc import Sequence
from dataclasses import replace

from triage.domain.events import Event
from triage.domain.tiers import Tier
from triage.workflow.course import Course
from triage.workflow.people import ladder_tier
from triage.workflow.ratchet import latest_occurred, rise
from triage.workflow.result import NO_FINDINGS


def unite(course: Course, parts: Sequence[Course], event: Event) -> None:
    """`parts` are the courses of the cases until they were joined, the first received first."""
    if len(parts) < 2:
        return
    _keep_open(course, parts)
    _keep_tier(course, parts, event)
    _keep_clocks(course, parts)
    _keep_destinations(course, parts[0], event)
    _keep_timers(course, parts)
    if not course.is_closed:
        _keep_ladder(course, [each for each in parts if not each.is_closed], event)


def _keep_open(course: Course, parts: Sequence[Course]) -> None:
    """Closed only where each of them is; the same of what closes it once others agree."""
    still = [each for each in parts if not each.is_closed]
    if not still:
        closings = [each.closing for each in parts if each.closing is not None]
        course.closing = max(closings, key=lambda each: each.received_at)
        course.run = course.acknowledgement = None
        return
    course.closing = None
    course.cancellation = next((each.cancellation for each in still if each.cancellation), None)
    if not all(each.declined for each in still):
        course.declined = None


def _keep_tier(course: Course, parts: Sequence[Course], event: Event) -> None:
    course.ever_emergent = course.ever_emergent or any(each.ever_emergent for each in parts)
    top = max(parts, key=lambda each: each.standing_tier.rank)
    if top.tier is None or top.standing_tier.rank < course.standing_tier.rank:
        return
    if top.standing_tier is course.standing_tier:
        for each in parts:
            if each.standing_tier is top.standing_tier:
                course.given_rules |= each.given_rules & NO_FINDINGS
        return
    course.palliative = course.palliative_by = None
    rise(course, top.tier, frozenset(top.given_rules), event, by=None, reason=None)
    course.is_lowered, course.lowering = top.is_lowered, top.lowering
    course.emergent_rules |= top.emergent_rules


def _keep_clocks(course: Course, parts: Sequence[Course]) -> None:
    """And what was missed: by one of them, not by all as if they had been one before."""
    course.missed = tuple(dict.fromkeys(missed for each in parts for missed in each.missed))
    received = [each.received_at for each in parts if each.received_at is not None]
    course.received_at = min(received)
    if course.restarts:
        course.restarts[0].at = min(course.restarts[0].at, course.received_at)


def _keep_destinations(course: Course, first: Course, event: Event) -> None:
    """Until now the case that leads went where its own messages said; from here on, all of them."""
    last = course.destinations[-1:]
    course.destinations = list(first.destinations)
    if last and (not first.destinations or first.destinations[-1][1] != last[0][1]):
        course.destinations.append((event.received_at, last[0][1]))


def _keep_timers(course: Course, parts: Sequence[Course]) -> None:
    """A lower tier or a closing of one of them ended no timer of another."""
    since = [each.timer60_since for each in parts if each.timer60_since is not None]
    present = course.merged.assess(course.book, latest_occurred(course)) if since else None
    if present is not None and present.timer_60:
        course.timer60_since = min(since)
    running = {each.event for part in parts for each in part.rechecks if each.raises}
    course.rechecks = [
        replace(each, raises=each.raises or each.event in running) for each in course.rechecks
    ]


def _keep_ladder(course: Course, parts: Sequence[Course], event: Event) -> None:
    """A ladder that nobody answered goes on, unless somebody has the patient at a higher tier."""
    owned = [each for each in parts if each.acknowledgement is not None]
    held = max(owned, key=_rank, default=None)
    waiting = [each for each in parts if _is_waiting(each)]
    still = [each for each in waiting if held is None or _rank(each) >= _rank(held)]
    if still:
        _wait(course, still)
    elif held is not None and _rank(held) >= course.standing_tier.rank:
        course.run, course.acknowledgement = held.run, held.acknowledgement
    elif held is not None and not _is_waiting(course):
        _begin_above(course, held, event)
    stands = course.run.tag if course.run is not None else ""
    course.ended_runs = [each for each in course.ended_runs if each.run.tag != stands]


def _begin_above(course: Course, held: Course, event: Event) -> None:
    """Whoever has the calmer case is told, as at a raise; the fold of all may not know of them."""
    course.start_run(
        name=event.id,
        tag_parts=event.key,
        at=event.receipt,
        cause="joined with a case of a higher tier",
    )
    if course.run is not None and held.acknowledgement is not None:
        is_emergent = course.run.after_treatment or course.standing_tier is Tier.EMERGENT
        roles = ("consultant",) if is_emergent else ()
        course.run = replace(course.run, also_person=held.acknowledgement.by, also_roles=roles)


def _wait(course: Course, parts: Sequence[Course]) -> None:
    runs = [each.run for each in sorted(parts, key=_urgency) if each.run is not None]
    first, *others = runs
    carried = {each for run in runs for each in run.carried}
    carried |= {(each.started_at, each.tier) for each in others}
    course.run = replace(first, carried=tuple(sorted(carried)))
    course.acknowledgement = None
    if course.treated_at is not None and not first.after_treatment:
        course.run = replace(
            course.run, tier=Tier.EMERGENT, after_treatment=True, also_roles=("consultant",)
        )


def _is_waiting(part: Course) -> bool:
    """Its ladder runs: nobody has answered, and no treatment has ended it."""
    is_over = part.treated_at is not None and part.run is not None and not part.run.after_treatment
    return part.run is not None and part.acknowledgement is None and not is_over


def _rank(part: Course) -> int:
    return ladder_tier(part).rank


def _urgency(part: Course) -> tuple[int, object]:
    assert part.run is not None
    return -_rank(part), part.run.started_at
