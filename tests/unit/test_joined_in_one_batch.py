"""Two referrals of one patient and their joining, in whatever batches and order they are read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from tests.scenarios.house import House
from tests.scenarios.script import Script, case_of
from triage.domain.events import Event, EventType

START = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def _events() -> list[Event]:
    script = Script(START)
    steps = [
        {"hospital": "referral.submitted", "patient": "mild weakness, stable"},
        {
            "hospital": "referral.submitted",
            "referral": "second",
            "patient": "cannot walk, stable",
        },
        {
            "centre": "cases.joined",
            "cases": ["first", "second"],
            "who": "coordinator",
            "data": {"agreed": ["nhs", "birth_date"]},
        },
    ]
    made = [script.event(step, START, []) for step in steps]
    return [each for each in made if each is not None]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("size", [1, 2, 3])
def test_any_order_in_any_batches_gives_one_emergent_case(
    order: tuple[int, ...], size: int
) -> None:
    house, events = House(), _events()
    shuffled = [events[place] for place in order]
    for number in range(0, 3, size):
        house.receive(shuffled[number : number + size], START)
    house.pass_time(START + timedelta(minutes=6))
    for name, other in (("first", "second"), ("second", "first")):
        document = house.document(case_of(name))
        assert document is not None
        assert document["tier"] == "EMERGENT"
        assert document["joined"] == [case_of(other)]
        assert document["referral"] == f"hospital:RX1/{name}"
    lead = {each.order.case for each in house.sent if each.order.rung == 2}
    assert len(lead) == 1


@pytest.mark.timeout(60)
def test_joined_and_parted_again_and_again_is_read_in_time_and_ends_as_it_was() -> None:
    """Each joining asks what the cases were before it: were that worked out anew for each joining
    before them, the work would double every time, and thirty would never be read."""
    house, (first, second, joined) = House(), _events()
    events = [first, second]
    for number in range(30):
        at = START + timedelta(minutes=1 + number)
        again = replace(joined, id=f"joined-{number}", occurred_at=at, received_at=at)
        data = {key: value for key, value in joined.data.items() if key != "agreed"}
        apart = replace(again, id=f"parted-{number}", type=EventType.CASES_PARTED, data=data)
        events += [again, replace(apart, received_at=at + timedelta(seconds=20))]
    house.receive(events, events[-1].received_at)
    documents = [house.document(case_of(name)) for name in ("first", "second")]
    assert [each and each["joined"] for each in documents] == [[], []]
    assert [each and each["tier"] for each in documents] == ["URGENT", "EMERGENT"]
