"""The second model and production's whole house are of one mind on cases that are joined."""

import os

import pytest

from tests.second_opinion.case_join_compare import JointProduction, first_joint_parting
from tests.second_opinion.case_join_logs import JoinMaker
from tests.second_opinion.case_site_logs import SiteJoinMaker
from triage.domain.case import Case
from triage.domain.events import EventType
from triage.workflow import joint

SEED = int(os.environ.get("TRIAGE_SECOND_MODEL_SEED", "1"))
LOGS = int(os.environ.get("TRIAGE_SECOND_MODEL_LOGS", "150")) // 3
PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("make", [JoinMaker, SiteJoinMaker])
def test_both_models_say_the_same_of_joined_cases(make: type[JoinMaker], part: int) -> None:
    """At one receiving site, and at two."""
    partings = [
        found
        for seed in range(SEED + part, SEED + LOGS, PARTS)
        if (found := first_joint_parting(seed, make)) is not None
    ]
    texts = "\n\n".join(each.text for each in partings[:3])
    assert not partings, f"{len(partings)} logs differ\n{texts}"


def test_cases_are_joined_and_parted_in_these_logs() -> None:
    """With closed, lowered, owned and unknown ones, by those who may and by others; else the test
    above would compare what never happens."""
    wanted = {
        "cases.joined.v1 counts", "cases.joined.v1 is refused", "cases.parted.v1 counts",
        "cases.parted.v1 is refused", "two", "three", "owned", "was closed", "was lowered",
        "was owned", "was unknown", "EMERGENT",
    }  # fmt: skip
    seen = set[str]()
    for seed in range(1, 100):
        if seen >= wanted:
            break
        maker, production, before = JoinMaker(seed), JointProduction(), dict[str, Case]()
        event = maker.first()
        for _ in range(maker.length):
            production.take(event)
            now = {case: each.case for case, each in production.at(event.received_at).items()}
            if event.type in (EventType.CASES_JOINED, EventType.CASES_PARTED):
                is_heard = now[event.case].verdicts[event.key].effect
                seen.add(f"{event.type.value} {'counts' if is_heard else 'is refused'}")
            for case, each in now.items():
                if each.joined:
                    seen |= _told(before.get(case), each)
            before = dict(now)
            event = maker.next_event(production.ordered)
    assert seen >= wanted


def _told(before: Case | None, case: Case) -> set[str]:
    """What a case brings with it when it is joined, and what it is then."""
    found = {"two" if len(case.joined) == 1 else "three", case.tier.value}
    found |= {"owned"} if case.owner else set()
    if before is None:
        return found | {"was unknown"}
    if before.joined:
        return found
    was = {
        "was closed": before.state.value == "closed",
        "was lowered": before.rules == ("SET",),
        "was owned": before.owner is not None,
    }
    return found | {word for word, holds in was.items() if holds}


def test_a_joining_that_keeps_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was: one fold of all events, in which what was done about one quiets the other."""
    monkeypatch.setattr(joint, "unite", lambda course, parts, event: None)
    assert any(first_joint_parting(seed) for seed in range(1, 40))


@pytest.mark.parametrize("kept", ["_keep_open", "_keep_tier", "_keep_ladder"])
def test_a_joining_that_forgets_one_thing_is_seen(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joint, kept, lambda *_: None)
    assert any(first_joint_parting(seed) for seed in range(1, 120))
