"""Telephone numbers, providers that reach them, and the code that stands for a page."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field

TWILIO = "https://api.twilio.com"
CODE_DIGITS = 6
SPOKEN_DIGITS = 4  # said aloud and keyed on the same call, so fewer will do
_DIALLED = re.compile(r"\+[1-9]\d{6,14}")
_FILLING = re.compile(r"[\s().\-/]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A telephone provider with Twilio's REST API. Values may be `env:NAME` or `file:/path`.

    `sender` is the number that pages come from; `token` signs the provider's call-backs to us.
    """

    name: str
    account: str = field(repr=False)
    token: str = field(repr=False)
    sender: str = field(repr=False)
    url: str = TWILIO


def dialled(text: str | None) -> str | None:
    """A number as it is dialled (E.164: `+` and 7 to 15 digits); None for anything else."""
    bare = _FILLING.sub("", text or "")
    return bare if _DIALLED.fullmatch(bare) else None


def reply_code(page: str, key: str) -> str:
    """Six digits that stand for a page in an answer; nobody finds them without the key.

    The first SPOKEN_DIGITS of them are what a call says aloud.
    """
    digest = hmac.new(key.encode(), f"reply\n{page}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"
