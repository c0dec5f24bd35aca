"""Who is asking: bearer tokens, looked up by their hash. The token decides, never the payload."""

import hashlib
import secrets
import string
from dataclasses import dataclass
from typing import Protocol

from triage.domain.events import Actor, Sender, Side
from triage.store.records import Token

TOKEN_PREFIX = "tri_"  # noqa: S105 (what a token looks like, not one)
CENTRE_PREFIX = "centre:"
_LETTERS = string.ascii_letters + string.digits
_LENGTH = 40
_SCHEME = "bearer"


class TokenLookup(Protocol):
    """Where credentials are kept."""

    def find_token(self, token_hash: str, /) -> Token | None:
        """The credential with this hash, also a revoked one."""
        ...


@dataclass(frozen=True, slots=True)
class Credential:
    """What a token stands for: a hospital's or the centre's system, or a named person there."""

    sender: Sender
    token_hash: str

    @property
    def is_hospital(self) -> bool:
        """Sees and writes its own referrals only."""
        return self.sender.side is Side.HOSPITAL

    @property
    def source(self) -> str:
        """The organisation or site that events of this credential come from."""
        return self.sender.source

    @property
    def actor(self) -> Actor | None:
        """The person, where the credential is a person's."""
        return self.sender.actor


def mint_token() -> str:
    """A new token: `tri_` and 40 letters or digits (238 bits). Shown once, stored as its hash."""
    return TOKEN_PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def hash_token(text: str) -> str:
    """What is stored and looked up instead of the token: SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_token(text: str | None) -> str | None:
    """The text if it has a token's shape (nothing else reaches the database), otherwise None."""
    body = (text or "").strip().removeprefix(TOKEN_PREFIX)
    if len(body) != _LENGTH or not all(letter in _LETTERS for letter in body):
        return None
    return TOKEN_PREFIX + body


def authenticate(header: str | None, tokens: TokenLookup) -> Credential | None:
    """The credential of an `Authorization: Bearer tri_...` header; None when it is not in force."""
    scheme, _, text = (header or "").partition(" ")
    token = read_token(text)
    if scheme.casefold() != _SCHEME or token is None:
        return None
    return credential_of(hash_token(token), tokens)


def credential_of(token_hash: str, tokens: TokenLookup) -> Credential | None:
    """The credential with this hash, unless it was revoked."""
    token = tokens.find_token(token_hash)
    if token is None or token.revoked_at is not None:
        return None
    source = token.source or token.site
    if source is None:
        return None
    return Credential(sender_of(source, _actor(token)), token_hash)


def sender_of(source: str, actor: Actor | None) -> Sender:
    """The sender that a source stands for: the centre's when it is named so, else a hospital."""
    side = Side.CENTRE if source.startswith(CENTRE_PREFIX) else Side.HOSPITAL
    return Sender(side=side, source=source, actor=actor)


def _actor(token: Token) -> Actor | None:
    if token.person is None:
        return None
    return Actor(person=token.person, name=token.name, role=token.role, site=token.site)
