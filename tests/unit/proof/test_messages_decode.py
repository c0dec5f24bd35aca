"""Every message that is meant to be read is read, and garbage is not."""

from datetime import UTC, datetime, timedelta
from itertools import islice

from triage.consumers.topics import ACTIONS
from triage.domain.authority import refusal
from triage.domain.events import Side
from triage.handle import Incoming
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.intake.registry import Registry
from triage.intake.unreadable import Unreadable
from triage.proof.clinicians import Clinicians
from triage.proof.hospitals import HospitalStream
from triage.proof.messages import Kind, TimedMessage
from triage.proof.people_and_places import CENTRE, hospitals

START = datetime(2026, 3, 9, 8, tzinfo=UTC)
REGISTRY = Registry(
    centres=frozenset({CENTRE}), hospitals=frozenset(h.source for h in hospitals(40))
)
HOSPITALS = Door(name="kafka", admits="hospital", registry=REGISTRY)
CENTRES = Door(name="kafka", admits="centre", registry=REGISTRY)


def read(message: TimedMessage) -> list[Incoming | Unreadable]:
    return decode(
        message.value or b"",
        headers=dict(message.headers),
        door=CENTRES if message.topic == ACTIONS else HOSPITALS,
        received_at=message.at,
        sent_at=message.at,
        origin="test",
    )


def test_what_hospitals_mean_to_send_is_read_and_garbage_is_not() -> None:
    for message in islice(HospitalStream(3, START), 4_000):
        results = read(message)
        is_read = all(isinstance(result, Incoming) for result in results)
        assert is_read == (message.kind is not Kind.GARBAGE), message


def test_an_event_names_the_referral_of_its_key_and_is_allowed_unless_at_the_wrong_door() -> None:
    for message in islice(HospitalStream(3, START), 4_000):
        if message.kind is Kind.GARBAGE:
            continue
        for result in read(message):
            assert isinstance(result, Incoming)
            assert result.event.referral == message.key.decode()
            assert (refusal(result.event) is None) == (message.kind is not Kind.WRONG_DOOR)


def test_what_clinicians_do_is_read_and_allowed() -> None:
    staff = Clinicians(5, lambda case: f"hospital:RX1/{case}")
    for number in range(60):
        case = f"AAAA-BBBB-{number:04d}"
        tier = ("EMERGENT", "URGENT", "PRIORITY", "ROUTINE")[number % 4]
        page = {"page": f"{case}.acknowledgement.1.0.0.x", "case": case, "tier": tier}
        staff.see(
            {**page, "obligation": "acknowledgement", "run": "e", "role": "consultant"}, START
        )
    acts = staff.due(START + timedelta(days=90))
    assert len(acts) > 300
    for message in acts:
        for result in read(message):
            assert isinstance(result, Incoming)
            assert result.event.sender.side is Side.CENTRE
            assert refusal(result.event) is None
