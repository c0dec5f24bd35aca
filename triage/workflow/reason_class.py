"""Why a page goes out, in words that carry no detail of the patient."""

from triage.domain.case import Case, Obligation
from triage.domain.paging import ACKNOWLEDGEMENT
from triage.policies.book import PolicyBook


def reason_class(case: Case, obligation: Obligation, book: PolicyBook) -> str:
    """For the ladder the rules' classes, for another obligation what is awaited."""
    if obligation.name != ACKNOWLEDGEMENT:
        titles = {row.name: row.title for row in book.deadlines.obligation}
        late = case.as_of > obligation.due_at
        title = titles.get(obligation.name, obligation.name)
        return f"{title}: {'overdue' if late else 'due'}"
    cause = case.run.cause if case.run else ""
    classes = [book.rule_class(rule) for rule in case.rules]
    words = ", ".join(dict.fromkeys(word for word in classes if word))
    return f"{words or case.tier.value.lower()} ({cause})" if cause else words
