"""The Kafka door as a service: it outlives Kafka, the database, and its own consumer."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from socket import gethostname

from aiokafka.errors import InvalidSessionTimeoutError, KafkaError

from triage.consumers.batches import Observe, Room, RunBlocking, unobserved
from triage.consumers.broker import Bus
from triage.consumers.pauses import growing, until
from triage.consumers.quiet_log import quieten_aiokafka
from triage.consumers.status import Connection, DoorStatus
from triage.consumers.visit import Visit
from triage.domain.errors import StoreUnavailable
from triage.domain.instants import Clock
from triage.handle import Desk
from triage.intake.faults import described
from triage.intake.registry import Registry
from triage.store.store import Store

_LOG = logging.getLogger(__name__)
_SLOWEST_SESSION_SECONDS = 6.0  # what every broker takes by default


class KafkaDoor:
    """Reads the inbound topics into the database for as long as it runs."""

    def __init__(
        self,
        bus: Bus,
        *,
        store: Store,
        desk: Desk,
        clock: Clock,
        registry: Callable[[], Registry],
        run_blocking: RunBlocking,
        observe: Observe = unobserved,
    ) -> None:
        self._bus = bus
        self._room = Room(
            store=store,
            desk=desk,
            clock=clock,
            registry=registry,
            run_blocking=run_blocking,
            topics=bus.topics,
            observe=observe,
            name=gethostname(),
        )
        self._status = DoorStatus()
        self._connection = Connection(self._status)

    def status(self) -> DoorStatus:
        """A copy of how things stand."""
        return replace(self._status)

    async def announce(self) -> None:
        """Say that there may be a backlog, before anything pages. The database may be away."""
        with suppress(StoreUnavailable):
            await self._room.say_behind(True)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Kafka away, at the start or later: wait and say so; a consumer that died
        is replaced. Raises nothing of Kafka's or the database's."""
        quieten_aiokafka()
        pauses = growing(0.2, 5.0)
        while not stop.is_set():
            visit = Visit(self._bus, self._room, self._connection, stop)
            try:
                await visit.run()
                pauses = growing(0.2, 5.0)
            except InvalidSessionTimeoutError:
                _LOG.warning(
                    "kafka.session_timeout_refused: %.1f s", self._bus.session_timeout_seconds
                )
                self._bus = replace(self._bus, session_timeout_seconds=_SLOWEST_SESSION_SECONDS)
            except (KafkaError, OSError) as error:
                self._connection.is_away(type(error).__name__)
            except Exception as error:
                self._status.restarts += 1
                _LOG.error("kafka.door_failed: %s", described(error))
            finally:
                await visit.close()
            await until(stop)(next(pauses))
