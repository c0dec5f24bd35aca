"""Which cases belong together: those joined in one fold, and those that one shift hands over."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeVar

import orjson

from triage.domain.case import Case, CaseState
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

    Only cases for which `may_be_joined` are folded to see with whom. That one of two logs says so
    is enough: the other may have lost it.
    """
    beside: dict[CaseId, set[CaseId]] = {}
    for each in filter(may_be_joined, known.values()):
        for case in alone(each).joined:
            beside.setdefault(each.id, set()).add(case)
            beside.setdefault(case, set()).add(each.id)
    done: set[CaseId] = set()
    for first in busy:
        if first.id in done:
            continue
        group = [first]
        for member in group:  # grows while members bring more
            in_group = {each.id for each in group}
            others = sorted(beside.get(member.id, set()) - in_group)
            group += [known[case] for case in others if case in known]
        done.update(each.id for each in group)
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


def received_first(case: Case) -> tuple[bool, datetime, CaseId]:
    """The least of these leads; a case that nothing has opened yet leads nobody."""
    return case.state is CaseState.UNOPENED, case.opened_at, case.id


def as_lead(alone: Case, joined: Case, group: Sequence[Member]) -> Case:
    """The case of all, under the referral of the one received first."""
    return replace(
        joined,
        referral=alone.referral,
        hospital=alone.hospital,
        joined=_others(alone, group),
    )


def as_member(alone: Case, joined: Case, group: Sequence[Member]) -> Case:
    """What people see of a case for which another one stands."""
    return replace(
        alone,
        tier=joined.tier,
        is_held=joined.is_held,
        rules=joined.rules,
        reasons=joined.reasons,
        state=joined.state,
        owner=joined.owner,
        acknowledgement=joined.acknowledgement,
        run=joined.run,
        joined=_others(alone, group),
        verdicts=joined.verdicts,
    )


def _others(case: Case, group: Sequence[Member]) -> tuple[CaseId, ...]:
    return tuple(sorted(each.id for each in group if each.id != case.id))
