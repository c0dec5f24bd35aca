"""What the relay needs from others."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from triage.domain.paging import Attempt, ClaimedPage, PageOrder
from triage.notify.routes import Connection

T = TypeVar("T")


class RunBlocking(Protocol):
    """Runs blocking work beside the event loop; `asyncio.to_thread` is one."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """The work's result, or what it raised."""
        ...


class PagePort(Protocol):
    """The store as the relay sees it; both calls block and may raise StoreUnavailable."""

    def claim_pages(self, limit: int, lease_seconds: float) -> Sequence[ClaimedPage]:
        """Pages that are owed now, EMERGENT first, then by remaining time; ours for the lease."""
        ...

    def finish(self, results: Sequence[Attempt]) -> None:
        """Record attempts, all or none, each also as the receipt event of `receipt_message`."""
        ...


class Routes(Protocol):
    """Where a page goes."""

    def connect(self, order: PageOrder) -> Connection:
        """The route that the order names; the desk's inbox where there is no such route."""
        ...

    def desk(self) -> Connection:
        """The inbox of the desk, where a page shows whose own route did not take it."""
        ...
