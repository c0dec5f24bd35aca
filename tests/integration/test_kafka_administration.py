"""Topics, lag and quarantine as our administration makes and tells them, on a real Kafka."""

import asyncio
import gzip
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]
from aiokafka.errors import MessageSizeTooLargeError  # type: ignore[import-untyped]
from kafka import KafkaAdminClient  # type: ignore[import-untyped]

from tests.kafka_traffic import consume, numbered, produce
from tests.process.installation import eventually
from tests.services import TOPICS_TOML, remake_topics
from triage.consumers.administration import (
    AdministrationFailed,
    Outcome,
    create_topics,
    describe,
    lag,
    quarantine,
)
from triage.consumers.topics import QUARANTINE, REFERRALS
from triage.doctor.own_kafka import kafka_checks
from triage.settings import Settings

pytestmark = pytest.mark.kafka_real

GROUP = "triage"


def test_topics_are_made_once_and_then_exist(kafka_fresh: str) -> None:
    again = create_topics([kafka_fresh], TOPICS_TOML, replication=1, partitions_at_most=4)
    named = {topic["name"] for topic in tomllib.loads(TOPICS_TOML)["topic"]}
    assert {result.topic for result in again} == named
    assert {result.outcome for result in again} == {Outcome.EXISTS}


def test_what_differs_is_told_and_altered_only_when_asked(kafka_fresh: str) -> None:
    other = TOPICS_TOML.replace("2_592_000_000", "3_600_000")
    told = create_topics([kafka_fresh], other, replication=1, partitions_at_most=4)
    by_name = {result.topic: result for result in told}
    assert by_name[REFERRALS].outcome is Outcome.DIFFERS
    (difference,) = by_name[REFERRALS].differences
    assert (difference.setting, difference.is_now, difference.should_be) == (
        "retention.ms",
        "2592000000",
        "3600000",
    )
    assert by_name[QUARANTINE].outcome is Outcome.EXISTS
    asked = create_topics([kafka_fresh], other, replication=1, partitions_at_most=4, alter=True)
    assert {result.topic: result.outcome for result in asked}[REFERRALS] is Outcome.ALTERED
    after = create_topics([kafka_fresh], other, replication=1, partitions_at_most=4)
    assert {result.outcome for result in after} == {Outcome.EXISTS}


def test_another_number_of_partitions_is_told_and_never_altered(kafka_fresh: str) -> None:
    told = create_topics([kafka_fresh], TOPICS_TOML, replication=1, alter=True)
    by_name = {result.topic: result for result in told}
    assert by_name[REFERRALS].outcome is Outcome.DIFFERS
    (difference,) = by_name[REFERRALS].differences
    assert (difference.setting, difference.is_now, difference.should_be) == (
        "partitions",
        "4",
        "12",
    )


def test_more_copies_than_brokers_is_refused_with_what_to_do(kafka: str) -> None:
    table = TOPICS_TOML.replace("triage.cases.v1", "triage.never-made.v1")
    with pytest.raises(AdministrationFailed) as refused:
        create_topics([kafka], table)
    assert "--replication 1" in refused.value.hint


def test_records_go_through_and_the_lag_is_what_was_not_read(kafka_fresh: str) -> None:
    records = numbered(100)
    produce(kafka_fresh, REFERRALS, records)
    before = lag([kafka_fresh], GROUP, [REFERRALS])
    assert [(p.topic, p.partition) for p in before] == [(REFERRALS, n) for n in range(4)]
    assert sum(p.lag for p in before) == 100
    assert {p.committed for p in before} == {None}

    got = consume(kafka_fresh, REFERRALS, 60, group=GROUP)
    assert sum(p.lag for p in lag([kafka_fresh], GROUP, [REFERRALS])) == 40
    got += consume(kafka_fresh, REFERRALS, 40, group=GROUP)
    after = lag([kafka_fresh], GROUP, [REFERRALS])
    assert [p.lag for p in after] == [0, 0, 0, 0]
    assert {p.expired for p in after} == {0}
    assert sorted(got) == sorted(records)


def test_a_test_starts_without_the_records_and_offsets_of_the_one_before(kafka_fresh: str) -> None:
    produce(kafka_fresh, REFERRALS, numbered(20))
    consume(kafka_fresh, REFERRALS, 20, group=GROUP)
    remake_topics(kafka_fresh)
    left = lag([kafka_fresh], GROUP, [REFERRALS])
    assert {(p.end, p.committed) for p in left} == {(0, None)}


def test_lag_of_a_topic_that_is_not_there_is_refused(kafka: str) -> None:
    with pytest.raises(AdministrationFailed, match=r"triage\.nowhere\.v1"):
        lag([kafka], GROUP, ["triage.nowhere.v1"])


def test_inbound_records_bear_the_brokers_time_whatever_the_sender_says(kafka_fresh: str) -> None:
    started = datetime.now(UTC) - timedelta(seconds=1)
    a_year_ago = int((started - timedelta(days=365)).timestamp() * 1000)
    produce(kafka_fresh, REFERRALS, [(b"k", b"{}")], timestamp_ms=a_year_ago)

    async def stamp() -> int:
        consumer = AIOKafkaConsumer(
            REFERRALS, bootstrap_servers=kafka_fresh, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            return int((await asyncio.wait_for(consumer.getone(), 30)).timestamp)
        finally:
            await consumer.stop()

    assert asyncio.run(stamp()) >= started.timestamp() * 1000


def test_a_small_packed_record_that_unpacks_to_a_huge_one_is_refused(kafka_fresh: str) -> None:
    huge = b"0" * 8_000_000
    assert len(gzip.compress(huge)) < 10_000
    with pytest.raises(MessageSizeTooLargeError):
        produce(kafka_fresh, REFERRALS, [(b"k", huge)], compression="gzip")


def test_a_record_at_the_inbound_limit_fits_into_quarantine(kafka_fresh: str) -> None:
    overhead = 200
    largest = b"x" * (1_048_576 - overhead)
    produce(kafka_fresh, REFERRALS, [(b"k", largest)])
    with pytest.raises(MessageSizeTooLargeError):
        produce(kafka_fresh, REFERRALS, [(b"k", largest + b"x" * overhead)])
    headers = [("x-error", b"not JSON"), ("x-origin", b"triage.referrals.v1/0/0")]
    produce(kafka_fresh, QUARANTINE, [(b"k", largest)], headers=headers)
    (record,) = quarantine([kafka_fresh])
    assert record.length == len(largest)


def test_quarantine_lists_the_last_records_and_no_value_unless_asked(kafka_fresh: str) -> None:
    assert quarantine([kafka_fresh]) == []
    for number in range(3):
        origin = f"triage.referrals.v1/2/{number}".encode()
        headers = [("x-error", f"not JSON: {number} \u00e9".encode()), ("x-origin", origin)]
        produce(kafka_fresh, QUARANTINE, [(b"key", b"secret" * number)], headers=headers)
    produce(kafka_fresh, QUARANTINE, [(None, b"no headers")], headers=[("x-error", b"\xff")])

    first, second, third = quarantine([kafka_fresh], limit=3)
    assert (first.error, first.origin, first.length) == (
        "not JSON: 1 \u00e9",
        "triage.referrals.v1/2/1",
        6,
    )
    assert second.origin == "triage.referrals.v1/2/2"
    assert (third.error, third.origin, third.value) == ("\\xff", None, None)
    assert "secret" not in repr([first, second, third])
    assert first.at.tzinfo is UTC
    (shown,) = quarantine([kafka_fresh], limit=1, with_values=True)
    assert shown.value == b"no headers"


def test_an_unknown_security_setting_is_named(kafka: str) -> None:
    with pytest.raises(AdministrationFailed, match="sasl_pasword") as refused:
        describe([kafka], security={"sasl_pasword": "x"})
    assert "sasl_plain_password" in refused.value.hint


def test_where_no_broker_listens_it_says_so(kafka: str) -> None:
    with pytest.raises(AdministrationFailed, match=r"127\.0\.0\.1:9") as refused:
        describe(["127.0.0.1:9"], timeout_ms=500)
    assert "TRIAGE_KAFKA_BOOTSTRAP" in refused.value.hint


def test_the_doctor_tells_a_missing_topic_and_one_that_differs(kafka_fresh: str) -> None:
    settings = Settings(home=Path(), database_url="", kafka_bootstrap=(kafka_fresh,))
    admin = KafkaAdminClient(bootstrap_servers=[kafka_fresh])
    try:
        admin.delete_topics([QUARANTINE])
        eventually("deletion", lambda: QUARANTINE not in admin.list_topics())
    finally:
        admin.close()
    found = {(check.name, check.level): check for check in kafka_checks(settings)}
    assert ("kafka", "ok") in found
    assert found[f"topic {QUARANTINE}", "wrong"].hint == "triage topics create"
    told = [c.what for c in found.values() if c.name == f"topic {REFERRALS}"]
    assert told  # four partitions and one copy here, twelve and three by the file
    assert (f"topic {REFERRALS}", "warning") in found
    remake_topics(kafka_fresh)
    after = {(check.name, check.level) for check in kafka_checks(settings)}
    assert (f"topic {QUARANTINE}", "wrong") not in after
