"""The auditor on SQLite: what is lost is found, told once, put right; a healthy house is quiet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.audit_checks")

from tests.audit_checks import (  # noqa: E402
    CHECKS,
    AuditCheck,
    check_loss,
)
from tests.audit_house import AuditHouse  # noqa: E402
from triage.proof.losses import LOSSES, Loss  # noqa: E402


@pytest.fixture
def house(tmp_path: Path) -> Iterator[AuditHouse]:
    made = AuditHouse(f"sqlite:///{tmp_path / 'triage.db'}")
    yield made
    made.close()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_a_planted_loss_is_found_and_put_right(loss: Loss, house: AuditHouse) -> None:
    check_loss(house, loss)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_auditor(check: AuditCheck, house: AuditHouse) -> None:
    check(house)
