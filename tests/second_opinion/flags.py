"""The flags of section 2, and TIMER_60. 'They never change the tier'."""

from tests.second_opinion.derived import Derived
from tests.second_opinion.reading import Seen
from tests.second_opinion.rules import is_beyond_48


def timer_60(seen: Seen, d: Derived, tier: str) -> bool:
    """'runs while the rules give URGENT and either (a) `trend` unknown and `sev` exactly 2, or
    (b) `bladder` unknown and (`sev` >= 1, or `high`, or `compartment` not extradural)'"""
    if tier != "URGENT":
        return False
    if seen.said("trend") == "unknown" and d.sev == 2:
        return True
    if seen.said("bladder") != "unknown":
        return False
    return d.sev >= 1 or d.high or d.compartment != "extradural"


def provisional(seen: Seen, d: Derived, hits: list[str], tier: str) -> bool:
    """'E2 or E7 hit with `deficit_onset_at` unknown; or E5 hit; or U6 hit (also when the tier is
    EMERGENT); or TIMER_60 set'"""
    if ("E2" in hits or "E7" in hits) and d.deficit is None:
        return True
    return "E5" in hits or "U6" in hits or timer_60(seen, d, tier)


def contradiction(seen: Seen, d: Derived) -> bool:
    """'`ais` E with `walking` cannot; `ais` A or B with `walking` unaided or aided; `bladder`
    normal with `pvr_ml` >= 200; `escc` 2 or 3 with `mri` none or requested; `sins` outside the
    range of `sins_items`'"""
    ais, walking = seen.said("ais"), seen.said("walking")
    if ais == "e" and walking == "cannot":
        return True
    if ais in ("a", "b") and walking in ("unaided", "aided"):
        return True
    if seen.said("bladder") == "normal" and seen.number.get("pvr_ml", 0) >= 200:
        return True
    if seen.said("escc") in ("2", "3") and seen.said("mri") in ("none", "requested"):
        return True
    if "sins" in seen.number and d.sins_range is not None:
        bottom, top = d.sins_range
        return not bottom <= seen.number["sins"] <= top
    return False


def tissue_needed(seen: Seen) -> bool:
    """'`histology` unknown or none while `cancer` is not `known`'"""
    return seen.said("histology") in ("unknown", "none") and seen.said("cancer") != "known"


def steroid_caution(seen: Seen) -> bool:
    """'`histology` lymphoma or myeloma; or `histology` unknown or none while `cancer` is not
    `known`'"""
    return seen.said("histology") in ("lymphoma", "myeloma") or tissue_needed(seen)


def precautions(seen: Seen, d: Derived) -> bool:
    """'`sev` >= 2; or SINS >= 7; or SINS unknown with `pain` mechanical or severe'"""
    if d.sev >= 2:
        return True
    if d.sins is None:
        return seen.said("pain") in ("mechanical", "severe")
    return d.sins >= 7


def late_complete(d: Derived) -> bool:
    """'`sev` = 4 and `deficit_h` > 48, at any tier'"""
    return d.sev == 4 and is_beyond_48(d.deficit)


def late_incomplete(d: Derived) -> bool:
    """'`sev` = 3 and `deficit_h` > 48, at any tier'"""
    return d.sev == 3 and is_beyond_48(d.deficit)


def pall_parallel(seen: Seen, d: Derived) -> bool:
    """'`prognosis_months` < 3; or `kps` <= 40; or LATE_COMPLETE'"""
    if "prognosis_months" in seen.number and seen.number["prognosis_months"] < 3:
        return True
    if "kps" in seen.number and seen.number["kps"] <= 40:
        return True
    return late_complete(d)


ONC = ("lymphoma", "myeloma", "leukaemia", "germ_cell", "sclc")


def flags_of(seen: Seen, d: Derived, hits: list[str], tier: str) -> list[str]:
    """'Set exactly when' each row of the table says so."""
    is_set = {
        "PROVISIONAL": provisional(seen, d, hits, tier),
        "TIMER_60": timer_60(seen, d, tier),
        # '`ais` unknown'
        "EXAM_MISSING": seen.said("ais") == "unknown",
        "CONTRADICTION": contradiction(seen, d),
        # 'E3 hit (not for a sphincter sign older than 48 h)'
        "SPHINCTER": "E3" in hits,
        # 'E3 hit and `spinal_metastasis` = no'
        "REDIRECT_CES": "E3" in hits and seen.said("spinal_metastasis") == "no",
        # '`histology` lymphoma, myeloma, leukaemia, germ_cell or sclc'
        "ONC_PARALLEL": seen.said("histology") in ONC,
        "STEROID_CAUTION": steroid_caution(seen),
        "TISSUE_NEEDED": tissue_needed(seen),
        "PRECAUTIONS": precautions(seen, d),
        "LATE_COMPLETE": late_complete(d),
        "LATE_INCOMPLETE": late_incomplete(d),
        "PALL_PARALLEL": pall_parallel(seen, d),
        # '`wishes` = declines'
        "WISHES": seen.said("wishes") == "declines",
        # '`prior_radiotherapy` / `re_referral` / `anticoagulated` = yes'
        "RE_IRRADIATION": seen.said("prior_radiotherapy") == "yes",
        "RE_REFERRAL": seen.said("re_referral") == "yes",
        "ANTICOAG": seen.said("anticoagulated") == "yes",
        # '`compartment` is not extradural (`escc` = na below the conus does not set it)'
        "ESCC_NA": d.compartment != "extradural",
    }
    return sorted(flag for flag, on in is_set.items() if on)
