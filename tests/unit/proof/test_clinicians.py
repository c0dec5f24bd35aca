"""Simulated clinicians: most pages are answered, some never; the pathway follows the answer."""

from datetime import UTC, datetime, timedelta

import orjson

from triage.consumers.topics import ACTIONS
from triage.proof.clinicians import Clinicians

NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def page(number: int, **changes: object) -> dict[str, object]:
    return {
        "page": f"AAAA-BBBB-{number:04d}.acknowledgement.1.0.0.x",
        "case": f"AAAA-BBBB-{number:04d}",
        "tier": "EMERGENT",
        "obligation": "acknowledgement",
        "run": "e-1",
        "role": "registrar",
        **changes,
    }


def clinicians(**options: object) -> Clinicians:
    return Clinicians(5, lambda case: f"hospital:RX1/{case}", **options)  # type: ignore[arg-type]


def acts(staff: Clinicians, until: datetime = LATER) -> list[dict[str, object]]:
    return [orjson.loads(m.value or b"") for m in staff.due(until)]


def answers(staff: Clinicians) -> list[dict[str, object]]:
    return [a for a in acts(staff) if a["type"] == "page.acknowledged.v1"]


def test_most_pages_are_answered_and_some_never() -> None:
    staff = clinicians()
    for number in range(200):
        staff.see(page(number), NOW)
    assert 90 < len(answers(staff)) < 180


def test_what_follows_an_answer_ends_in_a_closed_case_and_is_in_order() -> None:
    staff = clinicians()
    for number in range(20):
        staff.see(page(number), NOW)
    everything = acts(staff)
    instants = [str(a["time"]) for a in everything]
    assert instants == sorted(instants)
    one = [a for a in everything if a["referral"] == everything[0]["referral"]]
    assert one[0]["type"] == "page.acknowledged.v1"
    assert one[-1]["type"] == "case.closed.v1"


def test_a_coordinator_never_stops_an_emergent_ladder() -> None:
    staff = clinicians()
    for number in range(50):
        staff.see(page(number, role="coordinator"), NOW)
    assert not answers(staff)


def test_one_run_is_answered_once_even_when_it_pages_many() -> None:
    staff = clinicians()
    for _ in range(30):
        staff.see(page(1, role="consultant"), NOW)
    coming = [a for a in answers(staff) if a["data"]["answer"] == "coming"]  # type: ignore[index]
    assert len(coming) == 1


def test_unread_quarantine_is_left_to_the_visitor() -> None:
    staff = clinicians()
    staff.see(page(1, case=None, tier=None, obligation="unread_quarantine"), NOW)
    assert not acts(staff)


def test_a_visitor_has_time_to_answer_first() -> None:
    staff = clinicians(pace=600.0, shortest_answer=timedelta(seconds=20))
    for number in range(50):
        staff.see(page(number), NOW)
    assert not staff.due(NOW + timedelta(seconds=19))
    assert staff.due(NOW + timedelta(seconds=21))


def test_acts_go_to_the_centres_topic_under_the_referral_that_is_meant() -> None:
    staff = clinicians()
    for number in range(20):
        staff.see(page(number), NOW)
    for message in staff.due(LATER):
        event = orjson.loads(message.value or b"")
        assert message.topic == ACTIONS
        assert message.key.decode() == event["referral"]
        assert event["source"] == "centre:NEURO"
