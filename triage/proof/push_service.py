"""A push service and its browsers on this machine.

It opens each message as the browser would, checks who signed it, and notes what it did not expect.
"""

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_HOST = "127.0.0.1"
_AUTH = b"sixteen bytes ok"


@dataclass
class Browser:
    """One browser. `status`: what its push service answers."""

    status: int = 201
    shown: list[dict[str, Any]] = field(default_factory=list)
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def keys(self) -> dict[str, str]:
        """As a page gets them from the browser."""
        return {"p256dh": _text(_point(self.key.public_key())), "auth": _text(_AUTH)}


@dataclass
class PushService:
    """`browsers` by name; the endpoint of one is `<url>/<name>`."""

    browsers: dict[str, Browser] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    now: float | None = None
    url: str = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["PushService"]:
        """Listen on a free port until the end of the block."""
        app = web.Application()
        app.add_routes([web.post("/{name}", self._take)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, _HOST, 0).start()
        self.url = f"http://{_HOST}:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        browser = self.browsers.get(request.match_info["name"])
        if browser is None:
            return web.Response(status=404)
        if browser.status >= 300:
            return web.Response(status=browser.status)
        problem = self._unsigned(request.headers.get("Authorization", ""))
        if problem or request.headers.get("Content-Encoding") != "aes128gcm":
            self.strange.append(problem or "not aes128gcm")
            return web.Response(status=403)
        browser.shown.append(json.loads(opened(await request.read(), browser)))
        return web.Response(status=browser.status)

    def _unsigned(self, header: str) -> str:
        """Why the sender is not who it says; empty when it is."""
        fields = dict(
            part.strip().split("=", 1) for part in header.removeprefix("vapid ").split(",")
        )
        head, claims, signature = fields["t"].split(".")
        raw = _bytes(signature)
        pair = encode_dss_signature(
            int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        )
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(fields["k"]))
        try:
            sender.verify(pair, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return "signature"
        said, now = json.loads(_bytes(claims)), self.now or time.time()
        if said["aud"] != self.url or not now < said["exp"] <= now + 86_400:
            return f"claims {said}"
        return "" if said["sub"].startswith("mailto:") else "no contact"


def opened(body: bytes, browser: Browser) -> bytes:
    """The message inside a body, as RFC 8291 and 8188 have the browser do it."""
    salt, length = body[:16], body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    shared = browser.key.exchange(ec.ECDH(), point)
    info = b"WebPush: info\x00" + _point(browser.key.public_key()) + sender + b"\x01"
    material = _mac(_mac(_AUTH, shared), info)
    secret = _mac(salt, material)
    key = _mac(secret, b"Content-Encoding: aes128gcm\x00\x01")[:16]
    nonce = _mac(secret, b"Content-Encoding: nonce\x00\x01")[:12]
    return AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00").removesuffix(b"\x02")


def _mac(key: bytes, text: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SHA256())
    mac.update(text)
    return mac.finalize()


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
