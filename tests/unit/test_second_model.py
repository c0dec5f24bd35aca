"""The second model of a case, and production, are of one mind on seeded logs."""

import os

import pytest

from tests.second_opinion.case_compare import first_parting

SEED = int(os.environ.get("TRIAGE_SECOND_MODEL_SEED", "1"))
LOGS = int(os.environ.get("TRIAGE_SECOND_MODEL_LOGS", "200"))
PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
def test_both_models_say_the_same_of_seeded_logs(part: int) -> None:
    partings = [
        found for seed in range(SEED + part, SEED + LOGS, PARTS) if (found := first_parting(seed))
    ]
    texts = "\n\n".join(each.text for each in partings[:3])
    assert not partings, f"{len(partings)} logs differ\n{texts}"
