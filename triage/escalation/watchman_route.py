"""The watchman's own way out: a signed webhook, a file, a command, or any service of Apprise.

It shares nothing with the relay and knows no roster. The standard library does all of it but
Apprise, which is loaded only when its kind of address is set.
"""

import base64
import hashlib
import hmac
import json
import os
import shlex
import subprocess
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from triage.domain.errors import TriageError

SEND_SECONDS = 8.0
_FILE, _COMMAND, _WEB = "file:", "command:", ("http://", "https://")
_BASE64 = "whsec_"
Document = Mapping[str, Any]
# Sends once; raises OSError, ValueError or subprocess.SubprocessError when it was not taken.
Send = Callable[[Document, datetime], None]


def route_of(address: str, secret: str | None) -> Send:
    """What sends to `address`; raises TriageError for one that can never work."""
    if address.startswith(_FILE):
        return FileRoute(Path(address.removeprefix(_FILE)))
    if address.startswith(_COMMAND):
        return CommandRoute(tuple(shlex.split(address.removeprefix(_COMMAND))))
    if address.lower().startswith(_WEB):
        if not secret:
            raise TriageError(
                "TRIAGE_WATCH_SECRET: not set",
                hint="a webhook is signed: give the secret that its receiver knows",
            )
        return WebhookRoute(address, signing_key(secret))
    if "://" in address:
        return AppriseRoute(address)
    raise TriageError("TRIAGE_WATCH_ROUTE: no such kind", hint=ALLOWED)


ALLOWED = (
    "allowed: https://..., file:/folder/file.jsonl, command:/path/program, or an address of Apprise"
)


@dataclass(frozen=True, slots=True)
class FileRoute:
    """A line of JSON at the end of a file, on the disk before it counts."""

    path: Path

    def __call__(self, document: Document, at: datetime) -> None:
        """Raises OSError."""
        del at
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")
            file.flush()
            os.fsync(file.fileno())


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """A program of the site's (a siren, a modem): the document on its standard input, no shell."""

    words: tuple[str, ...]

    def __call__(self, document: Document, at: datetime) -> None:
        """Raises OSError, or SubprocessError for another exit status than 0."""
        del at
        subprocess.run(  # noqa: S603 - the operator's own program, from the settings
            self.words,
            input=json.dumps(document).encode(),
            timeout=SEND_SECONDS,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@dataclass(frozen=True, slots=True, repr=False)
class WebhookRoute:
    """One signed POST (Standard Webhooks); the id is that of the alarm, the same at each try."""

    url: str
    key: bytes

    def __call__(self, document: Document, at: datetime) -> None:
        """Raises OSError (no connection, no answer in time, not 2xx)."""
        body = json.dumps(document).encode()
        seconds = str(int(at.timestamp()))
        signed = f"{document['id']}.{seconds}.".encode() + body
        signature = base64.b64encode(hmac.new(self.key, signed, hashlib.sha256).digest()).decode()
        headers = {
            "content-type": "application/json",
            "webhook-id": str(document["id"]),
            "webhook-timestamp": seconds,
            "webhook-signature": f"v1,{signature}",
        }
        fetch(urllib.request.Request(self.url, body, headers))  # noqa: S310 - http by `route_of`


@dataclass(frozen=True, slots=True, repr=False)
class AppriseRoute:
    """Any service that Apprise knows."""

    url: str

    def __call__(self, document: Document, at: datetime) -> None:
        """Raises OSError when the service did not take it."""
        del at
        from apprise import Apprise

        service = Apprise()
        if not service.add(self.url):
            raise OSError("Apprise knows no such service or misses a part of it")
        if not service.notify(title=document["title"], body=document["text"]):
            raise OSError("the service did not take it")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """A signed alarm goes where the operator said and nowhere else."""


def fetch(request: urllib.request.Request) -> None:
    """One request that must be answered with 2xx within the limit; raises OSError."""
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(request, timeout=SEND_SECONDS) as answer:
            answer.read(1)
    except HTTPError as error:
        raise OSError(f"HTTP {error.code}") from None


def signing_key(secret: str) -> bytes:
    """The bytes that sign: those after `whsec_` in base64, else the text itself."""
    if secret.startswith(_BASE64):
        return base64.b64decode(secret.removeprefix(_BASE64), validate=True)
    return secret.encode()
