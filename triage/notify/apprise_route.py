"""Any service that Apprise knows (SMS, voice, push, mail), as plain text in a thread of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, tzinfo
from typing import Any

from apprise import Apprise, AppriseResultStatus, NotifyFormat

from triage.domain.paging import PageOrder
from triage.domain.roster.roster import Route
from triage.notify.routes import Accepted, Page, Refused, SendResult, Unreachable
from triage.notify.secrets import Missing, resolve_reference
from triage.notify.text import PageText, list_text, page_text

SEND_SECONDS = 5.0
_THREADS = 32


class AppriseRoute:
    """Sends a page's text to one Apprise URL. Its threads are its own: no other route waits."""

    def __init__(
        self,
        route: Route,
        environment: Mapping[str, str],
        *,
        zone: tzinfo = UTC,
        limit_seconds: float = SEND_SECONDS,
    ) -> None:
        self._route = route
        self._environment = environment
        self._zone = zone
        self._limit_seconds = limit_seconds
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="apprise")

    async def send(self, order: PageOrder, document: Mapping[str, Any]) -> SendResult:
        """One notification. Apprise carries no key: a page sent again is marked in its text."""
        del order
        return await self._post(page_text(document, self._zone))

    async def send_list(self, pages: Sequence[Page]) -> SendResult:
        """One notification that lists several pages."""
        return await self._post(list_text([document for _, document in pages], self._zone))

    async def _post(self, text: PageText) -> SendResult:
        url = resolve_reference(self._route.url, self._environment)
        if isinstance(url, Missing):
            return Refused(f"url: {url.reason}")
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._notify, url, text)
        try:
            async with asyncio.timeout(self._limit_seconds):
                return await work
        except TimeoutError:
            return Unreachable(f"no answer within {self._limit_seconds:g} s")

    def _notify(self, url: str, text: PageText) -> SendResult:
        service = Apprise()
        if not service.add(url):
            return Refused("url: Apprise knows no such service or misses a part of it")
        result = service.notify(
            body=text.body,
            title=text.title,
            body_format=NotifyFormat.TEXT,
            timeout=self._limit_seconds,
        )
        if result:
            return Accepted("apprise")
        if result.status is AppriseResultStatus.TIMEOUT:
            return Unreachable(f"no answer within {self._limit_seconds:g} s")
        return Unreachable("the service did not take it")

    def close(self) -> None:
        """Take no more pages; does not wait for a service that hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)
