"""Which cases belong together: those joined in one fold, and those that one shift hands over."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

import orjson

from triage.domain.case import Case
from triage.domain.events import Actor, CaseId, Event, EventType, read_actor
from triage.store.transaction import Transaction
from triage.workflow.people import is_same


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


def carried_cases(tx: Transaction, event: Event) -> Iterator[CaseId]:
    """What a shift's hand-over is about: open cases that `from` owns; of an acceptance those that
    `to` was asked to take. Nothing where `from` names nobody with a role.
    """
    giver, to = read_actor(event.data.get("from")), read_actor(event.data.get("to"))
    if giver is None or giver.role is None or to is None:
        return
    is_offer = event.type is EventType.HANDOVER_OFFERED
    for case, document in tx.owned_cases(giver.role):
        owner = orjson.loads(document).get("owner") or {}
        if _is(owner, giver) and (is_offer or _is(owner.get("asked"), to)):
            yield case


def _is(shown: object, person: Actor) -> bool:
    actor = read_actor(shown)
    return actor is not None and is_same(actor, person)
