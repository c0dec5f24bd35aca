"""Joining and parting of cases: only by a named person who agreed two identifiers (hazard H4)."""

from collections.abc import Iterable, Iterator, Sequence

from triage.domain.authority import refusal
from triage.domain.case import Verdict
from triage.domain.case_id import read_case_id
from triage.domain.events import CaseId, Event, EventType, read_actor
from triage.workflow.course import Course
from triage.workflow.people import hands_over_a_shift

_IDENTIFIERS_NEEDED = 2
JOINT = frozenset({EventType.CASES_JOINED, EventType.CASES_PARTED})


def join(course: Course, event: Event) -> Verdict:
    """`cases.joined.v1`: from here the named cases are one fold, until they are parted."""
    why_not = problem(event)
    if why_not is not None:
        return Verdict(False, why_not, review=why_not)
    course.members |= dict.fromkeys(_others(course, event), True)
    return Verdict(True)


def part(course: Course, event: Event) -> Verdict:
    """`cases.parted.v1`: each named case folds its own log again; nothing of any is lost."""
    why_not = problem(event)
    if why_not is not None:
        return Verdict(False, why_not, review=why_not)
    is_named = course.case in named_cases(event)
    left = list(course.members) if is_named else _others(course, event)
    course.members |= dict.fromkeys(left, False)
    return Verdict(True)


def problem(event: Event) -> str | None:
    """Why a joining or parting has no effect on any case; None when it has."""
    cases, by = named_cases(event), read_actor(event.data.get("by"))
    if event.case not in cases:
        return "data.cases does not name this case"
    if by is None or not by.is_named:
        return "data.by names no person with a role"
    if event.type is EventType.CASES_PARTED:
        return None
    if len(cases) < 2:
        return "data.cases names fewer than two cases"
    agreed = event.data.get("agreed")
    if not isinstance(agreed, list) or len({str(each) for each in agreed}) < _IDENTIFIERS_NEEDED:
        return "data.agreed names fewer than two identifiers that agree"
    return None


def has_effect(event: Event) -> bool:
    """Whether it joins or parts cases at all: for all that it names, or for none."""
    return event.type in JOINT and refusal(event) is None and problem(event) is None


def named_cases(event: Event) -> tuple[CaseId, ...]:
    """The readable case ids in `data.cases`, each once, in their order."""
    cases = event.data.get("cases")
    read = [read_case_id(each) for each in cases] if isinstance(cases, list) else []
    return tuple(dict.fromkeys(case for case in read if case is not None))


def logs_before(event: Event, earlier: Sequence[Event]) -> Iterator[tuple[CaseId, list[Event]]]:
    """What a joining brings together: of each case, or cases joined so far, the log until then."""
    beside = _neighbours(earlier)
    done: set[CaseId] = set()
    for case in named_cases(event):
        if case in done:
            continue
        group = [case]
        for member in group:  # grows while members bring more
            group += sorted(beside.get(member, set()) - set(group))
        done.update(group)
        yield case, [each for each in earlier if each.case in group or _is_shared(each)]


def _is_shared(event: Event) -> bool:
    """It stands in the logs of several cases."""
    return event.type in JOINT or hands_over_a_shift(event)


def _neighbours(earlier: Iterable[Event]) -> dict[CaseId, set[CaseId]]:
    beside: dict[CaseId, set[CaseId]] = {}
    for event in filter(has_effect, earlier):
        named = named_cases(event)
        for case in named:
            if event.type is EventType.CASES_JOINED:
                beside.setdefault(case, set()).update({*named} - {case})
                continue
            for other in beside.pop(case, set()):
                beside[other].discard(case)
    return beside


def _others(course: Course, event: Event) -> list[CaseId]:
    return [case for case in named_cases(event) if case != course.case]
