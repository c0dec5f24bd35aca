"""The door decides who it is, never the payload."""

import pytest

from tests.unit.intake.builders import CENTRE, HOSPITALS, PERSON, REGISTRY, event, unreadable
from triage.domain.authority import refusal
from triage.domain.events import Sender, Side
from triage.intake.door import Door

SYSTEM = Door(
    name="http", admits=Sender(side=Side.HOSPITAL, source="hospital:RX1"), registry=REGISTRY
)
CLOSURE = {"type": "case.closed.v1", "referral": "hospital:RX1/2026-004711"}


def test_the_hospitals_topic_never_makes_anybody_more_than_a_hospital() -> None:
    found = event(door=HOSPITALS, source="centre:NEURO", **CLOSURE)
    assert found.sender.side is Side.HOSPITAL
    assert not found.sender.is_registered
    assert refusal(found)


def test_an_unregistered_hospital_is_taken_and_marked() -> None:
    found = event(door=HOSPITALS, source="hospital:NEW")
    assert found.marks == ("source_unregistered",)
    assert refusal(found) is None


def test_a_registered_centre_source_speaks_for_the_centre() -> None:
    found = event(door=CENTRE, source="centre:NEURO", **CLOSURE)
    assert (found.sender.side, found.marks) == (Side.CENTRE, ())
    assert refusal(found) is None


def test_another_source_on_the_actions_topic_has_no_effect() -> None:
    found = event(door=CENTRE, source="hospital:RX1", **CLOSURE)
    assert found.sender.side is Side.UNREGISTERED
    assert found.marks == ("source_unregistered",)
    assert refusal(found)


def test_a_credential_sends_under_its_own_source_only() -> None:
    assert event(door=SYSTEM).sender.side is Side.HOSPITAL
    refused = unreadable(door=SYSTEM, source="hospital:RX2")
    assert refused.is_contradiction
    assert refused.reason["path"] == "source"


@pytest.mark.parametrize(
    "by",
    [
        {"person": "con-b"},
        {"role": "consultant"},
        {"name": "Another Registrar"},
        {"site": "centre:OTHER"},
        {"person": "reg-a", "role": "consultant"},
    ],
)
def test_by_may_not_name_another_than_the_credentials_person(by: dict[str, str]) -> None:
    refused = unreadable(door=PERSON, source="centre:NEURO", data={"by": by})
    assert refused.is_contradiction
    assert refused.reason["path"] == "data.by"


@pytest.mark.parametrize(
    "by", [None, {}, {"role": " REGISTRAR "}, {"name": "sample  registrar"}, {"person": "reg-a"}]
)
def test_by_may_be_absent_or_the_same_person_written_otherwise(by: object) -> None:
    found = event(door=PERSON, source="centre:NEURO", data={"by": by})
    assert found.sender.actor is not None


def test_an_unreadable_event_is_no_contradiction() -> None:
    assert not unreadable(door=PERSON, id="").is_contradiction
