"""The policy book printed for reading: rules, flags, deadlines and ladders with their sources."""

from collections.abc import Iterator

from triage.policies.book import PolicyBook
from triage.policies.explain import explain_rule
from triage.policies.tables import When


def printed(book: PolicyBook) -> str:
    """The whole book as text, one row a paragraph."""
    return "\n".join(_lines(book)) + "\n"


def _lines(book: PolicyBook) -> Iterator[str]:
    yield f"{book.title}, version {book.version}"
    yield "DRAFT, unsigned" if book.is_draft else "signed"
    yield ""
    yield "RULES"
    for rule in book.documents.tiers.rule:
        yield f"{rule.id}  {rule.tier or 'as set'}  {explain_rule(rule.id, book)}"
        for row in rule.rows:
            yield f"    when {_when(row.when)}: {row.because}"
        if rule.because:
            yield f"    {rule.applied or 'otherwise'}: {rule.because}"
    yield ""
    yield "FLAGS (they never change the tier)"
    for flag in book.documents.flags.flag:
        yield f"{flag.id}: {flag.means}"
    yield ""
    yield "DEADLINES"
    for obligation in book.deadlines.obligation:
        yield f"{obligation.title} ({obligation.name})"
        for clock in obligation.clock:
            for tier, stated in clock.tier.items():
                limits = [f"{limit.within} [{limit.kind}]" for limit in stated.limits]
                words = " or ".join(limits) or stated.words
                yield f"    {tier}: {words}, from {clock.starts}"


def _when(when: When) -> str:
    return "; ".join(f"{name} is {' or '.join(values)}" for name, values in when.items())
