"""What a route is, and what it can answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from triage.domain.paging import PageOrder


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the page on. It does not say that anybody has seen it."""

    provider_word: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider or our own configuration says no; the same again may get the same answer."""

    reason: str
    provider_word: str | None = None


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No usable answer: it may or may not have been taken on."""

    reason: str


SendResult = Accepted | Refused | Unreachable


class PageRoute(Protocol):
    """One way to reach a person.

    `document` is the page as in contract section 3. A route answers in five seconds, does not raise
    for what a provider does, and never repeats an address or a secret in a reason.
    """

    async def send(self, order: PageOrder, document: Mapping[str, Any]) -> SendResult:
        """Hand the page to the provider once."""
        ...


Page = tuple[PageOrder, Mapping[str, Any]]


@runtime_checkable
class ListingRoute(PageRoute, Protocol):
    """A route that people read: several lesser pages may go as one message that lists them."""

    async def send_list(self, pages: Sequence[Page]) -> SendResult:
        """Hand several pages, each with its document, to the provider as one message."""
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """A route ready to send. Pages of one `lane` share its slots: one lane for each provider.

    The lane's name may hold an address: it is never shown.
    """

    lane: str
    route: PageRoute
