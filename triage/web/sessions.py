"""Sessions of people at the pages: a signed cookie, and the form token that goes with it.

The cookie holds the hash of the token that was used to sign in, so that revoking the token ends
the session. It says nothing about anybody by itself.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.domain.events import Actor
from triage.web.auth import Credential, TokenLookup, credential_of, sender_of

COOKIE = "triage_session"
LASTS = timedelta(hours=12)  # a shift; afterwards people sign in again
_DEMO = "demo"
_DEMO_LASTS = timedelta(days=365)  # its clock may run fast


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the pages, and the token that every form of theirs must carry."""

    credential: Credential
    form_token: str
    is_demo: bool = False

    @property
    def shown(self) -> str:
        """How the page names them."""
        actor = self.credential.actor
        if actor is None:
            return self.credential.source
        return f"{actor.name or actor.person}, {(actor.role or '').replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class Sessions:
    """Makes and reads session cookies. `demo_site`: visitors without sign-in act for this site."""

    secret: str
    demo_site: str | None = None

    def open(self, token_hash: str, now: datetime) -> str:
        """The cookie of a session that begins now."""
        return self._signed(f"{token_hash}.{_epoch(now + LASTS)}")

    def open_demo(self, now: datetime) -> str:
        """The cookie of a visitor to the demonstration."""
        return self._signed(f"{_DEMO}-{secrets.token_hex(8)}.{_epoch(now + _DEMO_LASTS)}")

    def visitor(self, cookie: str | None, tokens: TokenLookup, now: datetime) -> Visitor | None:
        """Who a cookie stands for; None when it is forged, over, or its token was revoked."""
        name = self._name(cookie, now)
        if cookie is None or name is None:
            return None
        if name.startswith(f"{_DEMO}-"):
            return self._demo_visitor(cookie)
        credential = credential_of(name, tokens)
        return Visitor(credential, self._form_token(cookie)) if credential else None

    def may_submit(self, visitor: Visitor, form_token: str | None) -> bool:
        """Whether a form was made for this visit."""
        return _same(visitor.form_token, form_token or "")

    def form_token(self, visit: str) -> str:
        """The token for forms of a visit that has no session, under a name for that visit."""
        return self._form_token(visit)

    def _demo_visitor(self, cookie: str) -> Visitor | None:
        if self.demo_site is None:
            return None
        actor = Actor(name="Demonstration Visitor", role="consultant", site=self.demo_site)
        credential = Credential(sender_of(self.demo_site, actor), _DEMO)
        return Visitor(credential, self._form_token(cookie), is_demo=True)

    def _name(self, cookie: str | None, now: datetime) -> str | None:
        body, _, signature = (cookie or "").rpartition(".")
        if not _same(self._mac("session", body), signature):
            return None
        name, _, until = body.rpartition(".")
        return name if until.isdecimal() and int(until) > _epoch(now) else None

    def _signed(self, body: str) -> str:
        return f"{body}.{self._mac('session', body)}"

    def _form_token(self, cookie: str) -> str:
        return self._mac("form", cookie)

    def _mac(self, purpose: str, text: str) -> str:
        message = f"{purpose}\n{text}".encode()
        return hmac.new(self.secret.encode(), message, hashlib.sha256).hexdigest()


def _same(ours: str, given: str) -> bool:
    return hmac.compare_digest(ours.encode(), given.encode(errors="replace"))


def _epoch(at: datetime) -> int:
    return int(at.timestamp())
