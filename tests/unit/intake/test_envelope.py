"""Attributes, address and clocks of an event that can be read."""

from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from tests.unit.intake.builders import CENTRE, GONE, HOSPITALS, NOW, event, results, unreadable
from triage.domain.case_id import case_id
from triage.domain.events import OURS, EventType, Sender, Side
from triage.handle import Incoming
from triage.intake.door import Door
from triage.intake.envelope import is_like_nhs_number

EXAMPLES = Path(__file__).parent / "events.jsonl"


def test_an_event_says_what_its_sender_sent() -> None:
    found = event()
    assert (found.source, found.id) == ("hospital:RX1", "e-1")
    assert found.type is EventType.REFERRAL_SUBMITTED
    assert found.referral == "hospital:RX1/2026-004711"
    assert found.case == "BF2T-5B1F-ZGDY"
    assert found.occurred_at == NOW - timedelta(hours=1)
    assert (found.received_at, found.marks) == (NOW, ())
    assert found.data == {"findings": {"walking": "cannot"}}
    assert found.sender == Sender(side=Side.HOSPITAL, source="hospital:RX1")


@pytest.mark.parametrize("line", EXAMPLES.read_bytes().splitlines())
def test_one_message_of_every_kind_is_read(line: bytes) -> None:
    source = orjson.loads(line)["source"]
    provider = Door(name="http", admits=Sender(side=Side.PROVIDER, source=source))
    doors = {"hospital": HOSPITALS, "centre": CENTRE, "provider": provider}
    found = event(line, door=doors[source.partition(":")[0]])
    assert found.referral == "hospital:RX1/2026-004711"
    assert found.sender.is_registered


def test_the_examples_show_every_type() -> None:
    shown = {orjson.loads(line)["type"] for line in EXAMPLES.read_bytes().splitlines()}
    assert shown == set(EventType) - OURS


def test_a_referral_of_another_is_named_by_the_extension_attribute() -> None:
    found = event(
        door=CENTRE, source="centre:NEURO", subject=GONE, referral="hospital:RX1/2026-004711"
    )
    assert found.referral == "hospital:RX1/2026-004711"
    assert found.case == case_id("hospital:RX1/2026-004711")


def test_our_case_id_may_stand_in_the_data() -> None:
    found = event(subject=GONE, data={"case": "bf2t 5b1f zgdy".replace(" ", "-")})
    assert (found.referral, found.case) == ("", "BF2T-5B1F-ZGDY")


def test_the_extension_attribute_goes_before_the_case_and_the_subject() -> None:
    found = event(referral="hospital:RX2/9", data={"case": "BF2T-5B1F-ZGDY"})
    assert found.referral == "hospital:RX2/9"


@pytest.mark.parametrize(
    ("time", "mark", "kept"),
    [
        (GONE, "time_missing", None),
        (None, "time_missing", None),
        ("yesterday", "time_unreadable", "yesterday"),
        ("2026-03-10", "time_unreadable", "2026-03-10"),
        ("2026-03-10T08:00:00", "time_unreadable", "2026-03-10T08:00:00"),
        (1773129600, "time_unreadable", "1773129600"),
        ("2026-03-10T09:00:00.001Z", "time_after_receipt", "2026-03-10T09:00:00.001Z"),
        ("2026-03-11T08:00:00Z", "time_after_receipt", "2026-03-11T08:00:00Z"),
    ],
)
def test_an_odd_clock_is_marked_and_never_moves_the_event_past_its_receipt(
    time: object, mark: str, kept: str | None
) -> None:
    found = event(time=time)
    assert (found.occurred_at, found.marks, found.time_sent) == (NOW, (mark,), kept)


def test_an_event_at_the_very_instant_of_receipt_is_not_odd() -> None:
    assert event(time="2026-03-10T10:00:00+01:00").marks == ()


def test_an_nhs_number_as_a_referral_number_is_flagged() -> None:
    assert event(subject="9990000018").marks == ("subject_like_nhs_number",)
    assert event(referral="hospital:RX1/999 000 0018").marks == ("subject_like_nhs_number",)


@pytest.mark.parametrize(
    ("text", "alike"),
    [
        ("9434765919", True),
        ("943 476 5919", True),
        ("943-476-5919", True),
        ("9434765918", False),
        ("943476591", False),
        ("2026-004711", False),
        (9434765919, False),
        ("0000000000", True),
    ],
)
def test_ten_digits_with_their_check_digit_look_like_an_nhs_number(
    text: object, alike: bool
) -> None:
    assert is_like_nhs_number(text) is alike


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("specversion", "0.3"),
        ("specversion", GONE),
        ("specversion", 1.0),
        ("type", "referral.submitted.v2"),
        ("type", "referral.submitted"),
        ("type", "timer.raised.v1"),
        ("type", "pages.ordered.v1"),
        ("type", ["referral.submitted.v1"]),
        ("type", GONE),
        ("id", ""),
        ("id", "  "),
        ("id", 7),
        ("id", "x" * 257),
        ("id", "a\x00b"),
        ("source", GONE),
        ("source", "hospital:RX1/ward"),
        ("source", "hospital\n:RX1"),
        ("subject", GONE),
        ("subject", 2026),
        ("subject", "x" * 257),
        ("referral", "2026-004711"),
        ("referral", "/2026-004711"),
        ("referral", "hospital:RX1/"),
        ("referral", ["hospital:RX1/1"]),
        ("data", GONE),
        ("data", None),
        ("data", "text"),
        ("data", []),
    ],
)
def test_an_attribute_that_cannot_be_used_is_named(path: str, value: object) -> None:
    found = unreadable(**{path: value})
    assert found.reason["path"] == path
    assert found.reason["allowed"]
    assert found.reason["hint"]


def test_a_case_id_that_is_none_is_named() -> None:
    assert unreadable(subject=GONE, data={"case": "7K3Q"}).reason["path"] == "data.case"


def test_a_known_type_of_another_version_says_which_to_send() -> None:
    found = unreadable(type="referral.submitted.v2")
    assert found.reason["value"] == "referral.submitted.v2"
    assert found.reason["hint"] == "Send referral.submitted.v1."


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Sample Patient, 9990000018"},
        {"id": 9990000018},
        {"source": "Sample Patient/9990000018"},
        {"referral": "Sample Patient 9990000018"},
        {"subject": GONE, "data": {"case": "Sample Patient 9990000018"}},
        {"specversion": "Sample 9990000018"},
        {"data": "Sample Patient 9990000018"},
    ],
)
def test_nothing_that_a_sender_wrote_freely_is_in_a_reason(changes: dict[str, object]) -> None:
    told = str(unreadable(**changes).reason)
    assert "Sample" not in told
    assert "9990000018" not in told


def test_every_event_of_examples_survives_the_log(tmp_path: Path) -> None:
    from triage.domain.events import event_document, read_event

    for line in EXAMPLES.read_bytes().splitlines():
        (found,) = results(line)
        assert isinstance(found, Incoming)
        stored = orjson.loads(orjson.dumps(event_document(found.event)))
        assert read_event(stored) == found.event
