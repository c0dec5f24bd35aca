"""What the Kafka door says about itself, for health pages and metrics."""

import logging
from dataclasses import dataclass
from datetime import datetime

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class DoorStatus:
    """Counts since the start of this process. `waiting_for`: `Kafka`, `database`, or None.

    `lag` = records in our partitions that are not yet in the database (None = not known).
    `unhandled` = records that our own faults sent to quarantine; `lost` = records that Kafka
    deleted before we read them; `restarts` = consumers that had died and were made anew.
    """

    connected: bool = False
    waiting_for: str | None = "Kafka"
    last_batch_at: datetime | None = None
    processed: int = 0
    duplicates: int = 0
    quarantined: int = 0
    unhandled: int = 0
    fenced: int = 0
    lost: int = 0
    restarts: int = 0
    lag: int | None = None


@dataclass(slots=True)
class Connection:
    """Whether Kafka answers, kept in the status and said once at each change."""

    status: DoorStatus
    _said: bool | None = None

    def is_here(self) -> None:
        """It answers."""
        if self._said is not True:
            _LOG.info("kafka.connected")
        self._said = self.status.connected = True
        if self.status.waiting_for == "Kafka":
            self.status.waiting_for = None

    def is_away(self, why: str) -> None:
        """It does not; `why` is the kind of the error."""
        if self._said is not False:
            _LOG.warning("kafka.lost: %s", why)
        self._said = self.status.connected = False
        self.status.lag = None
        self.status.waiting_for = self.status.waiting_for or "Kafka"
