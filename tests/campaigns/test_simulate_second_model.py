"""The second model judges simulated cases: deaths, outages, doubled and shuffled messages."""

import os

from tests.second_opinion.case_checker import judge
from triage.books import load_books
from triage.proof.simulate.campaign import Judge, run_campaign
from triage.proof.simulate.verdict import CaseView, Violation

SEEDS = int(os.environ.get("TRIAGE_SECOND_MODEL_SEEDS", "25"))


def test_the_second_model_agrees_with_every_case_that_the_simulator_leaves() -> None:
    judged: list[CaseView] = []

    def model(view: CaseView) -> list[Violation]:
        judged.append(view)
        return list(judge(view))

    told = [
        each.what
        for found in run_campaign(
            range(1, SEEDS + 1), Judge(books=load_books(None), second_model=model), enough=1000
        ).broken.values()
        for each in found
        if "second model" in each.what
    ]
    assert judged
    assert not told, "\n".join(told)
