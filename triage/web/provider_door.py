"""Who calls back: only the provider that signs with the token we share, over the exact address."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from triage.domain.paging import short_tag
from triage.domain.roster.roster import Person, Route
from triage.domain.roster.telephone import dialled
from triage.web.asking import parts_of
from triage.web.body import read_body
from triage.web.parts import WebParts
from triage.web.problems import RefusalError

SIGNATURE = "x-twilio-signature"
_LIMIT_BYTES = 64 << 10
_FIELDS = 200


@dataclass(frozen=True, slots=True)
class CallBack:
    """A call-back whose signature is right. `key` is the token that the provider shares with us."""

    provider: str
    key: str
    fields: Mapping[str, str]

    @property
    def id(self) -> str:
        """The provider's id of the message or call."""
        return self.fields.get("MessageSid") or self.fields.get("CallSid") or ""

    def event(self, page: str) -> str:
        """The id of the event that an answer to a page by this message or call becomes.

        However often the provider tells of it, it is the same event.
        """
        return f"{self.provider}.{self.id}.{short_tag(page)}"


async def verified(request: Request, provider: str, kind: str) -> CallBack:
    """The call-back, when its signature is right. RefusalError (403), counted, otherwise."""
    parts = parts_of(request)
    body = await read_body(request, _LIMIT_BYTES)
    key = await parts.run_blocking(lambda: _key(parts, provider))
    query = f"?{request.url.query}" if request.url.query else ""
    url = f"{parts.public_url}{request.url.path}{query}"
    pairs = _pairs(body)
    given = request.headers.get(SIGNATURE, "")
    if key is None or pairs is None or not _same(signature(url, pairs, key), given):
        parts.instruments.call_back(kind, "refused")
        raise RefusalError(403, "Not signed", "The signature is missing or wrong.")
    return CallBack(provider, key, dict(pairs))


def signature(url: str, pairs: list[tuple[str, str]], key: str) -> str:
    """HMAC-SHA1 over the address and the sorted fields, in base64 (Twilio's rule)."""
    text = url + "".join(f"{name}{value}" for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(key.encode(), text.encode(), "sha1").digest()).decode()


def people_at(parts: WebParts, provider: str, number: str) -> list[tuple[Person, Route]]:
    """Who is reached at this number by that provider. Reads references, so it may block."""
    wanted = dialled(number)
    return [
        (person, route)
        for person in parts.desk.roster.people.values()
        for route in person.routes
        if wanted is not None
        and route.provider is not None
        and route.provider.name == provider
        and dialled(parts.secret_of(route.to)) == wanted
    ]


def _key(parts: WebParts, provider: str) -> str | None:
    known = parts.desk.roster.providers.get(provider)
    return parts.secret_of(known.token) if known else None


def _pairs(body: bytes) -> list[tuple[str, str]] | None:
    try:
        return parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict"
        )
    except (UnicodeDecodeError, ValueError):
        return None


def _same(ours: str, given: str) -> bool:
    return hmac.compare_digest(ours.encode(), given.encode(errors="replace"))
