"""How the invented patients present: findings as a referring hospital would write them.

The mix is a proposal for demonstrations (about one in seven EMERGENT), no epidemiology. The tier
named here is the one intended; the policy book alone decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

Findings = dict[str, Any]

_HISTOLOGIES = ("breast", "prostate", "nsclc", "renal", "myeloma", "colorectal", "melanoma")
_HISTOLOGY_SHARES = (24, 24, 18, 10, 10, 8, 6)
_CORD_LEVELS = (*(f"T{n}" for n in range(2, 13)), "C5", "C6", "C7", "L1")
_CAUDA_LEVELS = ("L3", "L4", "L5", "S1")


@dataclass(frozen=True, slots=True)
class Presentation:
    """`share` = how often, relative to the others; `note` = the free text that goes with it."""

    name: str
    share: float
    note: str
    findings: Callable[[Random, datetime], Findings]


def choose(dice: Random) -> Presentation:
    """One presentation, by the shares."""
    return dice.choices(PRESENTATIONS, weights=[p.share for p in PRESENTATIONS])[0]


def _hours_before(at: datetime, hours: float) -> str:
    return (at - timedelta(seconds=round(hours * 3600))).isoformat()


def _cancer(dice: Random, **more: object) -> Findings:
    return {
        "cancer": "known",
        "histology": dice.choices(_HISTOLOGIES, weights=_HISTOLOGY_SHARES)[0],
        "spinal_metastasis": "confirmed",
        **more,
    }


def _benign_neurology(**more: object) -> Findings:
    return {
        "ais": "E",
        "walking": "unaided",
        "neuro_symptom": "none",
        "bladder": "normal",
        "saddle_sensation": "normal",
        "trend": "stable",
        **more,
    }


def _lost_walking(dice: Random, at: datetime) -> Findings:
    return _cancer(
        dice,
        mri="reported",
        level=dice.choice(_CORD_LEVELS),
        escc=dice.choice(("2", "3", "3")),
        ais=dice.choice(("B", "C", "C", "D")),
        walking="cannot",
        deficit_onset_at=_hours_before(at, dice.uniform(2, 30)),
        trend=dice.choice(("worsening", "worsening", "stable")),
        bladder=dice.choice(("normal", "altered")),
        saddle_sensation="normal",
        sins=dice.randint(5, 13),
    )


def _cauda_equina(dice: Random, at: datetime) -> Findings:
    return _cancer(
        dice,
        mri="reported",
        level=dice.choice(_CAUDA_LEVELS),
        escc="na",
        thecal_compression="severe",
        ais="D",
        walking="aided",
        trend="stable",
        deficit_onset_at=_hours_before(at, dice.uniform(50, 80)),
        bladder="retention_incontinence",
        saddle_sensation="reduced",
        pvr_ml=dice.randrange(250, 900, 10),
        bladder_onset_at=_hours_before(at, dice.uniform(3, 40)),
        sins=dice.randint(4, 11),
    )


def _scan_without_examination(dice: Random, _at: datetime) -> Findings:
    level = dice.choice(_CORD_LEVELS)
    return _cancer(dice, mri="reported", level=level, escc="3")


def _legs_getting_weaker(dice: Random, at: datetime) -> Findings:
    return _cancer(
        dice,
        mri="requested",
        level=dice.choice(_CORD_LEVELS),
        ais="D",
        walking="aided",
        neuro_symptom="weakness",
        trend="worsening",
        deficit_onset_at=_hours_before(at, dice.uniform(6, 40)),
        bladder="normal",
        pain="severe",
    )


def _weak_for_days(dice: Random, at: datetime) -> Findings:
    return _cancer(
        dice,
        mri="reported",
        level=dice.choice(_CORD_LEVELS),
        escc=dice.choice(("1b", "1c", "2")),
        ais="D",
        walking="aided",
        trend="stable",
        deficit_onset_at=_hours_before(at, dice.uniform(60, 240)),
        bladder="normal",
        saddle_sensation="normal",
        pain="mechanical",
        sins=dice.randint(6, 12),
    )


def _weak_and_trend_not_said(dice: Random, at: datetime) -> Findings:
    return _cancer(
        dice,
        spinal_metastasis="suspected",
        mri="requested",
        ais="D",
        walking="aided",
        deficit_onset_at=_hours_before(at, dice.uniform(55, 120)),
        bladder="normal",
    )


def _compressed_and_well(dice: Random, _at: datetime) -> Findings:
    return _cancer(
        dice,
        mri="reported",
        level=dice.choice(_CORD_LEVELS),
        escc=dice.choice(("2", "2", "3")),
        pain="mechanical",
        sins=dice.randint(5, 11),
        **_benign_neurology(),
    )


def _arm_or_belt_pain(dice: Random, _at: datetime) -> Findings:
    return _cancer(
        dice,
        mri="reported",
        level=dice.choice(_CORD_LEVELS),
        escc=dice.choice(("1a", "1b")),
        pain="suggestive",
        sins=dice.randint(4, 9),
        **_benign_neurology(neuro_symptom="radicular"),
    )


def _unstable(dice: Random, _at: datetime) -> Findings:
    return _cancer(
        dice,
        mri="reported",
        level=dice.choice((*_CORD_LEVELS, "L2", "L3")),
        escc=dice.choice(("0", "1a")),
        pain="mechanical",
        sins=dice.randint(13, 16),
        **_benign_neurology(),
    )


def _hardly_filled_in(dice: Random, _at: datetime) -> Findings:
    return {"cancer": "known"} if dice.random() < 0.7 else {}


def _pain_only(dice: Random, _at: datetime) -> Findings:
    return _cancer(
        dice,
        spinal_metastasis="suspected",
        mri=dice.choice(("none", "requested")),
        walking="unaided",
        neuro_symptom="none",
        bladder="normal",
        pain=dice.choice(("suggestive", "mechanical", "severe")),
    )


def _some_epidural_disease(dice: Random, _at: datetime) -> Findings:
    return _cancer(
        dice,
        mri="reported",
        level=dice.choice(_CORD_LEVELS),
        escc=dice.choice(("1a", "1b", "1c")),
        pain=dice.choice(("nonmechanical", "mechanical")),
        sins=dice.randint(3, 12),
        **_benign_neurology(),
    )


def _incidental(dice: Random, _at: datetime) -> Findings:
    return _cancer(
        dice,
        mri="reported",
        level=dice.choice((*_CORD_LEVELS, "L3")),
        escc="0",
        pain=dice.choice(("none", "nonmechanical")),
        sins=dice.randint(0, 6),
        **_benign_neurology(),
    )


PRESENTATIONS = (
    Presentation("lost walking", 6, "Stopped walking; legs will not hold.", _lost_walking),
    Presentation("cauda equina", 3, "New saddle numbness, catheterised.", _cauda_equina),
    Presentation("scan only", 2.5, "Outside scan, patient on the way.", _scan_without_examination),
    Presentation("weaker legs", 3.5, "Legs weaker since yesterday.", _legs_getting_weaker),
    Presentation("weak for days", 9, "Unsteady for several days.", _weak_for_days),
    Presentation("trend not said", 2, "Some leg weakness.", _weak_and_trend_not_said),
    Presentation("compressed, well", 9, "Cord compressed, walks well.", _compressed_and_well),
    Presentation("radicular pain", 9, "Band-like pain at night.", _arm_or_belt_pain),
    Presentation("unstable", 6, "Pain on sitting up.", _unstable),
    Presentation("hardly filled in", 2, "Please advise.", _hardly_filled_in),
    Presentation("pain only", 18, "Night pain, known cancer.", _pain_only),
    Presentation("epidural disease", 18, "Found on a staging scan.", _some_epidural_disease),
    Presentation("incidental", 12, "Incidental, pain controlled.", _incidental),
)


def worse(dice: Random) -> Findings:
    """What a later examination finds when the cord gives way."""
    ais = dice.choice(("C", "D"))
    walking = "cannot" if ais == "C" else "aided"
    return {"ais": ais, "walking": walking, "trend": "worsening", "bladder": "normal"}


def unchanged(findings: Findings) -> Findings:
    """What a later examination finds when nothing has happened."""
    return {
        "ais": findings.get("ais", "E"),
        "walking": findings.get("walking", "unaided"),
        "trend": "stable",
    }


def scan_report(dice: Random) -> Findings:
    """Findings of a scan that was still to come; one in four shows a compressed cord.

    The SINS item `location` is left out: it follows from `level`.
    """
    items = {
        "pain": dice.choice((1, 3)),
        "lesion": dice.choice((1, 2)),
        "alignment": dice.choice((0, 0, 2)),
        "collapse": dice.choice((0, 1, 2)),
        "posterolateral": dice.choice((0, 1)),
    }
    return {
        "level": dice.choice(_CORD_LEVELS),
        "compartment": "extradural",
        "escc": dice.choice(("0", "1a", "1b", "2")),
        "sins_items": items,
        "mri": "reported",
    }
