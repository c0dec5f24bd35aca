"""What the bus is told that its defaults would get wrong."""

import asyncio
import logging

import pytest

from tests.running_door import REGISTRY, act
from tests.unit.consumers.bus import NOW, P0, record
from triage.consumers.broker import Bus, UnsoundSecurity, build_broker, client_security
from triage.consumers.pauses import growing, until
from triage.consumers.quiet_log import RateLimited
from triage.consumers.records import read_record
from triage.consumers.topics import ACTIONS
from triage.consumers.visit import Stall
from triage.domain.events import Side
from triage.handle import Incoming


def test_without_security_settings_the_clients_get_none() -> None:
    assert client_security({}) == {}


def test_sasl_settings_reach_the_clients() -> None:
    given = {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "triage",
        "sasl_plain_password": "not a secret",
    }
    assert client_security(given) == {**given, "ssl_context": None}


def test_tls_settings_make_a_context() -> None:
    found = client_security({"security_protocol": "SSL"})
    assert found["security_protocol"] == "SSL"
    assert found["ssl_context"].check_hostname


def test_an_unknown_mechanism_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(UnsoundSecurity, match="KERBEROS") as refused:
        build_broker(
            Bus(
                bootstrap=["127.0.0.1:1"],
                security={"security_protocol": "SASL_SSL", "sasl_mechanism": "KERBEROS"},
            )
        )
    assert "SCRAM-SHA-256" in refused.value.hint


def test_the_topic_decides_the_side_and_the_broker_the_sent_clock() -> None:
    value = act(1, "tier.set.v1", tier="URGENT")[1]
    centre = record(3, value)
    centre.topic = ACTIONS
    hospital = record(3, value)
    sides = []
    for each in (centre, hospital):
        (found,) = read_record(each, REGISTRY, NOW).found
        assert isinstance(found, Incoming)
        assert found.event.sent_at == NOW
        assert found.origin == f"{each.topic}/0/3"
        sides.append(found.event.sender.side)
    assert sides == [Side.CENTRE, Side.HOSPITAL]


@pytest.mark.parametrize("timestamp", [-1, None, 10**18])
def test_a_record_without_a_readable_time_has_no_sent_clock(timestamp: int | None) -> None:
    sent = record(0, act(1, "tier.set.v1", tier="URGENT")[1], partition=P0)
    sent.timestamp = timestamp
    (found,) = read_record(sent, REGISTRY, NOW).found
    assert isinstance(found, Incoming)
    assert found.event.sent_at is None


def test_a_header_given_twice_with_two_values_is_nobodys_word() -> None:
    sent = record(0, b"{}")
    names = ("specversion", "id", "type", "subject")
    sent.headers = [(f"ce_{name}", b"1.0") for name in names]
    sent.headers += [("ce_source", b"hospital:RX1"), ("ce_source", b"hospital:RX2")]
    (found,) = read_record(sent, REGISTRY, NOW).found
    assert not isinstance(found, Incoming)


def test_pauses_grow_to_their_limit_and_are_never_in_step() -> None:
    waits = [next(pauses) for pauses in [growing(0.2, 5.0)] for _ in range(12)]
    assert all(0.1 <= seconds <= 5.0 for seconds in waits)
    assert waits[-1] > 2.4
    assert len(set(waits)) > 1


def test_a_pause_ends_with_the_stop() -> None:
    async def stopped() -> None:
        stop = asyncio.Event()
        stop.set()
        await asyncio.wait_for(until(stop)(3_600), 5)

    asyncio.run(stopped())


def test_a_line_of_a_kind_passes_once_in_half_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    target = logging.getLogger("test.quiet")
    handler = RateLimited(target)

    def say(at: float, node: int) -> None:
        said = logging.LogRecord("aiokafka.conn", logging.ERROR, "", 0, "lost %d", (node,), None)
        said.created = at
        handler.emit(said)

    for at in (0.0, 1.0, 29.9, 30.1):
        say(at, 1)
    assert [each.getMessage() for each in caplog.records] == [
        "aiokafka.conn: lost 1",
        "aiokafka.conn: lost 1 (and 2 more like it)",
    ]


def test_a_consumer_is_stuck_when_records_wait_and_none_is_taken_for_half_a_minute() -> None:
    stall = Stall()
    assert not stall.lasts(True, 5, now=0.0)
    assert not stall.lasts(True, 5, now=29.0)
    assert not stall.lasts(True, 6, now=31.0)
    assert not stall.lasts(True, 6, now=60.0)
    assert stall.lasts(True, 6, now=62.0)
    assert not stall.lasts(False, 6, now=63.0)
