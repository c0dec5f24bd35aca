"""PINs of people: kept as a slow hash, counted before they are looked at, locked when missed."""

import hashlib
import hmac
import logging
import secrets
from datetime import timedelta
from enum import StrEnum
from functools import partial
from itertools import pairwise

from triage.store.reaching import Pin
from triage.web.parts import WebParts
from triage.web.submission import in_store

LOG = logging.getLogger(__name__)

MISSES = 5  # in a row, then none is right for LOCKED
LOCKED = timedelta(minutes=15)
SHORTEST, LONGEST = 4, 12
_COST, _BLOCK, _LANES = 1 << 14, 8, 1  # 16 MB and some 50 ms for each guess


class PinCheck(StrEnum):
    """What became of a PIN that was given."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    NONE = "none"  # the person never set one


def pin_problem(text: str) -> str | None:
    """Why a PIN may not be set; None where it may."""
    if not (text.isascii() and text.isdecimal() and SHORTEST <= len(text) <= LONGEST):
        return f"a PIN has {SHORTEST} to {LONGEST} digits"
    steps = {(int(later) - int(one)) % 10 for one, later in pairwise(text)}
    if steps in ({0}, {1}, {9}):
        return "a PIN that counts up or down or repeats one digit is guessed first"
    return None


def pin_hash(text: str) -> str:
    """`scrypt$<salt>$<hash>`, both in hex."""
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_derived(text, salt)}"


async def check_pin(parts: WebParts, person: str, given: str) -> PinCheck:
    """Whether this is the person's PIN. Guesses at the same time count each."""
    outcome = await in_store(parts, partial(_check, parts, person, given))
    if outcome is not PinCheck.NONE:
        parts.instruments.pin_check(outcome.value)
    if outcome is PinCheck.LOCKED:
        LOG.error("pin.locked")
    return outcome


async def has_pin(parts: WebParts, person: str) -> bool:
    """Whether the person has set one."""
    return await in_store(parts, partial(_find, parts, person)) is not None


def _find(parts: WebParts, person: str) -> Pin | None:
    with parts.store.read() as reader:
        return reader.pin(person)


def _check(parts: WebParts, person: str, given: str) -> PinCheck:
    now = parts.clock.now()
    if _find(parts, person) is None:
        return PinCheck.NONE
    with parts.store.begin() as tx:
        kept = tx.count_pin_guess(person, now, most=MISSES, locked_until=now + LOCKED)
    if kept is None:
        return PinCheck.LOCKED
    known, guesses = kept
    _, salt, digest = known.split("$")
    if not hmac.compare_digest(digest, _derived(given, bytes.fromhex(salt))):
        return PinCheck.WRONG if guesses < MISSES else PinCheck.LOCKED
    with parts.store.begin() as tx:
        tx.forgive_pin(person)
    return PinCheck.RIGHT


def _derived(text: str, salt: bytes) -> str:
    digest = hashlib.scrypt(text.encode(), salt=salt, n=_COST, r=_BLOCK, p=_LANES, dklen=32)
    return digest.hex()
