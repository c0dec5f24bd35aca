"""The auditor on a real PostgreSQL: the common checks, and a user who can only read."""

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.audit_checks")

from tests.audit_checks import CHECKS, AuditCheck, check_loss  # noqa: E402
from tests.audit_house import LOSSES, AuditHouse, Loss  # noqa: E402

pytestmark = pytest.mark.postgres_real


@pytest.fixture
def house(fresh_postgres: str) -> Iterator[AuditHouse]:
    made = AuditHouse(fresh_postgres)
    yield made
    made.close()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_a_planted_loss_is_found_and_put_right(loss: Loss, house: AuditHouse) -> None:
    check_loss(house, loss)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_auditor(check: AuditCheck, house: AuditHouse) -> None:
    check(house)
