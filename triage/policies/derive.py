"""Single derived findings, for those who follow a patient from one report to the next."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from triage.policies.bands import Findings
from triage.policies.book import PolicyBook
from triage.policies.sins import Sins

# Neither finding depends on time, a grade drop or SINS.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_NO_SINS = Sins(None, False)


def severity(values: Mapping[str, Any], book: PolicyBook) -> int:
    """`sev` of these findings: 0 to 4."""
    return int(_derived("sev", values, book))


def has_sphincter_sign(values: Mapping[str, Any], book: PolicyBook) -> bool:
    """`sph` of these findings: a bladder, bowel or saddle sign, or residual urine."""
    return _derived("sph", values, book) == "yes"


def _derived(name: str, values: Mapping[str, Any], book: PolicyBook) -> str:
    findings = Findings(values, frozenset())
    failed = book.compiled.bands.failed(findings, _ANY_TIME, None, _NO_SINS)
    return book.compiled.program.settle(failed)[0][name]
