"""A classification told to a clinician: what, why, on whose word, what was assumed."""

from collections.abc import Iterator, Sequence

from triage.policies.book import PolicyBook
from triage.policies.classify import Assessment
from triage.policies.tables import Cited, Kind

_KINDS = {
    Kind.NATIONAL: "national standard",
    Kind.FORMER: "former national standard",
    Kind.ANALOGUE: "by analogy",
    Kind.PROPOSAL: "proposal of this project",
}


def explain(assessment: Assessment, book: PolicyBook) -> str:
    """The text of `triage explain` for what findings gave; nothing in it names the patient."""
    return "\n".join(_lines(assessment, book)) + "\n"


def explain_rule(rule: str, book: PolicyBook) -> str:
    """One rule's standing: how firm it is and every source in full."""
    return _standing(book.compiled.rules[rule], book)


def _lines(assessment: Assessment, book: PolicyBook) -> Iterator[str]:
    yield f"{assessment.tier}"
    yield ""
    yield "Why:"
    for reason in assessment.reasons:
        yield f"  {reason}"
        yield f"    {explain_rule(_rule_of(reason), book)}"
    others = sorted(set(assessment.all_rules) - set(assessment.rules))
    if others:
        yield f"Also hit, at a lower tier: {', '.join(others)}"
    yield from _flagged(assessment.flags, book)
    yield from _assumed(assessment.assumed, assessment.needs, book)
    yield ""
    yield f"Policy: {book.title}, version {assessment.policy}" + (
        " (draft, unsigned)" if book.is_draft else ""
    )


def _rule_of(reason: str) -> str:
    """The rule in brackets at a sentence's end."""
    return reason.rpartition("(")[2].rstrip(").")


def _standing(row: Cited, book: PolicyBook) -> str:
    sources = "; ".join(f"{book.sources[key]} [{key}]" for key in row.source)
    return f"{_KINDS[row.kind]}: {sources}"


def _flagged(flags: Sequence[str], book: PolicyBook) -> Iterator[str]:
    if flags:
        yield ""
        yield "Flags (they never change the tier):"
    for name in flags:
        flag = book.compiled.flags[name]
        yield f"  {name}: {flag.means}"
        yield f"    {_standing(flag, book)}"


def _assumed(assumed: Sequence[str], needs: Sequence[str], book: PolicyBook) -> Iterator[str]:
    if assumed:
        yield ""
        yield "Not assessed, and what that was taken for:"
    told = {row.field: row.assumed for row in book.documents.assumptions.assumption}
    for name in assumed:
        ask = " (ask)" if name in needs else ""
        yield f"  {book.findings[name].label}: {told[name]}{ask}"
