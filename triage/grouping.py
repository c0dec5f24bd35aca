"""Which cases are one fold now: those that joining events link and no parting has undone."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from triage.domain.case import Case
from triage.domain.events import CaseId


class Member(Protocol):
    """A case in hand."""

    @property
    def id(self) -> CaseId:
        """Its id."""
        ...


M = TypeVar("M", bound=Member)


def groups(
    busy: Iterable[M],
    known: Mapping[CaseId, M],
    may_be_joined: Callable[[M], bool],
    alone: Callable[[M], Case],
) -> Iterator[list[M]]:
    """Each group of joined cases once; a case that is joined with nobody is a group of one.

    Only cases for which `may_be_joined` are folded to see with whom.
    """
    done: set[CaseId] = set()
    for first in busy:
        if first.id in done:
            continue
        group = [first]
        for member in group:  # grows while members bring more
            done.add(member.id)
            if may_be_joined(member):
                in_group = {each.id for each in group}
                joined = [known[case] for case in alone(member).joined if case in known]
                group += [each for each in joined if each.id not in in_group]
        yield group
