"""Bytes lost from the journal are read again from a real Kafka; what it has not is told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition  # type: ignore[import-untyped]

from tests.audit_house import AuditHouse, case_of, referral
from tests.web_house import event as message
from triage.consumers.archive import KafkaArchive
from triage.consumers.records import read_record
from triage.consumers.topics import REFERRALS
from triage.domain.audit import Kind
from triage.domain.case_id import case_id
from triage.escalation.auditor import Auditor
from triage.handle import Incoming, handle
from triage.intake.registry import NOBODY

pytestmark = pytest.mark.kafka_real
COUNT = 40


def sent_and_read(bootstrap: str) -> list[Incoming]:
    """Some referrals through Kafka, as the door decodes them."""
    servers = bootstrap.split(",")
    producer = KafkaProducer(bootstrap_servers=servers)
    for number in range(COUNT):
        key = f"hospital:RX1/kafka-{number}"
        value = message(id=f"e-{number}", subject=f"kafka-{number}")
        producer.send(REFERRALS, value, key=key.encode()).get(timeout=20)
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    places = [TopicPartition(REFERRALS, n) for n in consumer.partitions_for_topic(REFERRALS)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    found: list[Incoming] = []
    while len(found) < COUNT:
        for records in consumer.poll(timeout_ms=5_000).values():
            for record in records:
                items = read_record(record, NOBODY, datetime.now(UTC)).found
                found += [item for item in items if isinstance(item, Incoming)]
    consumer.close()
    return found


def test_lost_bytes_are_read_again_and_what_kafka_has_not_is_told(
    kafka_fresh: str, tmp_path: Path
) -> None:
    house = AuditHouse(f"sqlite:///{tmp_path / 'triage.db'}", publishes=False)
    taken = sent_and_read(kafka_fresh)
    house.clock.at = datetime.now(UTC)
    with house.store.begin() as tx:
        handle(tx, taken, house.desk, now=house.clock.now())
    house.take(referral(1, house.clock.now()))  # came by another door
    house.auditor = Auditor(
        house.view,
        house.store,
        house.desk,
        archive=KafkaArchive(kafka_fresh.split(","), {}),
        budget_seconds=60,
    )
    house.auditor.turn(house.clock.now())
    lost = case_id("hospital:RX1/kafka-17")
    row = "SELECT {} FROM journal WHERE case_id = :case AND type = 'referral.submitted.v1'"
    before = [house.ask(row.format(name), case=lost) for name in ("raw", "origin", "effect")]
    for case in (lost, case_of(1)):
        house.run("DELETE FROM journal WHERE case_id = :case", case=case)

    result = house.auditor.turn(house.clock.now())

    assert {(each.kind, each.case) for each in result.found} == {
        (Kind.JOURNAL_LOST, lost),
        (Kind.JOURNAL_LOST, case_of(1)),
    }
    assert [each.case for each in result.mended] == [lost]
    after = [house.ask(row.format(name), case=lost) for name in ("raw", "origin", "effect")]
    assert [bytes(after[0]), *after[1:]] == [bytes(before[0]), *before[1:]]
    told = {each.case: each.detail for each in result.found}[case_of(1)]
    assert "from hospital:RX1, received 20" in told
    house.auditor.turn(house.clock.now())
    assert house.open_findings() == {("journal_lost", case_of(1))}
    house.close()
