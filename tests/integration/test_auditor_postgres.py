"""The auditor on a real PostgreSQL: the common checks, and a user who can only read."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

pytest.register_assert_rewrite("tests.audit_checks")

from tests.audit_checks import CHECKS, LOST, AuditCheck, busy, check_loss  # noqa: E402
from tests.audit_house import AuditHouse, case_of  # noqa: E402
from triage.domain.audit import Kind  # noqa: E402
from triage.domain.events import CaseId  # noqa: E402
from triage.escalation.audit_reading import AuditView  # noqa: E402
from triage.escalation.audit_sight import suspects  # noqa: E402
from triage.escalation.auditor import Auditor  # noqa: E402
from triage.proof.losses import FAR, LOSSES, Loss  # noqa: E402

pytestmark = pytest.mark.postgres_real


@pytest.fixture
def house(migrated_postgres: str) -> Iterator[AuditHouse]:
    made = AuditHouse(migrated_postgres)
    yield made
    made.close()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_a_planted_loss_is_found_and_put_right(loss: Loss, house: AuditHouse) -> None:
    check_loss(house, loss)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_auditor(check: AuditCheck, house: AuditHouse) -> None:
    check(house)


def test_a_sound_house_has_no_suspects_and_every_structural_loss_makes_one(
    house: AuditHouse,
) -> None:
    """All but what is altered alike in row and document, which only a fold can tell."""
    house.refer(range(1, 31))
    house.live(600, step=20)
    cases = [case_of(number) for number in range(1, 31)]

    def suspected() -> set[CaseId]:
        with house.view.read() as reading:
            return set(suspects(reading, cases))

    assert suspected() == set()
    quiet = ("document and column altered alike", "outbox rows deleted", "page claimed for ever")
    planted = [loss for loss in LOSSES if loss.name not in quiet]
    for number, loss in enumerate(planted, 1):
        assert house.run(*loss.sql, case=case_of(number), far=FAR) > 0, loss.name
    missed = [
        loss.name for number, loss in enumerate(planted, 1) if case_of(number) not in suspected()
    ]
    assert missed == []
    assert suspected() == {case_of(number) for number in range(1, len(planted) + 1)}


def test_one_pass_looks_at_every_case_however_many_there_are_and_however_little_time_it_has(
    house: AuditHouse,
) -> None:
    """More than are judged in one go, and losses in the first and in the last of them."""
    numbers = range(1, 5_201)
    for start in numbers[::400]:
        house.refer(range(start, min(start + 400, numbers[-1] + 1)))
    house.auditor = Auditor(house.view, house.store, house.desk, budget_seconds=0)
    assert house.audit(passes=3).found == []
    cases = sorted(map(case_of, numbers))
    lost = (cases[0], cases[-1])
    for case in lost:
        house.run("DELETE FROM page WHERE case_id = :case", case=case)
    assert {finding.case for finding in house.audit().found} == set(lost)


def test_a_user_who_can_only_read_is_enough_to_find(house: AuditHouse) -> None:
    """As docs/operations.md sets it up."""
    name = make_url(house.url).database
    role = f"auditor_{name}"[:60]
    engine = create_engine(house.url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'only-for-tests'"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {role}"))
        connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"))
    own = make_url(house.url).set(username=role, password="only-for-tests")
    view = AuditView(own.render_as_string(False))
    house.auditor = Auditor(view, house.store, house.desk, budget_seconds=60)
    try:
        busy(house)
        house.run("DELETE FROM page WHERE case_id = :case", case=LOST)
        assert {finding.kind for finding in house.audit().found} == {Kind.PAGE_LOST}
        with create_engine(own).connect() as connection, pytest.raises(ProgrammingError):
            connection.execute(text("UPDATE cases SET tier = 'ROUTINE'"))
    finally:
        view.dispose()
        with engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))
        engine.dispose()
