"""aiokafka's own log, one line of a kind every half minute: without Kafka it writes 80 a second."""

import logging

_EVERY_SECONDS = 30.0
_LOG = logging.getLogger(__name__)


class RateLimited(logging.Handler):
    """Passes on the first record of a kind, and how many there were when the next may pass."""

    def __init__(self, target: logging.Logger = _LOG) -> None:
        super().__init__(logging.WARNING)
        self._target = target
        self._passed_at: dict[tuple[str, str], float] = {}
        self._held: dict[tuple[str, str], int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record on, or count it."""
        kind = (record.name, str(record.msg))
        if record.created - self._passed_at.get(kind, float("-inf")) < _EVERY_SECONDS:
            self._held[kind] = self._held.get(kind, 0) + 1
            return
        self._passed_at[kind] = record.created
        held = self._held.pop(kind, 0)
        more = f" (and {held} more like it)" if held else ""
        self._target.log(record.levelno, "%s: %s%s", record.name, record.getMessage(), more)


def quieten_aiokafka() -> None:
    """Send aiokafka's log through one RateLimited handler; harmless when called again."""
    logger = logging.getLogger("aiokafka")
    if not any(isinstance(handler, RateLimited) for handler in logger.handlers):
        logger.addHandler(RateLimited())
    logger.propagate = False
