"""Why me: from any page to person, roster rule, policy row and evidence."""

import re
from html import unescape
from pathlib import Path

import pytest

from tests.web_house import CASE, CENTRE, NOW, House, build_house, findings
from triage.domain.paging import PageId
from triage.domain.roster.changes import Act, override, with_changes
from triage.page_reasons import page_reasons
from triage.workflow.explain_page import why_text


@pytest.fixture
def house(tmp_path: Path) -> House:
    return build_house(tmp_path)


def told(house: House, page: str) -> str:
    with house.store.read() as reader:
        row = reader.page(PageId(page))
        assert row is not None
        return why_text(page, page_reasons(reader, house.desk, row))


def test_a_page_says_who_by_which_rule_and_row_and_on_which_evidence(house: House) -> None:
    house.refer(house.client())
    text = told(house, house.ladder_page())
    assert re.search(r"Sample \w+ \((reg|coord)-a\), by route inbox \(inbox\)", text)
    assert "chosen by: rota" in text
    assert "ladders.toml acknowledgement.EMERGENT: rung 1, nominally after 0:00:00" in text
    assert "deadlines.toml acknowledgement, clock acknowledgement: within 15 min, analogue:" in text
    assert "due at 2026-03-10T08:17:01+00:00" in text
    assert "E1: " in text
    assert "started by referral.submitted.v1 of hospital:RX1, received 2026-03-10T08:02:01" in text
    assert "Sampleton" not in text
    assert "Sampletext" not in text


def test_the_evidence_is_that_of_the_moment_of_the_page(house: House) -> None:
    """What comes in later changes the case and not why this page went out."""
    calm = {"ais": "E", "walking": "unaided", "escc": "1a", "trend": "stable", "sins": 3}
    client = house.client()
    house.refer(client, data={"findings": findings(**calm), "destination": CENTRE})
    page = house.ladder_page()
    before = told(house, page)
    house.clock.advance(minutes=3)
    house.refer(client, id="e-0002", type="referral.updated.v1", data={"findings": findings()})
    house.sweep()
    assert "tier then: EMERGENT" not in before
    assert told(house, page) == before
    assert "tier then: EMERGENT" in told(house, house.ladder_page())


def test_a_change_at_the_desk_is_named_with_who_made_it_and_why(house: House) -> None:
    act = Act(id="3f9c21ab", by="con-a", reason="dentist", at=NOW)
    made = override(house.desk.roster, CENTRE, "registrar", "con-a", NOW, NOW.replace(hour=20), act)
    with house.store.begin() as tx:
        tx.add_roster_changes(made)
    house.desk.roster = with_changes(house.desk.roster, made)
    house.refer(house.client())
    with house.store.read() as reader:
        (page,) = [
            row.order
            for row in reader.pages(CASE)
            if row.order.role == "registrar" and row.order.obligation == "acknowledgement"
        ]
    text = told(house, page.page)
    assert "chosen by: override 3f9c21ab until 2026-03-10 21:02" in text
    assert "override 3f9c21ab by con-a at 2026-03-10T08:02:01+00:00: dentist" in text


def test_the_pages_screen_answers_it_too_and_a_hospitals_does_not(house: House) -> None:
    client = house.client()
    house.refer(client)
    page = house.ladder_page()
    for whom, is_told in (("reg-a", True), ("hospital:RX1", False)):
        signed = house.client()
        signed.post("/login", data={"token": house.token(whom), "next": "/"})
        shown = unescape(re.sub(r"\s+", " ", signed.get(f"/p/{page}").text))
        assert ("Why me?" in shown) is is_told
        assert ("ladders.toml acknowledgement.EMERGENT" in shown) is is_told
