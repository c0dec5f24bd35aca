"""When no provider takes an EMERGENT page: site manager, call list, and the desk's board."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.web_house import CASE, CENTRE, House, build_house, findings
from triage.domain.paging import Attempt
from triage.domain.tiers import Tier
from triage.escalation.louder import Louder


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path)
    yield built
    built.store.dispose()


def refer(house: House, **changed: object) -> TestClient:
    client = house.client()
    house.refer(
        client,
        data={
            "findings": findings(**changed),
            "referrer": {"callback": "+44 1632 960001"},
            "patient": {"name": {"family": "Sampleton"}},
            "destination": CENTRE,
        },
    )
    return client


def try_pages(house: House, outcome: str) -> None:
    """Every page that is owed is tried once."""
    now = house.clock.now()
    with house.store.begin() as tx:
        tx.finish_attempts(
            [
                Attempt(
                    page=claim.order.page,
                    route=claim.order.route,
                    attempt=claim.attempt,
                    outcome=outcome,
                    provider_word=None,
                    at=now,
                    retry_at=None if outcome == "accepted" else now,
                )
                for claim in tx.claim_pages(now, 50, 10)
                if claim.order.tier is Tier.EMERGENT
            ]
        )


def notices(house: House) -> list[str]:
    with house.store.read() as reader:
        return [p.order.role for p in reader.pages() if p.order.obligation == "unheard"]


def louder(house: House, folder: Path) -> Louder:
    return Louder(house.store, house.desk, folder)


def test_the_site_manager_is_paged_once_when_no_provider_takes_it(
    house: House, tmp_path: Path
) -> None:
    refer(house)
    try_pages(house, "failed")
    watch = louder(house, tmp_path)
    watch.turn(house.clock.now())
    assert notices(house) == []
    house.clock.advance(seconds=31)
    for _ in range(3):
        watch.turn(house.clock.now())
    assert notices(house) == ["site_manager"]
    with house.store.read() as reader:
        (page,) = [p.order for p in reader.pages() if p.order.obligation == "unheard"]
    assert CASE in page.reason_class
    assert "Sampleton" not in repr(page)


def test_a_joined_case_is_heard_of_by_the_case_that_leads(house: House, tmp_path: Path) -> None:
    refer(house)
    with house.store.begin() as tx:
        row = tx.load_cases([CASE])[CASE].row
        tx.save_cases([replace(row, lead_case_id=CASE)])
    try_pages(house, "failed")
    house.clock.advance(seconds=31)
    louder(house, tmp_path).turn(house.clock.now())
    assert notices(house) == ["site_manager"]
    assert CASE in (tmp_path / "call-list.txt").read_text()
    with house.store.read() as reader:
        assert [each.count for each in reader.open_by_tier_leg()] == [1]


@pytest.mark.parametrize("tier", ["calm", "taken"])
def test_nothing_is_said_of_a_page_that_was_taken_or_of_a_calmer_case(
    house: House, tmp_path: Path, tier: str
) -> None:
    calm = {"walking": "unaided", "ais": "E", "escc": "1b", "trend": "stable"}
    refer(house, **(calm | {"deficit_onset_at": None} if tier == "calm" else {}))
    try_pages(house, "accepted")
    house.clock.advance(minutes=4)
    louder(house, tmp_path).turn(house.clock.now())
    assert notices(house) == []
    assert "data-siren" not in signed_in(house, "con-a").get("/").text


def test_the_notice_is_answered_by_a_named_person(house: House, tmp_path: Path) -> None:
    client = refer(house)
    try_pages(house, "failed")
    house.clock.advance(seconds=40)
    louder(house, tmp_path).turn(house.clock.now())
    with house.store.read() as reader:
        (page,) = [p.order.page for p in reader.pages() if p.order.obligation == "unheard"]
    address = f"/api/pages/{page}/acknowledge"
    body = {"answer": "coming", "minutes": 5}
    assert client.post(address, json=body, headers=house.as_("con-a")).json()["effect"] is True
    with house.store.read() as reader:
        row = reader.case(CASE)
    assert row is not None
    assert row.owner is None  # the case itself still waits for its surgeon


def test_other_open_cases_are_counted_once_a_minute(house: House, tmp_path: Path) -> None:
    calm = {"walking": "unaided", "ais": "E", "escc": "1b", "trend": "stable"}
    watch, seen = louder(house, tmp_path), []
    watch.turn(house.clock.now())
    refer(house, **calm, deficit_onset_at=None)
    for seconds in (59, 1):
        house.clock.advance(seconds=seconds)
        watch.turn(house.clock.now())
        text = (tmp_path / "call-list.txt").read_text()
        seen += [line for line in text.splitlines() if line.startswith("Other")]
    assert seen == ["Other open cases: 0", "Other open cases: 1"]


def test_the_call_list_is_on_the_disk_and_follows_changes(house: House, tmp_path: Path) -> None:
    watch = louder(house, tmp_path)
    watch.turn(house.clock.now())
    text = (tmp_path / "call-list.txt").read_text()
    assert "OPEN EMERGENT CASES: 0" in text
    assert "+44 1632 960100" in text
    assert "Sample Registrar" in text
    refer(house)
    house.clock.advance(seconds=5)
    watch.turn(house.clock.now())
    for name in ("call-list.txt", "call-list.html"):
        found = (tmp_path / name).read_text()
        assert CASE in found
        assert "NOBODY: CALL NOW" in found
        assert "Sampleton" not in found
    stale = (tmp_path / "call-list.txt").stat().st_mtime_ns
    house.clock.advance(seconds=5)
    watch.turn(house.clock.now())
    assert (tmp_path / "call-list.txt").stat().st_mtime_ns == stale
    house.clock.advance(minutes=3)
    watch.turn(house.clock.now())
    assert "08:05" in (tmp_path / "call-list.txt").read_text().splitlines()[0]


def test_the_call_list_is_a_page_for_the_centre_alone(house: House) -> None:
    refer(house)
    page = signed_in(house, "con-a").get("/call-list")
    assert page.status_code == 200
    assert CASE in page.text
    assert "Sampleton" not in page.text
    assert signed_in(house, "hospital:RX1").get("/call-list").status_code == 404


def test_a_page_on_its_way_to_its_provider_sounds_no_siren(house: House) -> None:
    refer(house)
    board = signed_in(house, "con-a")
    with house.store.begin() as tx:
        assert tx.claim_pages(house.clock.now(), 50, 10)
    assert "data-siren" not in board.get("/").text
    house.clock.advance(seconds=60)
    assert "data-siren" in board.get("/").text  # nobody has heard of an outcome


def test_a_hospital_hears_no_siren(house: House) -> None:
    refer(house)
    try_pages(house, "failed")
    assert "data-siren" in signed_in(house, "con-a").get("/").text
    assert "data-siren" not in signed_in(house, "hospital:RX1").get("/").text


def signed_in(house: House, whom: str) -> TestClient:
    client = house.client()
    client.post("/login", data={"token": house.token(whom), "next": "/"})
    return client
