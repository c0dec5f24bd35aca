"""A provider's receipt is a fact of the log: of the case's document only version and head go on."""

import orjson

from tests.properties.case_events import CASE, HOSPITAL, SICK, START, build
from tests.scenarios.house import House
from triage.domain.events import EventType


def test_after_receipts_the_document_tells_the_version_and_the_head_of_its_row() -> None:
    house = House()
    house.receive([build(1, EventType.REFERRAL_SUBMITTED, HOSPITAL, SICK, (0, 0, None))], START)
    with house.store.read() as reader:
        row, last = reader.case(CASE), reader.log(CASE)[-1]
    assert row is not None
    document = orjson.loads(row.document)
    assert orjson.loads(last.document)["type"] == EventType.PAGE_RECEIPT
    assert (document["version"], document["head"]) == (row.version, f"sha256:{last.hash}")
    assert row.head == last.hash
    assert row.document == orjson.dumps(document).decode()
