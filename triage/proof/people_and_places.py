"""Plainly invented hospitals, patients and staff: nobody here exists."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

CENTRE = "centre:NEURO"
_NHS_WEIGHTS = range(10, 1, -1)  # the modulus-11 check of NHS numbers
_WARDS = ("Ward 7", "Acute Oncology", "Emergency Department", "Medical Admissions", "Ward 12")
_REFERRERS = ("registrar", "consultant", "nurse practitioner", "foundation doctor")


@dataclass(frozen=True, slots=True)
class Hospital:
    """One referring hospital; `share` = its part of all referrals, relative to the others."""

    source: str
    share: float
    callback: str


def hospitals(count: int) -> tuple[Hospital, ...]:
    """`hospital:RX1` and so on: a few refer often, many seldom."""
    return tuple(
        Hospital(
            source=f"hospital:RX{number}",
            share=1 / (number + 2) ** 0.7,
            # 01632 960xxx is kept free by the regulator for invented numbers.
            callback=f"+44 1632 960{number:03d}",
        )
        for number in range(1, count + 1)
    )


def referrer(dice: Random, hospital: Hospital) -> dict[str, Any]:
    """The block `referrer` of a referral."""
    return {
        "name": "Sample Referrer",
        "role": "referrer",
        "grade": dice.choice(_REFERRERS),
        "organisation": hospital.source,
        "ward": dice.choice(_WARDS),
        "callback": hospital.callback,
    }


def patient(dice: Random, hospital: Hospital) -> dict[str, Any]:
    """The block `patient`: family name Sample, NHS number from the range kept for tests."""
    born = date(1934, 1, 1) + timedelta(days=dice.randrange(58 * 365))
    return {
        "identifiers": [
            {"system": "nhs", "value": test_nhs_number(dice)},
            {"system": hospital.source, "value": f"M{dice.randrange(10**6):06d}"},
        ],
        "name": {"family": "Sample", "given": ["Patient"]},
        "birth_date": born.isoformat(),
        "sex": dice.choice(("female", "male")),
        "location": dice.choice(_WARDS),
    }


def test_nhs_number(dice: Random) -> str:
    """Ten digits from 999: a valid check digit, and never given to a person."""
    while True:
        digits = [9, 9, 9, *(dice.randrange(10) for _ in range(6))]
        total = sum(weight * digit for weight, digit in zip(_NHS_WEIGHTS, digits, strict=True))
        check = (11 - total % 11) % 11
        if check != 10:
            return "".join(map(str, [*digits, check]))


_CENTRE_STAFF: Mapping[str, tuple[str | None, str]] = {
    "registrar": ("reg-a", "Sample Registrar"),
    "consultant": ("con-a", "Sample Consultant"),
    "second_consultant": ("con-b", "Sample Second Consultant"),
    "coordinator": ("coord-a", "Sample Coordinator"),
    "site_manager": ("site-a", "Sample Site Manager"),
    "oncology": ("onc-a", "Sample Oncologist"),
    "radiology": (None, "Sample Radiologist"),
}


def member_of_staff(role: str) -> dict[str, Any]:
    """A person of the centre as `by` of an event, e.g. for `registrar`."""
    person, name = _CENTRE_STAFF.get(role, (None, f"Sample {role.replace('_', ' ').title()}"))
    return {"person": person, "name": name, "role": role, "site": CENTRE}
