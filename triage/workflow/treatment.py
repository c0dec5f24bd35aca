"""From surgery or radiotherapy the tier stands; what is found then, and what if there was none."""

from triage.domain.events import Event
from triage.workflow.course import Course
from triage.workflow.merge import Reported
from triage.workflow.ratchet import Seen, deteriorated, raise_to


def after_treatment(
    course: Course, report: Reported, seen: Seen, *, is_set_emergent: bool = False
) -> None:
    """The tier stands; only deterioration pages again."""
    treated = course.treated_at
    if treated is None or report.event.occurred_at < treated:
        return
    if is_set_emergent or deteriorated(report, seen, course.book) or report.recheck == "motor_loss":
        course.start_run(
            name=report.event.id,
            tag_parts=report.event.key,
            at=report.event.receipt,
            cause="deterioration after treatment",
            after_treatment=True,
        )


def wait_again(course: Course, event: Event) -> None:
    """The treatment was none: what was received since it was told raises now."""
    given, course.unraised = course.unraised, []
    top = max((tier for tier, _ in given), key=lambda tier: tier.rank, default=None)
    if top is not None:
        rules = frozenset(rule for tier, names in given if tier is top for rule in names)
        raise_to(course, top, rules, event)
