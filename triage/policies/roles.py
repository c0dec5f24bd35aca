"""Which roles the book's ladders page."""

from triage.policies.book import PolicyBook


def paged_roles(book: PolicyBook) -> tuple[str, ...]:
    """Every role that some rung, round, holder or widening names, each once, sorted."""
    found: set[str] = set()
    for ladder in book.ladders.acknowledgement.values():
        for rung in ladder.rungs:
            found.update(rung.roles)
        for step in ladder.steps:
            found.update(step.roles)
        if ladder.rounds is not None:
            found.update(ladder.rounds.roles)
    for holder in book.ladders.holder.values():
        found.update(holder.roles)
    return tuple(sorted(found))
