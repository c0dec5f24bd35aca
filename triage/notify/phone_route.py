"""Text messages and calls through a telephone provider. A call speaks the page and asks for keys.

What comes back (delivered, answered, a key, a reply) arrives at the web role's doors under
`/providers/`. The provider has no key for a request, so on doubt it is asked for what it has.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any
from urllib.parse import urlencode

from triage.domain.paging import PageOrder
from triage.domain.roster.roster import Route
from triage.domain.roster.telephone import reply_code
from triage.notify.phone_line import Line, PhoneLine, line_of
from triage.notify.phone_text import sms_list_text, sms_text
from triage.notify.routes import Accepted, Page, Refused, SendResult
from triage.notify.secrets import Missing

RING_SECONDS = 25  # before most voicemail answers


class SmsRoute:
    """One message for each page, with a code to reply with."""

    def __init__(
        self,
        route: Route,
        line: PhoneLine,
        environment: Mapping[str, str],
        *,
        public_url: str,
        desk: str | None,
        zone: tzinfo = UTC,
    ) -> None:
        self._route, self._line, self._environment = route, line, environment
        self._public_url, self._desk, self._zone = public_url, desk, zone

    async def send(self, order: PageOrder, document: Mapping[str, Any]) -> SendResult:
        """One message; none where the provider says that it has it already."""
        line = line_of(self._route, self._environment)
        if isinstance(line, Missing):
            return Refused(line.reason)
        code = reply_code(order.page, line.token)
        if document["possibly_doubled"] and (known := await self._known(line, code)):
            return Accepted(f"{known} (taken before)")
        text = sms_text(document, code, desk=self._desk, zone=self._zone)
        return await self._place(line, text, [order])

    async def send_list(self, pages: Sequence[Page]) -> SendResult:
        """One message that lists several pages, each with its own code."""
        line = line_of(self._route, self._environment)
        if isinstance(line, Missing):
            return Refused(line.reason)
        coded = [(document, reply_code(order.page, line.token)) for order, document in pages]
        text = sms_list_text(coded, desk=self._desk, zone=self._zone)
        return await self._place(line, text, [order for order, _ in pages])

    async def _place(self, line: Line, text: str, orders: Sequence[PageOrder]) -> SendResult:
        form = {
            "To": line.to,
            "From": line.sender,
            "Body": text,
            "StatusCallback": door(self._public_url, self._route, "status", *orders),
        }
        return await self._line.place(line, "Messages", form)

    async def _known(self, line: Line, code: str) -> str | None:
        """The provider's id of a message with this code that it has not given up."""
        for message in await self._line.placed(line, "Messages") or ():
            is_alive = message.get("status") not in ("failed", "undelivered", "canceled")
            if is_alive and code in str(message.get("body")):
                return str(message.get("sid"))
        return None


class VoiceRoute:
    """A call that speaks the page. Voicemail and silence are no answer."""

    def __init__(
        self, route: Route, line: PhoneLine, environment: Mapping[str, str], *, public_url: str
    ) -> None:
        self._route, self._line, self._environment = route, line, environment
        self._public_url = public_url

    async def send(self, order: PageOrder, document: Mapping[str, Any]) -> SendResult:
        """One call. The provider cannot tell one page's call from another's: on doubt it rings."""
        del document
        line = line_of(self._route, self._environment)
        if isinstance(line, Missing):
            return Refused(line.reason)
        form = {
            "To": line.to,
            "From": line.sender,
            "Url": door(self._public_url, self._route, "voice", order),
            "Method": "POST",
            "StatusCallback": door(self._public_url, self._route, "status", order),
            "StatusCallbackEvent": "completed",
            "MachineDetection": "Enable",
            "Timeout": str(RING_SECONDS),
        }
        return await self._line.place(line, "Calls", form)

    async def recall(self, order: PageOrder, word: str) -> bool:
        """End the call of this provider's id, if it still rings."""
        del order
        line = line_of(self._route, self._environment)
        return not isinstance(line, Missing) and await self._line.end_call(line, word)


def door(public_url: str, route: Route, name: str, *orders: PageOrder) -> str:
    """Where the provider calls back about these pages. It names no person."""
    provider = route.provider.name if route.provider else ""
    query = urlencode([*(("page", order.page) for order in orders), ("route", route.name)])
    return f"{public_url}/providers/{provider}/{name}?{query}"
