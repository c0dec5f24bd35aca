"""One telephone provider as we call it: Twilio's REST API, form-encoded, basic authentication."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from triage.domain.roster.roster import Route
from triage.domain.roster.telephone import dialled
from triage.notify.routes import Accepted, Refused, SendResult, Unreachable
from triage.notify.secrets import Missing, resolve_reference

SEND_SECONDS = 5.0
_TRY_AGAIN = (408, 425, 429)
_LONGEST_ANSWER = 1 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """A person's number and the account that reaches it, references resolved."""

    root: str
    account: str
    token: str
    sender: str
    to: str


def line_of(route: Route, environment: Mapping[str, str]) -> Line | Missing:
    """What the route's references stand for at this moment."""
    provider = route.provider
    if provider is None:
        return Missing("no provider is configured")
    values = []
    for name, value in (
        ("account", provider.account),
        ("token", provider.token),
        ("from", provider.sender),
        ("to", route.to),
    ):
        found = resolve_reference(value, environment)
        if isinstance(found, Missing):
            return Missing(f"{name}: {found.reason}")
        values.append(found)
    account, token, sender, to = values
    dial_from, dial_to = dialled(sender), dialled(to)
    if dial_from is None or dial_to is None:
        return Missing("from or to is no number in its international form")
    root = f"{provider.url}/2010-04-01/Accounts/{account}"
    return Line(root, account, token, dial_from, dial_to)


class PhoneLine:
    """Requests to one provider. Answers in `limit_seconds`; never repeats what a provider wrote,
    since that may hold the number.
    """

    def __init__(self, client: aiohttp.ClientSession, limit_seconds: float = SEND_SECONDS) -> None:
        self._client, self._limit_seconds = client, limit_seconds

    async def place(self, line: Line, what: str, fields: Mapping[str, Any]) -> SendResult:
        """Create a message or a call (`Messages`, `Calls`); accepted with the provider's id."""
        answer = await self._request("POST", line, f"{what}.json", data=fields)
        if isinstance(answer, Unreachable):
            return answer
        status, body = answer
        if 200 <= status < 300:
            return Accepted(_id_of(body))
        if status >= 500 or status in _TRY_AGAIN:
            return Unreachable(f"HTTP {status}")
        return Refused("the provider does not take it", f"HTTP {status} {_code_of(body)}".strip())

    async def end_call(self, line: Line, call: str) -> bool:
        """End a call that still rings; False when the provider did not say that it has.

        One that was picked up goes on: the person hears that nothing is left to answer.
        """
        form = {"Status": "canceled"}
        answer = await self._request("POST", line, f"Calls/{call}.json", data=form)
        return not isinstance(answer, Unreachable) and answer[0] < 300

    async def placed(self, line: Line, what: str) -> Sequence[Mapping[str, Any]] | None:
        """Its latest messages or calls to this number, newest first; None when it cannot say."""
        query = {"To": line.to, "From": line.sender, "PageSize": "50"}
        answer = await self._request("GET", line, f"{what}.json", params=query)
        if isinstance(answer, Unreachable) or answer[0] != 200:
            return None
        found = answer[1].get(what.lower())
        if not isinstance(found, list):
            return None
        return [each for each in found if isinstance(each, dict)]

    async def _request(
        self, method: str, line: Line, path: str, **parts: Any
    ) -> tuple[int, Mapping[str, Any]] | Unreachable:
        url = f"{line.root}/{path}"
        headers = {"authorization": aiohttp.encode_basic_auth(line.account, line.token)}
        try:
            async with (
                asyncio.timeout(self._limit_seconds),
                self._client.request(
                    method, url, headers=headers, allow_redirects=False, **parts
                ) as answer,
            ):
                return answer.status, _read(await answer.content.read(_LONGEST_ANSWER))
        except TimeoutError:
            return Unreachable(f"no answer within {self._limit_seconds:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Unreachable(f"no connection: {type(error).__name__}")


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _id_of(body: Mapping[str, Any]) -> str | None:
    found = body.get("sid")
    return found if isinstance(found, str) and found.isalnum() else None


def _code_of(body: Mapping[str, Any]) -> str:
    found = body.get("code")
    return f"code {found}" if isinstance(found, int) else ""
