"""A telephone provider on this machine: Twilio's REST API, handsets that behave as told.

It keeps every message and call, signs its call-backs by its own reading of the rule, follows what
the call is told to say and ask, and notes whatever it did not expect in `strange`.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from triage.proof.phone_call import Call, Handset, follow

_HOST = "127.0.0.1"
_PATH = "/2010-04-01/Accounts/{account}"


@dataclass
class Message:
    """One text message that was taken."""

    sid: str
    to: str
    sender: str
    body: str
    call_back: str
    status: str = "queued"


@dataclass
class PhoneProvider:
    """`handsets` by number; a number without one takes messages and never picks up a call."""

    account: str = "AC0123"
    token: str = "sample-token-of-the-simulator"  # noqa: S105 (invented, guards nothing)
    handsets: dict[str, Handset] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    answers: list[tuple[str, int, str]] = field(default_factory=list)
    url: str = ""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _client: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["PhoneProvider"]:
        """Listen on a free port until the end of the block; `url` is the base address."""
        runner = web.AppRunner(self._application(), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, _HOST, 0)
        await site.start()
        self.url = f"http://{_HOST}:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as client:
            self._client = client
            try:
                yield self
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await runner.cleanup()

    async def quiet(self) -> None:
        """Wait until every call has ended and every call-back was answered."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def text_in(
        self, to_url: str, number: str, body: str, *, sid: str = "SMinbound1", sign: bool = True
    ) -> tuple[int, str]:
        """A person writes back; the status and body of our answer."""
        fields = {"MessageSid": sid, "From": number, "To": "+441632960999", "Body": body}
        return await self.call_back(to_url, fields, sign=sign)

    async def call_back(
        self, url: str, fields: Mapping[str, str], *, sign: bool = True
    ) -> tuple[int, str]:
        """POST fields to an address of ours, signed; the answer is kept in `answers` too."""
        assert self._client is not None
        headers = {"X-Twilio-Signature": self._signature(url, fields)} if sign else {}
        async with self._client.post(url, data=fields, headers=headers) as answer:
            text = await answer.text()
        self.answers.append((url, answer.status, text))
        return answer.status, text

    def _signature(self, url: str, fields: Mapping[str, str]) -> str:
        text = url
        for name in sorted(fields):
            text += name + fields[name]
        digest = hmac.new(self.token.encode(), text.encode(), hashlib.sha1).digest()
        return base64.b64encode(digest).decode()

    def _application(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post(f"{_PATH}/Messages.json", self._take_message),
                web.get(f"{_PATH}/Messages.json", self._list_messages),
                web.post(f"{_PATH}/Calls.json", self._take_call),
                web.get(f"{_PATH}/Calls.json", self._list_calls),
                web.post(f"{_PATH}/Calls/{{sid}}.json", self._change_call),
                web.route("*", "/{any:.*}", self._anything_else),
            ]
        )
        return app

    async def _anything_else(self, request: web.Request) -> web.Response:
        self.strange.append(f"{request.method} {request.path}")
        return web.json_response({"code": 20404}, status=404)

    def _admits(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        pair = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        expected = f"Basic {pair}"
        is_right = given == expected and request.match_info["account"] == self.account
        if not is_right:
            self.strange.append(f"{request.method} {request.path} with a wrong account or token")
        return is_right

    async def _received(self, request: web.Request) -> tuple[Mapping[str, str], Handset] | Any:
        if not self._admits(request):
            return web.json_response({"code": 20003}, status=401)
        form = {name: str(value) for name, value in (await request.post()).items()}
        handset = self.handsets.get(form.get("To", ""), Handset())
        if handset.provider == "hangs":
            await asyncio.Event().wait()
        if handset.provider == "refuses":
            return web.json_response({"code": 21211, "message": form.get("To")}, status=400)
        if handset.provider == "down":
            return web.json_response({"code": 20500}, status=503)
        return form, handset

    async def _take_message(self, request: web.Request) -> web.Response:
        received = await self._received(request)
        if isinstance(received, web.Response):
            return received
        form, handset = received
        message = Message(
            f"SM{len(self.messages) + 1:06d}",
            form["To"],
            form["From"],
            form["Body"],
            form.get("StatusCallback", ""),
        )
        self.messages.append(message)
        if handset.provider == "takes and hangs":
            await asyncio.Event().wait()
        self._start(self._deliver(message, handset))
        return web.json_response({"sid": message.sid, "status": "queued"}, status=201)

    async def _deliver(self, message: Message, handset: Handset) -> None:
        message.status = "delivered" if handset.is_on else "undelivered"
        if message.call_back:
            fields = {
                "MessageSid": message.sid,
                "MessageStatus": message.status,
                "To": message.to,
                "From": message.sender,
            } | ({} if handset.is_on else {"ErrorCode": "30003"})
            await self.call_back(message.call_back, fields)

    async def _list_messages(self, request: web.Request) -> web.Response:
        if not self._admits(request):
            return web.json_response({"code": 20003}, status=401)
        found = [
            {"sid": each.sid, "to": each.to, "body": each.body, "status": each.status}
            for each in reversed(self.messages)
            if each.to == request.query.get("To")
        ]
        return web.json_response({"messages": found})

    async def _take_call(self, request: web.Request) -> web.Response:
        received = await self._received(request)
        if isinstance(received, web.Response):
            return received
        form, handset = received
        call = Call(
            f"CA{len(self.calls) + 1:06d}",
            form["To"],
            form["From"],
            form["Url"],
            form.get("StatusCallback", ""),
        )
        self.calls.append(call)
        self._start(follow(call, handset, self.call_back))
        return web.json_response({"sid": call.sid, "status": "queued"}, status=201)

    async def _list_calls(self, request: web.Request) -> web.Response:
        if not self._admits(request):
            return web.json_response({"code": 20003}, status=401)
        found = [
            {"sid": each.sid, "to": each.to, "status": each.status}
            for each in reversed(self.calls)
            if each.to == request.query.get("To")
        ]
        return web.json_response({"calls": found})

    async def _change_call(self, request: web.Request) -> web.Response:
        if not self._admits(request):
            return web.json_response({"code": 20003}, status=401)
        form = await request.post()
        for call in self.calls:
            if call.sid == request.match_info["sid"] and form.get("Status") == "canceled":
                call.ended.set()
                return web.json_response({"sid": call.sid, "status": "canceled"})
        return web.json_response({"code": 20404}, status=404)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
