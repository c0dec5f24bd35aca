"""Joining and parting of cases: only by a named person who agreed two identifiers (hazard H4)."""

from triage.domain.case import Verdict
from triage.domain.case_id import read_case_id
from triage.domain.events import CaseId, Event, read_actor
from triage.workflow.course import Course

_IDENTIFIERS_NEEDED = 2


def join(course: Course, event: Event) -> Verdict:
    """`cases.joined.v1`: from here the named cases are one fold, until they are parted."""
    cases = named_cases(event)
    agreed = event.data.get("agreed")
    if len(cases) < 2 or course.case not in cases:
        return _refused("data.cases names fewer than two cases, or not this one")
    if not isinstance(agreed, list) or len({str(each) for each in agreed}) < _IDENTIFIERS_NEEDED:
        return _refused("data.agreed names fewer than two identifiers that agree")
    return _mark(course, event, cases, joined=True)


def part(course: Course, event: Event) -> Verdict:
    """`cases.parted.v1`: each case folds its own log again; nothing of either is lost."""
    cases = named_cases(event)
    if course.case not in cases:
        return _refused("data.cases does not name this case")
    return _mark(course, event, cases, joined=False)


def named_cases(event: Event) -> tuple[CaseId, ...]:
    """The readable case ids in `data.cases`, each once, in their order."""
    cases = event.data.get("cases")
    read = [read_case_id(each) for each in cases] if isinstance(cases, list) else []
    return tuple(dict.fromkeys(case for case in read if case is not None))


def _mark(course: Course, event: Event, cases: tuple[CaseId, ...], *, joined: bool) -> Verdict:
    by = read_actor(event.data.get("by"))
    if by is None or not by.is_named:
        return _refused("data.by names no person with a role")
    for case in cases:
        if case != course.case:
            course.members[case] = joined
    return Verdict(True)


def _refused(reason: str) -> Verdict:
    return Verdict(False, reason, review=reason)
