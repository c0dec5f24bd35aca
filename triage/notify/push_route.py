"""Push messages to every browser that a person has signed up, on whatever push service it uses."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import aiohttp
import orjson

from triage.domain.instants import Clock
from triage.domain.paging import PageOrder, short_tag
from triage.notify.push_message import authorization, encrypt, read_key
from triage.notify.routes import Accepted, Refused, SendResult, Unreachable
from triage.notify.text import page_text
from triage.store.reaching import Subscription

LOG = logging.getLogger(__name__)

SEND_SECONDS = 5.0
_KEPT_SECONDS = 900  # by the push service, for a telephone without a network: a ladder's length
_GONE = (404, 410)
_TRY_AGAIN = (408, 425, 429)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushParts:
    """What push messages need. `key` (base64url) and `contact` (mailto:) say who we are.

    `browsers` gives those of a person; `forget` is told of one that its push service calls gone.
    """

    key: str | None
    contact: str
    browsers: Callable[[str], Awaitable[Sequence[Subscription]]]
    forget: Callable[[str], Awaitable[None]]


class PushRoute:
    """Accepted when at least one browser's push service has taken the message."""

    def __init__(
        self,
        parts: PushParts,
        client: aiohttp.ClientSession,
        clock: Clock,
        *,
        zone: tzinfo = UTC,
        limit_seconds: float = SEND_SECONDS,
    ) -> None:
        self._parts, self._client, self._clock = parts, client, clock
        self._zone, self._limit_seconds = zone, limit_seconds

    async def send(self, order: PageOrder, document: Mapping[str, Any]) -> SendResult:
        """One message for each browser; pages of one ladder replace each other on the screen."""
        text = page_text(document, self._zone)
        message = {
            "title": text.title,
            "body": text.body,
            "url": document["url"],
            "tag": _tag(order),
            "is_recalled": False,
        }
        return await self._to_all(order, message)

    async def recall(self, order: PageOrder, word: str) -> bool:
        """Replace the message by one, without sound, that nothing is left to answer."""
        del word
        message = {
            "title": f"Answered: {order.case}",
            "body": "Somebody has taken this case.",
            "url": "/inbox",
            "tag": _tag(order),
            "is_recalled": True,
        }
        return isinstance(await self._to_all(order, message), Accepted)

    async def _to_all(self, order: PageOrder, message: Mapping[str, Any]) -> SendResult:
        if self._parts.key is None:
            return Refused("push: TRIAGE_PUSH_KEY is not set")
        browsers = await self._parts.browsers(order.person or "")
        if not browsers:
            return Refused("push: no browser of this person is signed up")
        body = orjson.dumps(message)
        answers = await asyncio.gather(*(self._to_one(each, body) for each in browsers))
        taken = sum(isinstance(each, Accepted) for each in answers)
        if taken:
            return Accepted(f"{taken} of {len(browsers)} browsers")
        doubtful = [each for each in answers if isinstance(each, Unreachable)]
        return doubtful[0] if doubtful else answers[0]

    async def _to_one(self, browser: Subscription, body: bytes) -> SendResult:
        try:
            sealed = encrypt(body, p256dh=browser.p256dh, auth=browser.auth)
            key = read_key(self._parts.key or "")
        except ValueError:
            return Refused("push: a key cannot be used")
        headers = {
            "authorization": authorization(
                browser.endpoint, key, self._parts.contact, self._clock.now()
            ),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(_KEPT_SECONDS),
            "urgency": "high",
        }
        return await self._post(browser, sealed, headers)

    async def _post(
        self, browser: Subscription, sealed: bytes, headers: Mapping[str, str]
    ) -> SendResult:
        try:
            async with (
                asyncio.timeout(self._limit_seconds),
                self._client.post(
                    browser.endpoint, data=sealed, headers=headers, allow_redirects=False
                ) as answer,
            ):
                status = answer.status
        except TimeoutError:
            return Unreachable(f"no answer within {self._limit_seconds:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Unreachable(f"no connection: {type(error).__name__}")
        if status in _GONE:
            LOG.error("push.gone: a browser takes no pages any more")
            await self._parts.forget(browser.id)
            return Refused("push: the browser is gone", f"HTTP {status}")
        if 200 <= status < 300:
            return Accepted(f"HTTP {status}")
        if status >= 500 or status in _TRY_AGAIN:
            return Unreachable(f"HTTP {status}")
        return Refused("the push service does not take it", f"HTTP {status}")


def _tag(order: PageOrder) -> str:
    return short_tag(order.case or "", order.obligation, order.run)
