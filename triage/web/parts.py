"""What the web room needs from whoever starts it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from triage.domain.instants import Clock
from triage.handle import Desk
from triage.metrics.instruments import Instruments
from triage.store.store import Store
from triage.web.sessions import Sessions

T = TypeVar("T")

STALE_AFTER = timedelta(seconds=120)  # an alert of infra/prometheus asks for the same
EVENT_LIMIT_BYTES = 1 << 20
BATCH_LIMIT_BYTES = 8 << 20
PATIENCE_SECONDS = 30.0  # above the database's own limit for a statement


class RunBlocking(Protocol):
    """Runs blocking work (the database) off the event loop, e.g. `asyncio.to_thread`."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """What `work` returns or raises."""
        ...


@dataclass(frozen=True, slots=True)
class Component:
    """One part's state for /health/ready. `is_vital`: without it this role cannot do its work."""

    name: str
    is_well: bool
    detail: str
    is_vital: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """Everything injected. `health` tells of the other parts of this process, and must not block.

    Without a turn for longer than `stale_after` (by `clock`: one that runs fast needs more) a loop
    counts as standing still. `secret_key` signs sessions. In a demonstration visitors need no
    sign-in, and screens say so. `push_key` is the public key of push messages, in base64url.
    `secret_of` gives what a reference of the roster stands for, None where it leads nowhere; it may
    block. After `patience_seconds` a request no longer waits for a database that hangs.
    """

    store: Store
    desk: Desk
    clock: Clock
    run_blocking: RunBlocking
    instruments: Instruments
    secret_key: str
    public_url: str
    push_key: str | None = None
    health: Callable[[], Sequence[Component]] = tuple
    secret_of: Callable[[str | None], str | None] = lambda value: value
    is_demo: bool = False
    stale_after: timedelta = STALE_AFTER
    event_limit_bytes: int = EVENT_LIMIT_BYTES
    batch_limit_bytes: int = BATCH_LIMIT_BYTES
    patience_seconds: float = PATIENCE_SECONDS

    @property
    def sessions(self) -> Sessions:
        """Sessions of the pages."""
        return Sessions(self.secret_key, self.desk.roster.default_site if self.is_demo else None)

    @property
    def is_encrypted(self) -> bool:
        """People reach us over TLS, so cookies must not travel without it."""
        return self.public_url.startswith("https://")
