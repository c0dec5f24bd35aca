"""Case ids, derived and never minted: a replay gives the same one."""

import hashlib
from functools import lru_cache

from triage.domain.events import CaseId

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BITS = 60
_KEPT = 4096  # each event of a referral asks for the same


@lru_cache(_KEPT)
def case_id(referral: str, *, clash: int = 0) -> CaseId:
    """The case id of `<source>/<subject>`: 60 bits of its SHA-256, e.g. `BF2T-5B1F-ZGDY`.

    `clash` = 0 takes the first 60 bits, 1 the next 60, up to 3 (when another referral has them).
    Raises ValueError beyond that.
    """
    if not 0 <= clash <= 3:
        raise ValueError(f"no bits left for a case id: clash {clash}")
    bits = int.from_bytes(hashlib.sha256(referral.encode()).digest(), "big")
    number = (bits >> (256 - _BITS * (clash + 1))) & ((1 << _BITS) - 1)
    text = "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(_BITS - 5, -1, -5))
    return CaseId(f"{text[:4]}-{text[4:8]}-{text[8:]}")


def read_case_id(text: object) -> CaseId | None:
    """A case id as people type it (case, look-alikes O/0, I and L/1, missing dashes), or None."""
    if not isinstance(text, str):
        return None
    plain = text.strip().upper().replace("-", "").translate(str.maketrans("OIL", "011"))
    if len(plain) != 12 or any(letter not in _CROCKFORD for letter in plain):
        return None
    return CaseId(f"{plain[:4]}-{plain[4:8]}-{plain[8:]}")
