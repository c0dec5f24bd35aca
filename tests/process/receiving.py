"""A paging desk that takes signed pages, and a roster that names it."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.webhook_receiver import Received, Receiver

SECRET = base64.b64encode(b"a secret that only the tests know").decode()
SECRET_NAME = "DESK_SECRET"  # the variable that the roster refers to
PEOPLE = Path(__file__).parents[1] / "scenarios" / "roster.toml"
_INBOX = '{ name = "inbox", kind = "inbox" }'
Page = dict[str, Any]


class Desk:
    """What came in. `received` grows while the service runs."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver

    @property
    def url(self) -> str:
        return f"http://{self.receiver.address}/pages"

    @property
    def environment(self) -> dict[str, str]:
        """What the service needs to sign with."""
        return {SECRET_NAME: f"whsec_{SECRET}"}

    @property
    def received(self) -> list[Received]:
        return list(self.receiver.received)

    def pages(self) -> list[Page]:
        """In order of arrival, doubled ones too."""
        return [json.loads(request.body) for request in self.received]


@contextmanager
def paging_desk() -> Iterator[Desk]:
    """A receiver with a thread of its own, on a free port."""
    receiver, loop = Receiver(status=200), asyncio.new_event_loop()
    listens, ends = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with receiver.listening():
            listens.set()
            await ends.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert listens.wait(10), "the receiver of pages did not start"
    try:
        yield Desk(receiver)
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join(10)
        loop.close()


def is_signed(request: Received) -> bool:
    """Whether the signature is right, computed as the contract words it."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    message_id, at, signature = (request.headers[name] for name in names)
    signed = f"{message_id}.{at}.".encode() + request.body
    digest = hmac.new(base64.b64decode(SECRET), signed, hashlib.sha256).digest()
    return hmac.compare_digest(signature, f"v1,{base64.b64encode(digest).decode()}")


def write_roster(folder: Path, desk: Desk, *, with_inbox: bool) -> Path:
    """The people of the scenarios, each reached at the desk first, then in the inbox if asked."""
    where = f'url = "{desk.url}", secret = "env:{SECRET_NAME}"'
    webhook = f'{{ name = "desk", kind = "webhook", {where} }}'
    text = PEOPLE.read_text(encoding="utf-8")
    assert _INBOX in text
    path = folder / "roster.toml"
    routes = f"{webhook}, {_INBOX}" if with_inbox else webhook
    path.write_text(text.replace(_INBOX, routes), encoding="utf-8")
    return path
