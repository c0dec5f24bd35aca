"""Signed webhooks (Standard Webhooks), under the same id at every attempt."""

import asyncio
import base64
import binascii
import os
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.request import getproxies

import aiohttp
import certifi
import orjson
from standardwebhooks import Webhook

from triage.domain.instants import Clock
from triage.domain.paging import PageOrder
from triage.domain.roster.roster import Route
from triage.notify.routes import Accepted, Refused, SendResult, Unreachable
from triage.notify.secrets import Missing, resolve_reference

SEND_SECONDS = 5.0
_BASE64 = "whsec_"
# 4xx that ask for another try: request timeout, too early, too many requests.
_TRY_AGAIN = (408, 425, 429)
_SHORT_ANSWER = 4_096
_KEPT_SECONDS = 5.0
_SCHEMES = ("http://", "https://")
_NO_ADDRESS = Refused("url: is no http or https address")


def webhook_client() -> aiohttp.ClientSession:
    """A client for all webhooks: no cookies, and no common pool that one hanging peer could fill.

    Trusts the authorities of certifi, or of SSL_CERT_FILE or SSL_CERT_DIR; takes the proxies of the
    environment. Made inside the event loop; whoever makes it closes it.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_SECONDS, ssl=_trust()),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(),  # each route has a limit of its own
        trust_env=bool(getproxies()),  # asking for the proxy of each page is slow
        auto_decompress=False,
    )


def _trust() -> ssl.SSLContext:
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    return ssl.create_default_context(cafile=certifi.where())


class WebhookRoute:
    """POSTs the page's document to an address, signed with the route's secret.

    A secret is taken as its UTF-8 bytes, or as base64 after `whsec_`. 2xx is accepted; other
    answers below 500 are refused, except those that ask for another try.
    """

    def __init__(
        self,
        route: Route,
        client: aiohttp.ClientSession,
        clock: Clock,
        environment: Mapping[str, str],
        *,
        limit_seconds: float = SEND_SECONDS,
    ) -> None:
        self._route = route
        self._client = client
        self._clock = clock
        self._environment = environment
        self._limit_seconds = limit_seconds

    async def send(self, order: PageOrder, document: Mapping[str, Any]) -> SendResult:
        """One POST; `webhook-id` is page id and route name."""
        url = resolve_reference(self._route.url, self._environment)
        secret = resolve_reference(self._route.secret, self._environment)
        if isinstance(url, Missing):
            return Refused(f"url: {url.reason}")
        if isinstance(secret, Missing):
            return Refused(f"secret: {secret.reason}")
        body = orjson.dumps(document)
        try:
            headers = self._headers(f"{order.page}.{order.route}", body, signing_key(secret))
        except (binascii.Error, ValueError):
            return Refused("secret: what follows whsec_ is not base64")
        return await self._post(url, body, headers)

    def _headers(self, message_id: str, body: bytes, key: bytes) -> dict[str, str]:
        now = self._clock.now()
        return {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(key).sign(message_id, now, body.decode()),
        }

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> SendResult:
        if not url.lower().startswith(_SCHEMES):
            return _NO_ADDRESS
        try:
            async with (
                asyncio.timeout(self._limit_seconds),
                self._client.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                if answer.content_length is not None and answer.content_length <= _SHORT_ANSWER:
                    await answer.read()  # to its end, so that the connection can be kept
                return _read_status(answer.status)
        except TimeoutError:
            return Unreachable(f"no answer within {self._limit_seconds:g} s")
        except aiohttp.InvalidURL:
            return _NO_ADDRESS
        except (aiohttp.ClientError, OSError) as error:
            return Unreachable(f"no connection: {type(error).__name__}")


def signing_key(secret: str) -> bytes:
    """The bytes that sign; raises ValueError or binascii.Error for bad base64 or an empty key."""
    if not secret.startswith(_BASE64):
        return secret.encode()
    key = base64.b64decode(secret.removeprefix(_BASE64), validate=True)
    if not key:
        raise ValueError("empty key")
    return key


def _read_status(status: int) -> SendResult:
    word = f"HTTP {status}"
    if 200 <= status < 300:
        return Accepted(word)
    if status >= 500 or status in _TRY_AGAIN:
        return Unreachable(word)
    if 300 <= status < 400:
        return Refused("redirects are not followed: write the final address", word)
    return Refused("the receiver does not take it", word)
