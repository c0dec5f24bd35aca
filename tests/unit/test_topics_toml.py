"""The table of topics: the one that ships keeps what is promised, an unsound one is refused."""

from pathlib import Path

import pytest

from triage.consumers.topics import INBOUND, UnsoundTopics, load_topics

SHIPPED = (Path(__file__).parents[2] / "infra" / "topics.toml").read_text(encoding="utf-8")
TOPICS = {spec.name: spec for spec in load_topics(SHIPPED)}
ROW = """
[[topic]]
name = "triage.example.v1"
why = "an example"
partitions = 3
replication = 3
config = { "retention.ms" = 1000, "min.insync.replicas" = 2, "preallocate" = true }
"""


def test_it_holds_the_topics_of_the_contract_and_no_other() -> None:
    assert set(TOPICS) == {
        "triage.referrals.v1",
        "triage.actions.v1",
        "triage.quarantine.v1",
        "triage.cases.v1",
        "triage.pages.v1",
        "triage.heads.v1",
    }


def test_every_topic_says_why_and_survives_the_loss_of_a_broker() -> None:
    for spec in TOPICS.values():
        assert len(spec.why) > 20, spec.name
        assert spec.replication == 3, spec.name
        assert spec.config["min.insync.replicas"] == "2", spec.name
        assert spec.config["unclean.leader.election.enable"] == "false", spec.name


@pytest.mark.parametrize("name", INBOUND)
def test_inbound_records_bear_the_brokers_time_and_have_a_limit_in_what_we_read(name: str) -> None:
    config = TOPICS[name].config
    assert config["message.timestamp.type"] == "LogAppendTime"
    assert config["max.message.bytes"] == "1048576"
    assert config["compression.type"] == "uncompressed"


@pytest.mark.parametrize("name", INBOUND)
def test_what_is_not_yet_read_goes_by_age_only(name: str) -> None:
    config = TOPICS[name].config
    assert config["cleanup.policy"] == "delete"
    assert int(config["retention.ms"]) >= 30 * 24 * 60 * 60 * 1000
    assert config["retention.bytes"] == "-1"


def test_a_case_has_its_events_on_as_many_partitions_in_both_inbound_topics() -> None:
    assert len({TOPICS[name].partitions for name in INBOUND}) == 1


def test_a_record_at_the_inbound_limit_fits_into_quarantine_with_its_headers() -> None:
    largest = max(int(TOPICS[name].config["max.message.bytes"]) for name in INBOUND)
    room = int(TOPICS["triage.quarantine.v1"].config["max.message.bytes"]) - largest
    assert room >= 64 * 1024


def test_cases_are_compacted_so_that_a_late_reader_gets_all() -> None:
    assert TOPICS["triage.cases.v1"].config["cleanup.policy"] == "compact"


def test_on_a_smaller_cluster_fewer_copies_are_asked_for_and_fewer_in_sync() -> None:
    spec = TOPICS["triage.referrals.v1"].on(replication=1, partitions_at_most=4)
    assert (spec.replication, spec.partitions) == (1, 4)
    assert spec.config["min.insync.replicas"] == "1"
    assert TOPICS["triage.quarantine.v1"].on(replication=1, partitions_at_most=4).partitions == 1


def test_values_are_as_kafka_writes_them() -> None:
    (spec,) = load_topics(ROW)
    assert spec.config == {
        "retention.ms": "1000",
        "min.insync.replicas": "2",
        "preallocate": "true",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[topic]", "not TOML"),
        ("", "nothing"),
        ("[topics]", r"\['topics'\]"),
        (ROW.replace("why", "reason"), "row 1 .triage.example.v1.: unknown key: reason"),
        (ROW.replace("partitions = 3", ""), "partitions is missing"),
        (ROW.replace("partitions = 3", "partitions = true"), "partitions is missing or no int"),
        (ROW.replace("partitions = 3", "partitions = 0"), "start at 1"),
        (ROW.replace("replication = 3", "replication = 1"), "above replication: 2"),
        (ROW.replace('replicas" = 2', 'replicas" = "two"'), "is not a number: two"),
        (
            ROW.replace('"retention.ms" = 1000', '"retention.ms" = []'),
            r"retention.ms is not .*\[\]",
        ),
        (ROW + ROW, "twice"),
    ],
)
def test_an_unsound_table_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(UnsoundTopics, match=said):
        load_topics(text)
